"""The catalog queries (``sql/*.sql``), for the snapshot and the fingerprint alike: both see the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

_FOLDER = Path(__file__).parent / "sql"
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"^\s*--.*\n| +--.*$", re.MULTILINE)
SCOPE = (
    *("member", "range_member", "namespace", "relation", "index_part", "usual", "sequence_option"),
    *("routine", "own_type"),
    *("extension_dependent", "foreign_option", "family_entry", "other_object", "object", "description"),
    "described_part",
)
"""WITH queries; each may name those before it."""
_RARE = "other_object"
OTHER = "other"
"""All of the rare kinds, where it is asked whether there is anything of them, and in a digest."""

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
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
def reading(connection: Connection, home: str | None = None) -> Iterator[None]:
    """One read-only view of the database, with ``SETTINGS``; an outer transaction gets its own back."""
    if not connection.is_in_transaction:
        with connection.transaction(f"{_BEGIN}; SELECT {settings_calls(home)}"):  # one round trip
            yield
        return
    connection.execute(f"SAVEPOINT reading; SELECT {settings_calls(home)}")
    yield
    connection.execute("ROLLBACK TO SAVEPOINT reading")


def settings_calls(home: str | None = None) -> str:
    """SQL expressions, with commas between, that make ``SETTINGS`` hold until the end of the transaction.

    With a ``home`` the server leaves out that schema's name where it writes another object's: two schemas that are
    alike are told in the same words.
    """
    calls = [f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items()]
    if home is not None:
        calls.append(f"set_config('search_path', pg_catalog.quote_ident({_literal(home)}), true)")
    return ", ".join(calls)


@functools.cache
def kinds() -> tuple[str, ...]:
    """The kinds of objects a snapshot knows, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("[a-z]*.sql")))


@functools.cache
def rare_kinds() -> frozenset[str]:
    """The kinds that few databases have: read only where ``rare_kinds_sql`` finds them."""
    return frozenset(kind for kind in kinds() if _RARE in _words(body_sql(kind)))


def find_kinds(connection: Connection, table: VersionTable) -> frozenset[str]:
    """The kinds that there may be something of: a query takes a millisecond, also where it finds nothing."""
    absent = find_absent_kinds(connection)
    rare = set() if OTHER in absent else {str(kind) for (kind,) in connection.rows(rare_kinds_sql(table))}
    return frozenset(kinds()) - absent - (rare_kinds() - rare)


def find_absent_kinds(connection: Connection) -> frozenset[str]:
    """Kinds, and ``OTHER``, of which there is certainly nothing."""
    return frozenset(str(kind) for (kind,) in connection.rows(_read("_absent")))


def rare_kinds_sql(table: VersionTable) -> str:
    """The query for which of the rare kinds there are."""
    return with_scope("SELECT DISTINCT kind FROM other_object", table)


def kind_sql(kind: str, table: VersionTable, *, has_rare: bool = True) -> str:
    """The query for all objects of one kind, without ``table`` and whatever belongs to it.

    ``has_rare`` says whether there is anything of a rare kind that may have a comment, an owner or privileges.
    """
    return with_scope(body_sql(kind, table.home), table, has_rare=has_rare)


def unmodelled_sql(table: VersionTable) -> str:
    """The query for the kinds that are in the database and in no snapshot."""
    return with_scope(_read("_unmodelled"), table)


def body_sql(kind: str, home: str | None = None) -> str:
    """The query for one kind; it needs the WITH queries of ``scope_sql``. ``home``: of what is in that schema."""
    text = _read(kind)
    return text if home is None else f"SELECT * FROM (\n{text}\n) own WHERE own.namespace = {_literal(home)}"  # noqa: S608


def rare_rows_sql() -> str:
    """The raw rows that everything of a rare kind is read from."""
    return _read("_other_row")


def scope_sql(body: str, table: VersionTable, *, has_rare: bool = True) -> str:
    """The WITH queries that a text needs, with commas between, each after those it needs itself."""
    wanted = _names_in(body, has_rare=has_rare)
    texts = (
        f"{name} AS (\n{_with_names(_read(_scope_file(name, has_rare=has_rare)), table)})"
        for name in SCOPE
        if name in wanted
    )
    return ",\n".join(texts)


def with_scope(body: str, table: VersionTable, *, has_rare: bool = True) -> str:
    """The query with all WITH queries that it needs."""
    scope = scope_sql(body, table, has_rare=has_rare)
    return f"WITH {scope}\n{body}" if scope else body


@functools.cache
def _names_in(body: str, *, has_rare: bool) -> frozenset[str]:
    """Not all of them: less for the server to parse."""
    names: set[str] = set()
    words = set(_words(body))
    for name in reversed(SCOPE):
        if name in words:
            names.add(name)
            words |= _words(_read(_scope_file(name, has_rare=has_rare)))
    return frozenset(names)


def _scope_file(name: str, *, has_rare: bool) -> str:
    return f"_{name}" if has_rare or name != _RARE else f"_no_{name}"


def _words(sql: str) -> frozenset[str]:
    return frozenset(_WORD.findall(sql))


def _with_names(text: str, table: VersionTable) -> str:
    """Leaves the version table out, and all schemas but the one that it is about."""
    names = {
        "/*version table*/": _literal(table.name),
        "/*version namespace*/": _condition("n.nspname", table.namespace),
        "/*home*/": _condition("nspname", table.home),
    }
    for mark, name in names.items():
        text = text.replace(mark, name)
    return text


def _condition(column: str, name: str | None) -> str:
    return "true" if name is None else f"{column} = {_literal(name)}"


@functools.cache
def _read(name: str) -> str:
    """The text of a file without its comments: they may have the names of WITH queries."""
    return _COMMENT.sub("", (_FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def _literal(text: str) -> str:
    """A constant that no driver, encoding or setting reads in another way: an odd name goes as its bytes."""
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"
