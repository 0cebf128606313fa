"""Why a table could not be read: somebody holds a lock on it, a replica had to go on, the role may not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import Error, errors

from govern.core.restoration import Place, name_place
from govern.core.wording import first_line
from govern.database.postgresql.own_schema import name_namespace

if TYPE_CHECKING:
    from govern.database.connection import Connection

# readers wait for this lock alone; of another role's session a plain role sees pid and name
_HOLDERS = """
SELECT n.nspname::text, c.relname::text, coalesce('pid ' || l.pid, 'a prepared transaction')
  || coalesce(' (' || nullif(a.application_name, '') || ')', '')
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
ORDER BY 1, 2, 3
"""
CANCELLED = (errors.QueryCanceled, errors.SerializationFailure)
"""Of a statement that took too long, and of one that a replica ended to go on with what its primary did."""


def find_holders(connection: Connection) -> dict[Place, str]:
    """The tables that nobody may read at the moment, each with the session that has locked it."""
    home = connection.schema
    return {
        (name_namespace(namespace, home), name): holder
        for namespace, name, holder in connection.rows(_HOLDERS)
    }


def explain(connection: Connection, error: Error, places: Iterable[Place]) -> str:
    """One line about why these tables could not be read."""
    if isinstance(error, errors.SerializationFailure):
        return (
            "this replica had to go on with what its primary did, also when asked in small pieces; "
            "ask the primary, or let the replica wait: max_standby_streaming_delay"
        )
    if isinstance(error, errors.LockNotAvailable):
        holders = find_holders(connection)
        held = [f"{name_place(place)} is locked by {holders[place]}" for place in places if place in holders]
        return ", ".join(held) or "another session held a lock on it"
    return first_line(error)
