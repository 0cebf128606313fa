"""Columns of another type in PostgreSQL: asked row by row where one of them fails, and given back by a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from govern.core.conversion import Conversion, Misfits, Proof, Why
from govern.core.identifiers import quote, quote_place
from govern.core.schema_repair import KeptValues
from govern.database.connection import Connection
from govern.database.postgresql import server
from govern.database.postgresql.row_repairs import SETTINGS, explained
from govern.database.row_spelling import RowTransaction
from govern.database.url import DatabaseUrl

_TRIED = """
CREATE FUNCTION pg_temp.govern_try(r {table}) RETURNS text[] LANGUAGE plpgsql AS {body}
"""
_BODY = """
#variable_conflict use_column
DECLARE new text; said text;
BEGIN
  BEGIN
    SELECT CASE WHEN num_nulls(q.v) = 0 THEN pg_catalog.format('%s', q.v) END INTO new
    FROM (SELECT (r).*) AS {alias}, LATERAL (SELECT CAST(({by}) AS {to}) AS v) AS q;
  EXCEPTION WHEN others THEN
    RETURN ARRAY['fails', SQLERRM];
  END;
  BEGIN
    SELECT {verdict} INTO said FROM (SELECT (r).{column} AS old, CAST(new AS {to}) AS new) AS q;
  EXCEPTION WHEN others THEN
    RETURN ARRAY['respelled', ''];
  END;
  RETURN ARRAY[said, ''];
END
"""
_VERDICT = """CASE
  WHEN num_nulls(new) = 1 AND num_nulls(old) = 0 THEN 'becomes-null'
  WHEN num_nulls(new) = 1 AND NOT {takes_null} THEN 'is-null'
  WHEN num_nulls(old) = 0
    AND pg_catalog.format('%s', CAST(pg_catalog.format('%s', new) AS {was})) <> pg_catalog.format('%s', old)
    THEN 'respelled' END"""
_AT_ONCE = """
SELECT count(*) FROM (SELECT {column} AS old, CAST(({by}) AS {to}) AS new FROM {table}) AS q
WHERE {verdict} IS NOT NULL
"""
_ASKED = """
SELECT govern_said[1], CASE WHEN govern_said[1] = 'fails' THEN {shown} ELSE '' END, count(*),
  (array_agg({key} ORDER BY {key}))[1:{examples}]
FROM (SELECT pg_temp.govern_try({alias}) AS govern_said, {alias}.* FROM {table} AS {alias}) AS {alias}
WHERE govern_said[1] IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
_SHOWN = r"""pg_catalog.regexp_replace(pg_catalog.regexp_replace(govern_said[2], ': ".*$', ''), '"[^"]*"', '…', 'g')"""
"""What the server said, without the value."""
_COUNT = "SELECT count(*) FROM {table}"


def cast(column: str, was: str, to: str) -> str:
    """By way of the value's text, which every type has, where its own cast is another thing than its text."""
    del was
    return f"{column}::text::{to}"


