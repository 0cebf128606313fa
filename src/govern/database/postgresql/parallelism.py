"""How many things are done at once on a server that others use, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.connection import Connection

# a role or a database can have a limit of its own; -1 is none
_FREE = """
SELECT least(
  pg_catalog.current_setting('max_connections')::integer
    - pg_catalog.current_setting('superuser_reserved_connections')::integer
    - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
  (SELECT CASE WHEN rolconnlimit >= 0 THEN rolconnlimit END FROM pg_catalog.pg_roles WHERE rolname = current_user)
    - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usename = current_user),
  (SELECT CASE WHEN datconnlimit >= 0 THEN datconnlimit END FROM pg_catalog.pg_database
   WHERE datname = pg_catalog.current_database())
    - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database())
)
"""
_SHARE = 2  # what is left to the others: half of what is free
_CONNECTIONS_A_JOB = 2  # one that moves rows, one that digests them
_OTHER_CONNECTIONS = 1  # pg_dump's own, beside those of its jobs


_WORTHWHILE_BYTES = 32_000_000  # below, more processes and connections take longer to start than they save
# asks for no lock, as the size of a table does
_DATABASE_BYTES = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"


def choose_jobs(connection: Connection, at_most: int, size_bytes: int) -> int:
    """How many jobs the work is worth and the server has connections for, half of the free ones left; at least 1.

    ``size_bytes``: of what is to be moved.
    """
    if at_most <= 1 or size_bytes < _WORTHWHILE_BYTES:
        return 1
    free = int(connection.value(_FREE))
    return max(1, min(at_most, (free // _SHARE - _OTHER_CONNECTIONS) // _CONNECTIONS_A_JOB))


def measure_database(connection: Connection) -> int:
    """The bytes of the current database with its indexes."""
    return int(connection.value(_DATABASE_BYTES))
