"""What a PostgreSQL database carries, read within a time that is known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from govern.core.health import EXACT_ROWS, Load, RowCount, Storage
from govern.core.snapshot import join_name, split_name
from govern.database.monitor_record import PROBED
from govern.database.probed import read_newest

if TYPE_CHECKING:
    from govern.core.probed import Probed
    from govern.database.connection import Connection

_LOCK_TIMEOUT = "200ms"
_STATEMENT_TIMEOUT = "400ms"
_BEGIN = "BEGIN READ ONLY"

# each table with all that hangs below it; pg_partition_tree() would wait for whoever has a partition locked
_WANTED = """
FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS wanted (namespace, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.namespace
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
CROSS JOIN LATERAL (
  WITH RECURSIVE tree (oid) AS (
    SELECT c.oid
    UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent
  )
  SELECT l.oid, CASE WHEN l.relkind <> 'p' THEN l.reltuples END AS reltuples,
    pg_catalog.pg_stat_get_live_tuples(l.oid) AS alive
  FROM tree JOIN pg_catalog.pg_class l ON l.oid = tree.oid AND (l.relkind <> 'p' OR l.oid = c.oid)
) AS part
"""

# takes no lock. reltuples is -1 for what was never vacuumed or analysed, before PostgreSQL 14 it is 0. Who may not
# read a table, or sees some of its rows only, counts nothing.
_ESTIMATES = f"""
SELECT n.nspname, c.relname,
  sum(CASE WHEN part.reltuples > 0 THEN part.reltuples::bigint ELSE nullif(part.alive, 0) END)::bigint,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT pg_catalog.row_security_active(c.oid) AND (
    pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
{_WANTED}
GROUP BY n.oid, n.nspname, c.oid, c.relname
"""

_STORAGE = f"""
SELECT n.nspname, c.relname, sum(pg_catalog.pg_total_relation_size(part.oid))::bigint,
  max(greatest(pg_catalog.pg_stat_get_last_analyze_time(part.oid),
               pg_catalog.pg_stat_get_last_autoanalyze_time(part.oid)))
{_WANTED}
GROUP BY n.nspname, c.relname
"""

# what everybody may see; of a session that waits only its number and database are asked
_LOAD = """
SELECT
  (SELECT sum(numbackends)::int FROM pg_catalog.pg_stat_database),
  pg_catalog.current_setting('max_connections')::int,
  (SELECT count(DISTINCT l.pid)::int FROM pg_catalog.pg_locks l
   JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
   WHERE NOT l.granted AND a.datname = pg_catalog.current_database())
"""
_DATABASE_BYTES = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"

# of what is there and may be read; a table that is missing cannot be named in the statement that asks for it
_RECORDS = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'govern' AND c.relname IN ('monitor', 'runs')
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
"""
_DOCUMENT = "SELECT document::text FROM govern.monitor WHERE name = %s"
_NEWEST_RUN = """
SELECT jsonb_build_object(
  'command', run -> 'command', 'finished_at', run -> 'finished_at', 'probes', coalesce(run -> 'probes', '[]'))::text
FROM govern.runs ORDER BY position DESC LIMIT 1
"""


def read_probed(connection: Connection) -> Probed | None:
    """How the application last answered its probes; None where that is not known, or not for this role."""
    with _bounded(connection) as found:
        readable = {name for (name,) in connection.rows(_RECORDS)}
        document = connection.value(_DOCUMENT, (PROBED,)) if "monitor" in readable else None
        run = connection.value(_NEWEST_RUN) if "runs" in readable else None
        found.append((document, run))
    return read_newest(*found[0]) if found else None


def read_row_counts(connection: Connection, tables: Iterable[str]) -> Mapping[str, RowCount]:
    """Rows of each table by full name; one that is not there is left out.

    A table is counted up to EXACT_ROWS; what is larger, locked by somebody, not to be read by the role or subject
    to row security has the server's estimate.
    """
    known = {
        join_name(namespace, name): (estimate, is_readable)
        for namespace, name, estimate, is_readable in connection.rows(_ESTIMATES, _names(tables))
    }
    counted = _count(connection, [name for name, (_, is_readable) in known.items() if is_readable])
    return {name: _weigh(counted.get(name), estimate) for name, (estimate, _) in known.items()}


def read_storage(connection: Connection, tables: Iterable[str]) -> Mapping[str, Storage]:
    """Of each table that is there; nothing where one of them stays locked."""
    with _bounded(connection) as rows:
        rows += connection.rows(_STORAGE, _names(tables))
    return {
        join_name(namespace, name): Storage(bytes=size, analysed_at=analysed_at)
        for namespace, name, size, analysed_at in rows
    }


def read_load(connection: Connection) -> Load:
    """Connections are the whole server's; what the role may not measure is None."""
    with _bounded(connection) as sizes:
        sizes += connection.rows(_DATABASE_BYTES)
    [(used, most, waiting)] = connection.rows(_LOAD)
    return Load(
        bytes=sizes[0][0] if sizes else None,
        connections=used,
        most_connections=most,
        locks_waiting=waiting,
    )


def _weigh(counted: int | None, estimate: int | None) -> RowCount:
    if counted is None:
        return RowCount(rows=estimate, is_estimate=True)
    if counted <= EXACT_ROWS:
        return RowCount(rows=counted)
    return RowCount(rows=max(estimate or 0, counted), is_estimate=True)


def _count(connection: Connection, tables: list[str]) -> Mapping[str, int]:
    """Rows of each up to one more than EXACT_ROWS; nothing where that does not end in time."""
    from psycopg import sql

    if not tables:
        return {}
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, (SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS first)").format(
            sql.Literal(table), sql.Identifier(*split_name(table)), sql.Literal(EXACT_ROWS + 1)
        )
        for table in tables
    )
    with _bounded(connection) as rows:
        rows += connection.rows(query)
    return {str(name): int(count) for name, count in rows}


@contextmanager
def _bounded(connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    """A list to put rows into: it stays empty where the server ends the statement, or the role may not run it."""
    from psycopg import errors

    rows: list[tuple[Any, ...]] = []
    too_much = (errors.LockNotAvailable, errors.QueryCanceled, errors.InsufficientPrivilege)
    with suppress(*too_much), connection.transaction(_BEGIN):
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
        yield rows


def _names(tables: Iterable[str]) -> tuple[list[str], list[str]]:
    """Namespaces and names, as two columns."""
    parts = [split_name(table) for table in tables]
    return [part[0] for part in parts], [part[-1] for part in parts]
