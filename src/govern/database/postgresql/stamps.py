"""Stamps a copy of a schema as the database it was made of is stamped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.database.postgresql import catalog

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable


def copy_version_rows(source: Connection, copy: Connection, table: VersionTable) -> None:
    """Writes the version rows of ``source`` into ``copy``; one that has its rows already is left as it is."""
    from psycopg import sql

    revisions = catalog.read_version_rows(source, table)
    place = catalog.locate_version_table(copy, table)
    if place is None or catalog.read_version_rows(copy, table):
        return
    statement = sql.SQL("INSERT INTO {} (version_num) VALUES (%s)").format(sql.Identifier(*place))
    for revision in revisions or ():
        copy.execute(statement, (revision,))
