"""Reads the snapshot: one read-only transaction, one query a kind, none per object."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from govern.core.snapshot import Fact, Facts, ObjectKey, Snapshot, join_name
from govern.database.connection import Connection
from govern.database.dialect import VersionTable
from govern.database.postgresql.catalog import queries

_CONSTANT = re.compile(r"'(?:[^']|'')*'::character varying")
_CAST_LIST = re.compile(rf"\(ARRAY\[((?:{_CONSTANT.pattern}(?:, )?)+)\]\)::text\[\]")
_NAMING = ("namespace", "prefix", "parent", "name", "signature", "grantee")


def read_snapshot(connection: Connection, table: VersionTable) -> Snapshot:
    """Every schema-defining fact, without Alembic's version ``table``, the ledger and extensions' members.

    A fact that is not there is as PostgreSQL has it by default. Expressions are as the server writes them
    with an empty search_path (PostgreSQL manual, 9.27.9 "System Catalog Information Functions").
    """
    with queries.reading(connection):
        version = str(connection.value("SHOW server_version")).split()[0]
        rare = {str(kind) for (kind,) in connection.rows(queries.rare_kinds_sql(table))}
        objects = {
            key: facts
            for kind in queries.kinds()
            if kind in rare or kind not in queries.rare_kinds()
            for key, facts in _read_objects(
                connection, kind, queries.kind_sql(kind, table, has_rare=bool(rare))
            )
        }
        unmodelled = tuple(str(kind) for (kind,) in connection.rows(queries.unmodelled_sql(table)))
    return Snapshot(dialect="postgresql", server_version=version, objects=objects, unmodelled=unmodelled)


def _read_objects(connection: Connection, kind: str, sql: str) -> Iterator[tuple[ObjectKey, Facts]]:
    columns, rows = _read_columns(connection, sql)
    namespace = columns.index("namespace")
    name_of = _naming(columns)
    facts = [(index, sys.intern(name)) for index, name in enumerate(columns) if name not in _NAMING]
    for row in rows:
        key = ObjectKey(kind, sys.intern(row[namespace]), name_of(row))
        yield key, {name: _fact(row[index]) for index, name in facts if row[index] is not None}


def _naming(columns: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    """How a row's object is called, by the columns that there are."""
    parts = {name: columns.index(name) for name in _NAMING[1:] if name in columns}
    if parts.keys() == {"name"}:
        return itemgetter(parts["name"])
    if parts.keys() == {"parent", "name"}:
        names = itemgetter(parts["parent"], parts["name"])
        return lambda row: join_name(*names(row))
    return lambda row: _object_name(**{name: row[index] for name, index in parts.items()})


def _read_columns(connection: Connection, sql: str) -> tuple[list[str], list[Sequence[Any]]]:
    cursor = connection.driver.cursor()
    try:
        cursor.execute(sql)
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        cursor.close()


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


@functools.lru_cache(maxsize=20_000)
def _in_one_spelling(text: str) -> str:
    """Takes away two differences that mean nothing: line ends of Windows, and where a list is cast.

    The server writes ``varchar IN ('a')`` in one way when it was first said, and in another when it was
    dumped and restored.
    """
    text = text.replace("\r\n", "\n")
    return _CAST_LIST.sub(_cast_each, text) if "::text[]" in text else text


def _cast_each(found: re.Match[str]) -> str:
    each = _CONSTANT.sub(r"(\g<0>)::text", found[1])
    return f"ARRAY[{each}]"