def prove(url: DatabaseUrl, conversion: Conversion, key: Sequence[str], *, examples: int) -> Proof:
    """All at once; row by row where that fails, to say which rows it is."""
    with server.connect(url) as connection, explained(connection), connection.transaction():
        for name, value in SETTINGS.items():
            connection.rows("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        connection.execute(_write_function(conversion))
        connection.execute("SET TRANSACTION READ ONLY")
        rows = int(connection.value(_COUNT.format(table=quote_place(conversion.place))))
        if _fits(connection, conversion):
            return Proof(rows=rows)
        return Proof(rows=rows, misfits=tuple(_find_misfits(connection, conversion, key, examples)))


def keep_values(work: RowTransaction, run: str, kept: KeptValues, converted: Sequence[Conversion]) -> None:
    """A table of keys with the value before and after, and a function that finds the former."""
    connection, spelling = work
    spelling.prepare_records(connection)
    own = {one.column: f"CAST(({one.by}) AS {one.to})" for one in converted if one.place == kept.place}
    table = spelling.copy_of(run, kept.number)
    keys = [spelling.store(own.get(name, quote(name))) for name in kept.key]
    fields = [f"k{number} text" for number, _ in enumerate(kept.key)]
    column = quote(kept.column)
    connection.execute(f"CREATE TABLE {table} ({', '.join((*fields, 'was text', 'became text'))})")
    connection.execute(
        f"INSERT INTO {table} SELECT {', '.join(keys)}, {spelling.store(column)}, {spelling.store(own[kept.column])} "  # noqa: S608
        f"FROM {quote_place(kept.place)} WHERE num_nulls({column}) = 0"
    )
    names = [f"k{number}" for number, _ in enumerate(kept.key)]
    connection.execute(f"CREATE INDEX ON {table} ({', '.join(names)})")
    now = f"${len(names) + 1}"
    found = " AND ".join(f"{name} = ${number}" for number, name in enumerate(names, 1))
    body = f"SELECT coalesce((SELECT was FROM {table} WHERE {found} AND became = {now} LIMIT 1), {now})"  # noqa: S608
    arguments = ", ".join("text" for _ in range(len(names) + 1))
    connection.execute(
        f"CREATE FUNCTION {_function(run, kept)}({arguments}) RETURNS text LANGUAGE sql STABLE "
        f"AS {sql.Literal(body).as_string(None)}"
    )


def give_back(run: str, kept: KeptValues) -> str:
    """For the rows that are still as the conversion left them; others are cast."""
    arguments = ", ".join(f"{quote(name)}::text" for name in (*kept.key, kept.column))
    return f"{_function(run, kept)}({arguments})"


def forget_values(work: RowTransaction, run: str, kept: KeptValues) -> None:
    connection, spelling = work
    arguments = ", ".join("text" for _ in range(len(kept.key) + 1))
    connection.execute(f"DROP FUNCTION {_function(run, kept)}({arguments})")
    connection.execute(f"DROP TABLE {spelling.copy_of(run, kept.number)}")


def _function(run: str, kept: KeptValues) -> str:
    return quote_place(("govern_backup", f"{run}_{kept.number}_was"))


def _fits(connection: Connection, conversion: Conversion) -> bool:
    query = _AT_ONCE.format(
        column=quote(conversion.column),
        by=conversion.by,
        to=conversion.to,
        table=quote_place(conversion.place),
        verdict=_verdict(conversion),
    )
    connection.execute("SAVEPOINT at_once")
    try:
        return not connection.value(query)
    except psycopg.Error:
        connection.execute("ROLLBACK TO SAVEPOINT at_once")
        return False


def _find_misfits(
    connection: Connection, conversion: Conversion, key: Sequence[str], examples: int
) -> Iterator[Misfits]:
    alias = quote(conversion.place[1])
    names = ", ', ', ".join(f"{alias}.{quote(name)}" for name in key) or "'?'"
    query = _ASKED.format(
        shown=_SHOWN,
        key=f"concat({names})",
        examples=examples,
        alias=alias,
        table=quote_place(conversion.place),
    )
    for why, said, rows, keys in connection.rows(query):
        known: Why = why
        shown = tuple(keys) if key else ()
        yield Misfits(conversion=conversion, why=known, rows=rows, examples=shown, said=said)


def _verdict(conversion: Conversion) -> str:
    return _VERDICT.format(takes_null="true" if conversion.takes_null else "false", was=conversion.was)


def _write_function(conversion: Conversion) -> str:
    body = _BODY.format(
        by=conversion.by,
        to=conversion.to,
        alias=quote(conversion.place[1]),
        column=quote(conversion.column),
        verdict=_verdict(conversion),
    )
    return _TRIED.format(table=quote_place(conversion.place), body=sql.Literal(body).as_string(None))
