"""Open transactions of other sessions, and prepared ones: what they hold, and since when. Never what they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from govern.core.session import OpenTransaction
from govern.core.snapshot import split_name
from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.database.connection import Connection

# A change of the schema has a transaction id and, until it commits, holds a strong lock on a lasting relation (or on
# one that only it can see yet), on a type or a function, or the lock under which something is made in a schema. What
# concerns temporary tables alone is nobody's business; those of this transaction are in a namespace that cannot be
# seen. The lock on a catalog mostly ends with the statement. REFRESH and ANALYZE change no schema.
_WEAK = "('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')"
_UNCOMMITTED = f"""
WITH held AS (
  SELECT l.virtualtransaction, l.pid, CASE
    WHEN c.oid IS NOT NULL THEN c.nspname || '.' || c.relname
    WHEN t.oid IS NOT NULL THEN t.nspname || '.' || t.typname
    WHEN p.oid IS NOT NULL THEN p.nspname || '.' || p.proname
    WHEN n.oid IS NOT NULL THEN 'schema ' || n.nspname END AS what
  FROM pg_catalog.pg_locks l
  LEFT JOIN (SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relpersistence <> 't' AND c.relkind <> 'm'
        AND n.nspname !~ '^pg_(temp|toast)' AND n.nspname <> 'information_schema'
        AND c.relname !~ '^pg_(statistic|largeobject)') c
    ON l.locktype = 'relation' AND c.oid = l.relation
      AND CASE WHEN c.nspname = 'pg_catalog' THEN l.mode <> 'AccessShareLock' ELSE l.mode NOT IN {_WEAK} END
  LEFT JOIN (SELECT t.oid, n.nspname, t.typname FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_') t
    ON l.locktype = 'object' AND l.classid = 'pg_catalog.pg_type'::regclass AND t.oid = l.objid
      AND l.mode IN ('ExclusiveLock', 'AccessExclusiveLock')
  LEFT JOIN (SELECT p.oid, n.nspname, p.proname FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_') p
    ON l.locktype = 'object' AND l.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = l.objid
      AND l.mode = 'AccessExclusiveLock'
  LEFT JOIN pg_catalog.pg_namespace n
    ON l.locktype = 'object' AND l.classid = 'pg_catalog.pg_namespace'::regclass AND n.oid = l.objid
      AND n.nspname !~ '^pg_'
  WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
)
SELECT a.pid, NULL, a.usename::text, nullif(a.application_name, ''), a.state,
  extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8, array_agg(DISTINCT h.what ORDER BY h.what)
FROM held h JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
WHERE h.what IS NOT NULL AND a.usesysid IS NOT NULL
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
  AND EXISTS (SELECT FROM pg_catalog.pg_locks x WHERE x.locktype = 'transactionid' AND x.granted
    AND x.mode = 'ExclusiveLock' AND x.virtualtransaction = h.virtualtransaction)
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start
ORDER BY a.pid
"""  # noqa: S608 - constants alone

# it has no session; its locks have what the lock on its own transaction id has, in each major version otherwise
_PREPARED = """
SELECT NULL, p.gid, p.owner::text, NULL, NULL,
  extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8,
  array_agg(DISTINCT n.nspname || '.' || c.relname ORDER BY n.nspname || '.' || c.relname)
FROM pg_catalog.pg_prepared_xacts p
JOIN pg_catalog.pg_locks own
  ON own.pid IS NULL AND own.locktype = 'transactionid' AND own.transactionid::text = p.transaction::text
JOIN pg_catalog.pg_locks l
  ON l.pid IS NULL AND l.locktype = 'relation' AND l.virtualtransaction = own.virtualtransaction
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_toast'
WHERE p.database = pg_catalog.current_database()
GROUP BY p.gid, p.owner, p.prepared
ORDER BY p.gid
"""

_LONG = """
WITH wanted AS (
  SELECT c.oid, n.nspname || '.' || c.relname AS name, w.blocks_reads
  FROM unnest(%s::text[], %s::text[], %s::bool[]) AS w (namespace, name, blocks_reads)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.namespace
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
)
SELECT a.pid, NULL, a.usename::text, nullif(a.application_name, ''), a.state,
  extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8,
  array_remove(array_agg(DISTINCT w.name ORDER BY w.name), NULL)
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pg_catalog.pg_locks l ON l.pid = a.pid AND l.locktype = 'relation' AND l.granted
LEFT JOIN wanted w ON w.oid = l.relation
  AND (w.blocks_reads OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.backend_type = 'client backend'
  AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start
HAVING %s OR count(w.oid) > 0
ORDER BY a.xact_start
"""

_SEES_ALL = "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
_UNSEEN = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND usesysid IS NOT NULL AND backend_type IS NULL
"""


def find_uncommitted_changes(connection: Connection) -> tuple[OpenTransaction, ...]:
    """Transactions that may have changed this database's schema, and prepared ones that hold a lock in it."""
    return tuple(_transaction(row) for query in (_UNCOMMITTED, _PREPARED) for row in connection.rows(query))


def find_long_transactions(
    connection: Connection, tables: Mapping[str, bool], *, seconds: float, everywhere: bool
) -> tuple[OpenTransaction, ...]:
    """Sessions whose transaction began more than ``seconds`` ago and holds what is to be locked, the oldest first.

    ``tables``: by ``schema.name`` whether even readers are to be locked out. ``everywhere``: whatever they hold.
    Raises NotPermitted where there are sessions of which the role may not see since when they have been at it.
    """
    if not connection.value(_SEES_ALL) and connection.value(_UNSEEN):
        raise NotPermitted(
            "the role may not see how long other sessions' transactions have been open",
            why="pg_stat_activity shows of other roles' sessions the name alone",
            next="GRANT pg_read_all_stats to it",
        )
    names = [split_name(table) for table in tables]
    parameters = (
        [name[0] for name in names],
        [name[-1] for name in names],
        list(tables.values()),
        seconds,
        everywhere,
    )
    return tuple(_transaction(row) for row in connection.rows(_LONG, parameters))


def _transaction(row: tuple[Any, ...]) -> OpenTransaction:
    pid, identifier, user, application, state, seconds, holds = row
    return OpenTransaction(
        pid=pid,
        identifier=identifier,
        user=user,
        application=application,
        state=state,
        seconds=seconds,
        holds=tuple(holds),
    )
