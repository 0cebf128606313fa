"""Reads the snapshot: one read-only transaction, one query a kind, none per object."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from govern.core.snapshot import Fact, Facts, ObjectKey, Snapshot, join_name
from govern.database.postgresql.catalog import queries
from govern.database.postgresql.catalog.home import tell_as_default
from govern.database.postgresql.server import read_server_version

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

_CONSTANT = re.compile(r"'(?:[^']|'')*'::character varying")
_CAST_LIST = re.compile(rf"\(ARRAY\[((?:{_CONSTANT.pattern}(?:, )?)+)\]\)::text\[\]")
_IS_SMALL = "SELECT pg_catalog.pg_relation_size('pg_catalog.pg_attribute') < 4194304"
"""Up to about a thousand tables."""
_NAMING = ("namespace", "prefix", "parent", "name", "signature", "grantee")
"""Columns that stand before the facts, in this order."""
_QUOTED = "SELECT pg_catalog.quote_ident(%s)"


def read_snapshot(connection: Connection, table: VersionTable) -> Snapshot:
    """Every schema-defining fact, without Alembic's version ``table``, the ledger and extensions' members.

    A fact that is not there is as PostgreSQL has it by default. Expressions are as the server writes them
    with an empty search_path (PostgreSQL manual, 9.27.9 "System Catalog Information Functions").

    Where ``table`` is about one schema, the snapshot is of what is in it, told as if it were the default one: under
    its name as a key, and without a name in what definitions say of it.
    """
    with queries.reading(connection, table.home):
        present = queries.find_kinds(connection, table)
        has_rare = not present.isdisjoint(queries.rare_kinds())
        kinds = [kind for kind in queries.kinds() if kind in present]
        asked = [queries.kind_sql(kind, table, has_rare=has_rare) for kind in kinds]
        objects: dict[ObjectKey, Facts] = {}
        unmodelled: tuple[str, ...] = ()
        answers = _ask(connection, [*asked, queries.unmodelled_sql(table)])
        for kind, answer in zip((*kinds, None), answers, strict=True):
            if kind is not None:
                objects.update(_read_objects(kind, answer))
            else:
                unmodelled = tuple(str(name) for (name,) in answer.fetchall())
        if table.home is not None:
            objects = tell_as_default(objects, str(connection.value(_QUOTED, (table.home,))))
    return Snapshot(
        dialect="postgresql",
        server_version=read_server_version(connection),
        objects=objects,
        unmodelled=unmodelled,
    )


def _ask(connection: Connection, asked: Sequence[str]) -> Iterator[Any]:
    """A cursor each. All are asked at once, as a server may be a long way off; but the answers of a large schema, of
    which each takes longer than the way, would fill the memory together."""
    driver: Any = connection.driver
    if not connection.value(_IS_SMALL):
        yield from map(driver.execute, asked)
        return
    with driver.pipeline():
        yield from [driver.execute(query) for query in asked]


def _read_objects(kind: str, answer: Any) -> dict[ObjectKey, Facts]:
    """``answer``: the cursor of its query, which is closed."""
    rows = answer.fetchall()
    columns = [column[0] for column in answer.description]
    answer.close()
    name_of, facts_of = _naming(columns), _facts_reader(columns)
    # a tuple's own constructor: there may be hundreds of thousands
    return {tuple.__new__(ObjectKey, (kind, sys.intern(row[0]), name_of(row))): facts_of(row) for row in rows}


def _naming(columns: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    """How a row's object is called, by the columns that there are."""
    parts = {name: columns.index(name) for name in _NAMING[1:] if name in columns}
    if parts.keys() == {"name"}:
        return itemgetter(parts["name"])
    if parts.keys() == {"parent", "name"}:
        return _inner_name
    return lambda row: _object_name(**{name: row[index] for name, index in parts.items()})


def _inner_name(row: Sequence[Any]) -> str:
    """Of a row that begins with namespace, parent and name; as ``join_name`` has it, for the usual ones at once."""
    parent, name = row[1], row[2]
    if parent.isidentifier() and name.isidentifier():
        return f"{parent}.{name}"
    return join_name(parent, name)


def _facts_reader(columns: Sequence[str]) -> Callable[[Sequence[Any]], Facts]:
    """What makes a row's facts. Equal rows share theirs: thousands of columns are of a few types."""
    first = sum(name in _NAMING for name in columns)
    names = tuple(sys.intern(name) for name in columns[first:])
    shared: dict[Sequence[Any], Facts] = {}

    def read(row: Sequence[Any]) -> Facts:
        values = row[first:]
        try:
            return shared[values]
        except KeyError:
            facts = shared[values] = _facts(names, values)
            return facts
        except TypeError:  # it has a list
            return _facts(names, values)

    return read


def _facts(names: tuple[str, ...], values: Sequence[Any]) -> Facts:
    return {name: _fact(value) for name, value in zip(names, values, strict=True) if value is not None}


def _object_name(
    *,
    name: str,
    parent: str | None = None,
    prefix: str | None = None,
    signature: str | None = None,
    grantee: str | None = None,
) -> str:
    """``users``, ``users.email``, ``touch(integer)``, ``column users.email``, ``table users to reader``."""
    if (parent, prefix, signature, grantee) == (None, None, None, None):
        return name
    text = _role_name(name) if parent is None else join_name(parent, name)
    if signature is not None:
        text = f"{text}({signature})"
    if prefix is not None:
        text = f"{prefix} {text}"
    return text if grantee is None else f"{text} to {_role_name(grantee)}"


def _role_name(role: str) -> str:
    """A role as a grant's name has it; ``(owner)`` stands for the object's own."""
    return role if role == "(owner)" else join_name(role)


def _fact(value: Any) -> Fact:
    """A column's value as a fact."""
    if isinstance(value, str):
        return _in_one_spelling(value)
    if isinstance(value, list):
        return tuple(_in_one_spelling(str(item)) for item in value)
    if isinstance(value, bool | int):
        return value
    return str(value)


def _in_one_spelling(text: str) -> str:
    """Takes away two differences that mean nothing: line ends of Windows, and where a list is cast.

    The server writes ``varchar IN ('a')`` in one way when it was first said, and in another when it was
    dumped and restored.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _CAST_LIST.sub(_cast_each, text) if "::text[]" in text else text


def _cast_each(found: re.Match[str]) -> str:
    each = _CONSTANT.sub(r"(\g<0>)::text", found[1])
    return f"ARRAY[{each}]"
