"""The databases that restores took out of use: found by their names, dropped only while nobody is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.retention import KeptDatabase
from govern.database.postgresql import server
from govern.database.postgresql.interrupted import Names

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl

_SIZED = """
SELECT datname::text, CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT')
  THEN pg_catalog.pg_database_size(oid) END
FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s) ORDER BY 1
"""


def find_kept(url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
    """See ``govern.database.dialect.Dialect``."""
    prefix = Names.at(url.database, "").kept
    with server.connect_beside(url) as connection:
        found = connection.rows(_SIZED, (prefix,))
    read = (KeptDatabase.named(name, name.removeprefix(prefix), bytes=size) for name, size in found)
    return tuple(kept for kept in read if kept is not None)


def drop_kept(url: DatabaseUrl, database: KeptDatabase) -> bool:
    """See ``govern.database.dialect.Dialect``."""
    return server.drop_unused_database(url.with_database(database.name))
