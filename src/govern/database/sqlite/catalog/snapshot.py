"""Reads the snapshot: names and columns from SQLite's pragmas, the rest from the stored CREATE texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from govern.core.snapshot import Coverage, Facts, ObjectKey, Snapshot, join_name
from govern.database.connection import Connection
from govern.database.sqlite.catalog.definition import ColumnText, TableText, read_table_text
from govern.database.sqlite.catalog.tokens import closing, split_top, text_of, tokens
from govern.database.version_table import VersionTable

OWN_OBJECTS = """
SELECT type, name, tbl_name, sql
FROM sqlite_master
WHERE name NOT GLOB 'sqlite_*' AND tbl_name NOT GLOB 'sqlite_*' AND tbl_name NOT GLOB 'govern_*'
  AND tbl_name <> /*version table*/ AND sql IS NOT NULL
"""
"""Everything but SQLite's own, govern's ledger and Alembic's version table."""

COVERAGE = tuple(
    Coverage(kind=kind, is_covered=True, sources=("sqlite_master",))
    for kind in ("column", "constraint", "index", "table", "trigger", "view")
)
"""Everything that SQLite's CREATE statements make; a virtual table is a table."""

_COLUMNS = """
SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.hidden
FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND c.hidden <> 1
"""
_SHADOW_TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
_TABLE_LIST_SINCE = (3, 37)


class _Stored(NamedTuple):
    """A row of ``sqlite_master``."""

    type: str
    name: str
    table: str
    sql: str


class _Column(NamedTuple):
    """A row of ``PRAGMA table_xinfo``."""

    table: str
    name: str
    type: str
    not_null: int
    default: str | None
    hidden: int


def read_snapshot(connection: Connection, table: VersionTable) -> Snapshot:
    """Every schema-defining fact, but for Alembic's version ``table`` and govern's own tables.

    Namespaces are empty. Two texts that differ in spelling alone (white space, comments, quotes, the case of
    reserved words, a constraint written with its column or with the table) give the same facts.
    """
    with connection.transaction("BEGIN"):
        version = str(connection.value("SELECT sqlite_version()"))
        stored = [_Stored(*row) for row in connection.rows(own_objects_sql(table))]
        columns = defaultdict(list)
        for row in connection.rows(_COLUMNS):
            columns[row[0]].append(_Column(*row))
        shadows = _read_shadow_tables(connection, version)
    objects: dict[ObjectKey, Facts] = {}
    for item in stored:
        if item.table not in shadows:
            objects |= _describe(item, columns[item.name])
    return Snapshot(dialect="sqlite", server_version=version, objects=objects)


def own_objects_sql(table: VersionTable) -> str:
    """The query for the rows of ``sqlite_master`` that are the project's."""
    literal = "'" + table.name.replace("'", "''") + "'"
    return OWN_OBJECTS.replace("/*version table*/", literal)


def _read_shadow_tables(connection: Connection, version: str) -> frozenset[str]:
    """Where a virtual table keeps its rows; SQLite makes them with it."""
    if tuple(int(number) for number in version.split(".")[:2]) < _TABLE_LIST_SINCE:
        return frozenset()
    return frozenset(name for (name,) in connection.rows(_SHADOW_TABLES))


def _describe(item: _Stored, columns: list[_Column]) -> dict[ObjectKey, Facts]:
    if item.type == "index":
        return {ObjectKey("index", "", join_name(item.table, item.name)): _index_facts(item.sql)}
    definition = text_of(tokens(item.sql))
    if item.type == "trigger":
        return {ObjectKey("trigger", "", join_name(item.table, item.name)): {"definition": definition}}
    if item.type == "view":
        return {ObjectKey("view", "", item.name): {"definition": definition}}
    if definition.upper().startswith("CREATE VIRTUAL TABLE"):
        return {ObjectKey("table", "", item.name): {"definition": definition}}
    return _describe_table(item.name, read_table_text(item.sql), columns)


def _describe_table(name: str, text: TableText, columns: Iterable[_Column]) -> dict[ObjectKey, Facts]:
    objects: dict[ObjectKey, Facts] = {
        ObjectKey("table", "", name): {"options": text.options} if text.options else {}
    }
    for column in columns:
        facts = _column_facts(column, text.columns.get(column.name, ColumnText()))
        objects[ObjectKey("column", "", join_name(name, column.name))] = facts
    for title, constraint_facts in _constraints(text):
        objects[ObjectKey("constraint", "", join_name(name, title))] = constraint_facts
    return objects


def _column_facts(column: _Column, text: ColumnText) -> Facts:
    facts: dict[str, str | bool | None] = {
        "type": text_of(tokens(column.type)).upper(),
        "nullable": not column.not_null,
        "default": _default(column.default),
        "collation": text.collation,
        "generated": text.generated,
        "generated_kind": {2: "virtual", 3: "stored"}.get(column.hidden),
        "on_null": text.on_null,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _default(text: str | None) -> str | None:
    """``DEFAULT NULL`` is no default, and ``DEFAULT ((0))`` is ``DEFAULT (0)``."""
    parts = tokens(text or "")
    while parts[:1] == ("(",) and closing(parts, 0) == len(parts) - 1:
        parts = parts[1:-1]
    default = text_of(parts)
    return default if default and default.upper() != "NULL" else None


def _constraints(text: TableText) -> Iterator[tuple[str, Facts]]:
    """(title, facts); SQLite allows two of one name, the second then gets a number. One said twice is one."""
    seen: dict[str, int] = defaultdict(int)
    for constraint in dict.fromkeys(text.constraints):
        title = constraint.title
        seen[title] += 1
        if seen[title] > 1:
            title = f"{title} {seen[title]}"
        yield title, {"type": constraint.type, "definition": constraint.definition}


def _index_facts(sql: str) -> Facts:
    """``CREATE [UNIQUE] INDEX name ON table (columns) [WHERE …]``."""
    parts = tokens(sql)
    after_table = next(at for at in range(len(parts)) if parts[at] == "ON") + 2
    end = closing(parts, after_table)
    facts: dict[str, str | bool | tuple[str, ...]] = {
        "columns": tuple(_index_column(column) for column in split_top(parts[after_table + 1 : end]))
    }
    if parts[1] == "UNIQUE":
        facts["unique"] = True
    if where := parts[end + 2 :]:
        facts["where"] = text_of(where)
    return facts


def _index_column(parts: tuple[str, ...]) -> str:
    """``a`` and ``a ASC`` are one order."""
    order = parts[-1].upper()
    if len(parts) > 1 and order in ("ASC", "DESC"):
        parts = parts[:-1] if order == "ASC" else (*parts[:-1], order)
    return text_of(parts)
