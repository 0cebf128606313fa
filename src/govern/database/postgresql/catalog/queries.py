"""The catalog queries (``sql/*.sql``), for the snapshot and the fingerprint alike: both see the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from govern.database.connection import Connection
from govern.database.dialect import VersionTable

_FOLDER = Path(__file__).parent / "sql"
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
SCOPE = ("member", "namespace", "relation", "usual", "sequence_option", "routine", "own_type", "object")
"""WITH queries; each may name those before it."""

SETTINGS: Mapping[str, str] = {
    # what changes the text that the server writes for an expression, a constant or a name
    "search_path": "",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    # compiling these queries takes longer than running them
    "jit": "off",
}


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """One read-only view of the database, with ``SETTINGS``; an outer transaction gets its own back."""
    with connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
        connection.execute("SAVEPOINT reading")
        connection.execute(f"SELECT {settings_calls()}")
        yield
        connection.execute("ROLLBACK TO SAVEPOINT reading")


def settings_calls() -> str:
    """SQL expressions, with commas between, that make ``SETTINGS`` hold until the end of the transaction."""
    return ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items())


@functools.cache
def kinds() -> tuple[str, ...]:
    """The kinds of objects a snapshot knows, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("[a-z]*.sql")))


def kind_sql(kind: str, table: VersionTable) -> str:
    """The query for all objects of one kind, without ``table`` and whatever belongs to it."""
    return _with_scope(body_sql(kind), table)


def unmodelled_sql(table: VersionTable) -> str:
    """The query for the kinds that are in the database and in no snapshot."""
    return _with_scope(_read("_unmodelled"), table)


def scoped_sql(body: str, table: VersionTable) -> str:
    """A query of somebody else's, after the WITH queries that it names."""
    return _with_scope(body, table)


def body_sql(kind: str) -> str:
    """The query for one kind; it needs the WITH queries of ``scope_sql``."""
    return _read(kind)


def scope_sql(names: Iterable[str], table: VersionTable) -> str:
    """The WITH queries called ``names``, with commas between, in the order they need."""
    wanted = set(names)
    texts = (
        f"{name} AS (\n{_without_version_table(_read(f'_{name}'), table)})"
        for name in SCOPE
        if name in wanted
    )
    return ",\n".join(texts)


def _with_scope(body: str, table: VersionTable) -> str:
    scope = scope_sql(_names_in(body), table)
    return f"WITH {scope}\n{body}" if scope else body


def _names_in(body: str) -> set[str]:
    """The WITH queries that a text needs, and those that they need: less for the server to parse."""
    names: set[str] = set()
    for name in reversed(SCOPE):
        if any(re.search(rf"\b{name}\b", text) for text in (body, *(_read(f"_{other}") for other in names))):
            names.add(name)
    return names


def _without_version_table(text: str, table: VersionTable) -> str:
    namespace = "true" if table.namespace is None else f"n.nspname = {_literal(table.namespace)}"
    return text.replace("/*version table*/", _literal(table.name)).replace("/*version namespace*/", namespace)


@functools.cache
def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def _literal(text: str) -> str:
    """A constant that no driver, encoding or setting reads in another way: an odd name goes as its bytes."""
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"
