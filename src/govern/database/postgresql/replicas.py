"""How far the servers that follow this one are behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.session import Replica
from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.database.connection import Connection

_FOLLOWERS = "SELECT count(*) FROM pg_catalog.pg_stat_replication"
_SEES_ALL = "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"

# a base backup that is being taken has nothing to replay
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), host(client_addr), 'pid ' || pid),
  extract(epoch FROM replay_lag)::float8,
  greatest(0, pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery()
    THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, replay_lsn))::bigint
FROM pg_catalog.pg_stat_replication WHERE replay_lsn IS NOT NULL
ORDER BY 1
"""


def read_replicas(connection: Connection) -> tuple[Replica, ...]:
    """Physical and logical ones. Raises NotPermitted where there are some and the role may not see how far they are."""
    if not connection.value(_FOLLOWERS):
        return ()
    if not connection.value(_SEES_ALL):
        raise NotPermitted(
            "the role may not see how far replicas are behind",
            why="pg_stat_replication shows other roles' connections by name alone",
            next="GRANT pg_read_all_stats to it",
        )
    return tuple(
        Replica(name=name, lag_seconds=seconds, lag_bytes=behind)
        for name, seconds, behind in connection.rows(_REPLICAS)
    )
