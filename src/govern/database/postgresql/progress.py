"""``govern.progress``: what revisions that commit midway have committed so far. The child writes it, see
``revisions/child/progress.py``; here it is read, and forgotten when it has served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from govern.core.progress import LeftoverIndex, NotedStatement
from govern.database.postgresql.ledger_name import in_ledger

if TYPE_CHECKING:
    from govern.database.connection import Connection

CREATE = """
CREATE TABLE {ledger}.progress (
    revision text NOT NULL,
    position integer NOT NULL,
    run text NOT NULL,
    sql text NOT NULL,
    digest text NOT NULL,
    state text NOT NULL,
    has_rows boolean NOT NULL,
    indexes bigint[],
    PRIMARY KEY (revision, position)
)
"""

# for SQLAlchemy's text(); all indexes there are before a statement that may leave an invalid one
_NOTE = """
INSERT INTO {ledger}.progress AS p (revision, position, run, sql, digest, state, has_rows, indexes)
VALUES (:revision, CAST(:position AS integer), :run, :sql, :digest, CAST(:state AS text), CAST(:has_rows AS boolean),
  CASE WHEN CAST(:state AS text) = 'begun'
    THEN (SELECT pg_catalog.array_agg(CAST(indexrelid AS bigint)) FROM pg_catalog.pg_index) END)
ON CONFLICT (revision, position) DO UPDATE SET run = excluded.run, sql = excluded.sql, digest = excluded.digest,
  state = excluded.state, has_rows = excluded.has_rows, indexes = coalesce(p.indexes, excluded.indexes)
"""
_MAY_NOTE = """
SELECT pg_catalog.to_regclass('{ledger}.progress') IS NOT NULL
  AND CASE WHEN pg_catalog.has_schema_privilege('{name}', 'USAGE')
    THEN pg_catalog.has_table_privilege('{ledger}.progress', 'INSERT, UPDATE') ELSE false END
"""
_EXISTS = "SELECT to_regclass('{ledger}.progress') IS NOT NULL"
_READ = """
SELECT revision, position, sql, digest, state, has_rows FROM {ledger}.progress
WHERE revision = ANY (%s) ORDER BY revision, position
"""
_FORGET = "DELETE FROM {ledger}.progress WHERE revision = ANY (%s)"
# an index whose build goes on is in pg_stat_progress_create_index
_LEFTOVERS = """
SELECT DISTINCT n.nspname, t.relname, c.relname
FROM {ledger}.progress p
JOIN pg_catalog.pg_index i ON NOT i.indisvalid AND NOT i.indexrelid::bigint = ANY (p.indexes)
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.revision = ANY (%s) AND p.state = 'begun'
  AND (pg_catalog.strpos(p.sql, c.relname) > 0 OR pg_catalog.strpos(p.sql, t.relname) > 0)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index b WHERE b.index_relid = i.indexrelid)
ORDER BY 1, 3
"""


def note_statements(schema: str | None) -> Mapping[str, str]:
    """What the child needs to write it: ``note`` for SQLAlchemy's text(), ``may_note`` to be asked first."""
    statements = {"note": _NOTE.strip(), "may_note": " ".join(_MAY_NOTE.split())}
    return {name: in_ledger(statement, schema) for name, statement in statements.items()}


def read_progress(connection: Connection, steps: Iterable[str]) -> tuple[NotedStatement, ...]:
    if not connection.value(in_ledger(_EXISTS, connection.schema)):
        return ()
    names = ("step", "position", "sql", "digest", "state", "has_rows")
    rows = connection.rows(in_ledger(_READ, connection.schema), (list(steps),))
    return tuple(NotedStatement(**dict[str, Any](zip(names, row, strict=True))) for row in rows)


def forget_progress(connection: Connection, steps: Iterable[str]) -> None:
    if connection.value(in_ledger(_EXISTS, connection.schema)):
        connection.execute(in_ledger(_FORGET, connection.schema), (list(steps),))


def find_leftover_indexes(connection: Connection, steps: Iterable[str]) -> tuple[LeftoverIndex, ...]:
    """Invalid indexes that these steps' own builds left: not there before, and named in the statement."""
    if not connection.value(in_ledger(_EXISTS, connection.schema)):
        return ()
    rows = connection.rows(in_ledger(_LEFTOVERS, connection.schema), (list(steps),))
    found = (LeftoverIndex(*row) for row in rows)
    # another tenant's index of that name is that one's
    return tuple(one for one in found if connection.schema in (None, one.namespace))


def drop_leftover_index(connection: Connection, index: LeftoverIndex) -> None:
    """Without standing in anybody's way."""
    from psycopg import sql

    name = sql.Identifier(index.namespace, index.name)
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))
