"""Rows from files, written into a scratch copy of the live schema: the server turns their text into its types.

The text of all cells comes first, by COPY, into a temporary table; one INSERT then casts it. Only where that fails
each cell is asked about by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import psycopg
from psycopg import sql

from govern.core.exports import BadCell, Column, Kind, StagedRow, Tables, cut_short
from govern.core.restoration import Place
from govern.database.connection import Connection
from govern.database.version_table import VersionTable

# -1 stands for no limit: a cast to varchar(20) would cut the text off, an assignment refuses it
_COLUMNS = """
SELECT n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
  CASE WHEN t.typtype = 'd' THEN domain_base.typname ELSE t.typname END::text,
  CASE WHEN t.typtype = 'd' THEN domain_base.typcategory ELSE t.typcategory END::text,
  NOT a.attnotnull AND NOT t.typnotnull,
  a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
  a.attgenerated <> '',
  EXISTS (
    SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
  ),
  CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4
    WHEN domain_base.typname IN ('varchar', 'bpchar') AND t.typtypmod > 4 THEN t.typtypmod - 4 END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type domain_base ON domain_base.oid = t.typbasetype
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
  AND (c.relname <> %s OR n.nspname <> coalesce(%s, n.nspname))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2, a.attnum
"""
_FOREIGN_KEYS = """
SELECT n.nspname::text, c.relname::text, o.conname::text
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE o.contype = 'f' AND o.conparentid = 0 AND o.coninhcount = 0
"""
_TRIGGERED = """
SELECT DISTINCT n.nspname::text, c.relname::text
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND c.relkind IN ('r', 'p')
"""
# what a column's text is cast to, and the default where a row has none
_CASTS = """
SELECT a.attname::text, pg_catalog.format_type(a.atttypid, -1),
  CASE WHEN a.attidentity <> ''
    THEN pg_catalog.format('pg_catalog.nextval(%%L::regclass)', pg_catalog.pg_get_serial_sequence(
      pg_catalog.format('%%I.%%I', n.nspname, c.relname), a.attname::text))
    ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated = ''
