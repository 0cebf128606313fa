"""What the session that migrates does at the moment, seen from another one: whom it waits for, what it builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.database.dialect import Activity, MigratingSession
from govern.database.postgresql.locks import held_sql

if TYPE_CHECKING:
    from govern.database.connection import Connection

_MIGRATING = """
WITH migrating AS MATERIALIZED (
  SELECT a.pid, a.wait_event_type FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  WHERE l.mode = 'ExclusiveLock' AND {held}
)
"""

# pg_blocking_pids is asked only while there is a wait: it stops all of the server's locking for a moment.
# Of another role's session a plain role sees pid and name alone.
_BLOCKERS = (
    _MIGRATING
    + """
SELECT DISTINCT CASE WHEN p.pid = 0 THEN 'a prepared transaction'
  ELSE 'pid ' || p.pid || ' (' || coalesce(nullif(b.application_name, ''), 'unnamed') || ')'
    || coalesce(', ' || b.state, '')
    || coalesce(', in a transaction for ' || greatest(0, extract(epoch FROM
         pg_catalog.clock_timestamp() - b.xact_start))::bigint || 's', '') END
FROM migrating m
CROSS JOIN LATERAL unnest(
  CASE WHEN m.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(m.pid) END) AS p (pid)
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = p.pid
ORDER BY 1
"""
)

_PROGRESS = (
    _MIGRATING
    + """
SELECT coalesce(i.relname::text, 'an index') || ': ' || p.phase
  || CASE WHEN p.lockers_total > p.lockers_done
       THEN ', ' || (p.lockers_total - p.lockers_done) || ' older transactions to end' ELSE '' END
  || CASE WHEN p.blocks_total > 0 THEN ', ' || 100 * p.blocks_done / p.blocks_total || ' %' ELSE '' END
FROM migrating m
JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = m.pid
LEFT JOIN pg_catalog.pg_class i ON i.oid = p.index_relid
"""
)

# asked first, for it looks at no lock: a migration may hold some thousand, and pg_locks copies them all
_WAITS_OR_BUILDS = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'Lock')
  OR EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index)
"""

_SESSION = """
SELECT a.pid, a.backend_start FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.mode = 'ExclusiveLock' AND {held}
"""
_HAS_SESSION = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid = %s AND backend_start = %s"
_END_SESSION = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = %s AND backend_start = %s
"""


def read_activity(connection: Connection) -> Activity:
    """Short queries; none has a text of anybody's query in its answer."""
    if not connection.value(_WAITS_OR_BUILDS):
        return Activity()
    held = held_sql(connection.schema)
    return Activity(
        blockers=tuple(str(words) for (words,) in connection.rows(_BLOCKERS.format(held=held))),
        progress=connection.value(_PROGRESS.format(held=held)),
    )


def find_migrating_session(connection: Connection) -> MigratingSession | None:
    """Asked by the role that migrates: of others' sessions it may not see since when they are there."""
    rows = connection.rows(_SESSION.format(held=held_sql(connection.schema)))
    return MigratingSession(pid=rows[0][0], since=rows[0][1]) if rows and rows[0][1] else None


def has_session(connection: Connection, session: MigratingSession) -> bool:
    return bool(connection.value(_HAS_SESSION, (session.pid, session.since)))


def end_session(connection: Connection, session: MigratingSession) -> None:
    """A role may end its own sessions. What waits for a standby to confirm its commit has committed."""
    connection.rows(_END_SESSION, (session.pid, session.since))
