"""A row in each table of a scratch copy, where one can be made up: what cannot be done to rows is found there."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from govern.database.connection import Connection

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> '' OR a.atthasdef, CASE
  WHEN e.enumlabel IS NOT NULL THEN e.enumlabel::text
  WHEN t.typcategory = 'A' THEN '{}'
  WHEN t.typtype = 'm' THEN '{}'
  WHEN t.typcategory = 'R' THEN '(,)'
  WHEN t.typcategory = 'N' THEN '42'
  WHEN t.typcategory = 'B' THEN 'true'
  WHEN t.typname IN ('time', 'timetz') THEN '12:00'
  WHEN t.typcategory = 'D' THEN '2024-01-01'
  WHEN t.typcategory = 'T' THEN '1 day'
  WHEN t.typcategory = 'I' THEN '127.0.0.1'
  WHEN t.typname IN ('json', 'jsonb') THEN '{}'
  WHEN t.typname = 'uuid' THEN '00000000-0000-0000-0000-000000000001'
  WHEN t.typcategory = 'V' THEN '1'
  WHEN t.typcategory = 'C' THEN NULL
  ELSE '42'
END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type own ON own.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
LEFT JOIN LATERAL (
  SELECT l.enumlabel FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder LIMIT 1
) e ON true
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""
# then neither triggers nor foreign keys look; superusers alone may
_AS_A_REPLICA = """
SELECT set_config('session_replication_role', %s, true)
FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper
"""
_TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
ORDER BY 1, 2
"""


def find_tables(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(namespace, name) of every table that holds rows itself."""
    return tuple((str(namespace), str(name)) for namespace, name in connection.rows(_TABLES))


def find_filled_tables(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Those that have a row the role may see."""
    filled = []
    for names in find_tables(connection):
        query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {})").format(sql.Identifier(*names))
        try:
            if connection.value(query):
                filled.append(names)
        except psycopg.errors.InsufficientPrivilege:
            continue
    return tuple(filled)


def seed_rows(connection: Connection, tables: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Inserts a row into each of ``tables`` that takes one; returns those. Nothing refers to it, nothing fires."""
    with connection.transaction():
        return tuple(names for names in tables if _try_each(connection, names))


def drop_rows(connection: Connection, tables: Iterable[tuple[str, str]]) -> None:
    """Empties tables of what ``seed_rows`` inserted; nothing fires."""
    with connection.transaction():
        for names in sorted(tables):
            connection.execute(_AS_A_REPLICA, ("replica",))
            connection.execute(sql.SQL("DELETE FROM ONLY {}").format(sql.Identifier(*names)))
            connection.execute(_AS_A_REPLICA, ("origin",))


def _try_each(connection: Connection, names: tuple[str, str]) -> bool:
    """With a value for every column, else with those alone that need one."""
    columns = connection.rows(_COLUMNS, (sql.Identifier(*names).as_string(),))
    every = [(name, type_name, value) for name, type_name, _, _, value in columns]
    needed = [(name, type_name, value) for name, type_name, is_needed, has_default, value in columns
              if is_needed and not has_default]  # fmt: skip
    return _try(connection, names, every) or _try(connection, names, needed)


def _try(connection: Connection, names: tuple[str, str], columns: list[tuple[str, str, str | None]]) -> bool:
    table = sql.Identifier(*names)
    if columns:
        statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            table,
            sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in columns),
            sql.SQL(", ").join(
                sql.SQL("CAST({} AS {})").format(sql.Literal(value), sql.SQL(type_name))
                for _, type_name, value in columns
            ),
        )
    else:
        statement = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table)
    connection.execute("SAVEPOINT seed")
    try:
        connection.execute(_AS_A_REPLICA, ("replica",))
        connection.execute(statement)
        connection.execute(_AS_A_REPLICA, ("origin",))
    except psycopg.Error:
        connection.execute("ROLLBACK TO SAVEPOINT seed")
        return False
    connection.execute("RELEASE SAVEPOINT seed")
    return True