WHERE n.nspname = %s AND c.relname = %s
"""
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "statement_timeout": "0",
}
_ROWS = sql.Identifier("pg_temp", "govern_rows")
_WHY_NOT = """
CREATE OR REPLACE FUNCTION pg_temp.govern_why_not(value text, type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE pg_catalog.format('SELECT CAST($1 AS %s)', type) USING value;
  RETURN NULL;
EXCEPTION WHEN others THEN
  RETURN SQLERRM;
END
$$
"""
_EXAMPLES = 5
"""Of what is wrong with one column, so many rows are named."""

_NEVER_MISFIT = frozenset({"text", "character varying"})
_DETAIL = 200  # of a failing row the server shows all

_KINDS: dict[str, Kind] = {
    "bool": "boolean",
    "bytea": "bytes",
    "date": "date",
    "json": "json",
    "jsonb": "json",
    "timestamp": "moment",
    "timestamptz": "zoned-moment",
}
_CATEGORIES: dict[str, Kind] = {"A": "array", "N": "number", "S": "text"}


def read_columns(connection: Connection, table: VersionTable) -> Tables:
    """Of every table that rows can be written to, partitioned ones among them, but no partition."""
    tables: dict[Place, list[Column]] = defaultdict(list)
    for (
        namespace,
        name,
        column,
        written,
        base,
        category,
        nullable,
        default,
        computed,
        key,
        length,
    ) in connection.rows(_COLUMNS, (table.name, table.namespace)):
        tables[namespace, name].append(
            Column(
                name=column,
                type=written,
                kind=_KINDS.get(base) or _CATEGORIES.get(category, "other"),
                is_nullable=nullable,
                has_default=default,
                is_computed=computed,
                is_key=key,
                max_length=length,
            )
        )
    return {place: tuple(columns) for place, columns in tables.items()}


def release_rows(connection: Connection) -> None:
    """Lets a scratch copy take rows in any order, and each as it is: no references, no triggers."""
    for namespace, table, constraint in connection.rows(_FOREIGN_KEYS):
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(namespace, table), sql.Identifier(constraint)
            )
        )
    for namespace, table in connection.rows(_TRIGGERED):
        connection.execute(
            sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(namespace, table))
        )


def stage_rows(
    connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
) -> tuple[int, tuple[BadCell, ...]]:
    """Writes the rows, all or none; returns how many, and what is wrong with them.

    ``columns`` are those that the rows may have cells of; all others get their defaults.
    """
    for name, value in _SETTINGS.items():
        connection.rows("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    names = tuple(column.name for column in columns)
    with _LoadedRows(connection, names, rows) as loaded:
        casts = {name: (to, default) for name, to, default in connection.rows(_CASTS, place)}
        try:
            with connection.transaction():
                connection.execute(loaded.insertion(place, casts))
        except psycopg.Error as error:
            found = tuple(chain(loaded.find_missing(columns, casts), loaded.find_misfits(names, casts)))
            return 0, found or (_of_server(error),)
        return loaded.count, ()


class _LoadedRows:
    """The text of all cells in a temporary table of the session, for as long as its context lasts."""

    def __init__(self, connection: Connection, names: tuple[str, ...], rows: Iterable[StagedRow]) -> None:
        self.count = 0
        self._connection = connection
        self._cells = {name: sql.Identifier(f"c{position}") for position, name in enumerate(names)}
        self._incomplete: set[str] = set()
        self._rows = rows

    def __enter__(self) -> _LoadedRows:
        cells = (sql.SQL("{} text").format(cell) for cell in self._cells.values())
        fields = sql.SQL(", ").join([sql.SQL("number bigint, line bigint, lacks text[]"), *cells])
        self._connection.execute(sql.SQL("CREATE TEMPORARY TABLE govern_rows ({})").format(fields))
        try:
            driver: Any = self._connection.driver
            with driver.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_ROWS)) as copy:
                for row in self._rows:
                    copy.write_row(self._write(row))
            self._connection.execute(sql.SQL("ANALYZE {}").format(_ROWS))
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def _drop(self) -> None:
        with suppress(psycopg.Error):  # the session is gone, and the table with it
            self._connection.execute(sql.SQL("DROP TABLE {}").format(_ROWS))

    def _write(self, row: StagedRow) -> list[Any]:
        lacks = [name for name in self._cells if name not in row.cells]
        self._incomplete.update(lacks)
        self.count += 1
        return [row.number, row.line, lacks, *(row.cells.get(name) for name in self._cells)]

    def insertion(self, place: Place, casts: dict[str, tuple[str, str | None]]) -> sql.Composed:
        return sql.SQL(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} ORDER BY number"
        ).format(
            sql.Identifier(*place),
            sql.SQL(", ").join(map(sql.Identifier, self._cells)),
            sql.SQL(", ").join(self._value(name, *casts[name]) for name in self._cells),
            _ROWS,
        )

    def _value(self, name: str, to: str, default: str | None) -> sql.Composable:
        """The cell as its type, or the default for a row that has no such cell."""
        # the type and the default are the server's own words for them
        cast: sql.Composable = sql.SQL("CAST({} AS {})").format(self._cells[name], _verbatim(to))
        if name not in self._incomplete or default is None:
            return cast
        lacking = sql.SQL("{} = ANY (lacks)").format(sql.Literal(name))
        return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(lacking, _verbatim(default), cast)

    def find_missing(
        self, columns: Sequence[Column], casts: dict[str, tuple[str, str | None]]
    ) -> Iterator[BadCell]:
        """Rows without a value where there has to be one."""
        for column in columns:
            if column.is_nullable:
                continue
            has_default = sql.Literal(casts[column.name][1] is not None)
            condition = sql.SQL("{} IS NULL AND NOT ({} AND {} = ANY (lacks))").format(
                self._cells[column.name], has_default, sql.Literal(column.name)
            )
            query = sql.SQL("SELECT number, line FROM {} WHERE {} ORDER BY number LIMIT {}")
            for number, line in self._connection.rows(query.format(_ROWS, condition, _EXAMPLES)):
                yield BadCell(
                    number=number, line=line, column=column.name, value=None, why="it must have a value"
                )

    def find_misfits(
        self, names: Iterable[str], casts: dict[str, tuple[str, str | None]]
    ) -> Iterator[BadCell]:
        """Cells that the server does not take for the column's type, with its words."""
        self._connection.execute(_WHY_NOT)
        query = sql.SQL(
            "SELECT number, line, cell, why FROM (SELECT number, line, {cell} AS cell, "
            "pg_temp.govern_why_not({cell}, {type}) AS why FROM {rows} WHERE {cell} IS NOT NULL) AS asked "
            "WHERE why IS NOT NULL ORDER BY number LIMIT {limit}"
        )
        for name in names:
            if casts[name][0] in _NEVER_MISFIT:
                continue
            asked = query.format(
                cell=self._cells[name], type=sql.Literal(casts[name][0]), rows=_ROWS, limit=_EXAMPLES
            )
            for number, line, cell, why in self._connection.rows(asked):
                yield BadCell(number=number, line=line, column=name, value=cut_short(cell), why=why)


def _verbatim(text: str) -> sql.Composable:
    return sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()


def _of_server(error: psycopg.Error) -> BadCell:
    """What no cell by itself explains: a key that is there twice, a check constraint."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    detail = error.diag.message_detail
    return BadCell(
        number=None,
        column=error.diag.column_name,
        value=None,
        why=f"{said} ({cut_short(detail, _DETAIL)})" if detail else said,
    )
