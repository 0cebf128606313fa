"""No revision of a schema by itself goes into the version table that all schemas share."""

from __future__ import annotations

from govern.core.identifiers import quote_place
from govern.core.snapshot import default_namespace
from govern.database.live import LiveDatabase
from govern.errors import Refused


def guard_version_table(live: LiveDatabase) -> None:
    """Raises Refused where Alembic would take the shared version table for that of a schema which has none yet."""
    table = live.table
    shared = default_namespace(live.dialect.name)
    if table.home in (None, shared):
        return
    with live.connect() as connection:
        has_own = live.dialect.read_version_rows(connection, table) is not None
        places = () if has_own else live.dialect.find_version_tables(connection, table)
    if shared in places:
        own = quote_place((str(table.home), table.name))
        raise Refused(
            f"the schema {table.home} has no {table.name}, and {shared} has one",
            why="Alembic finds that one, and would move the revision of what the schemas share",
            next=f"CREATE TABLE {own} (version_num varchar(32) PRIMARY KEY); or give one of the two histories "
            "another version_table",
        )
