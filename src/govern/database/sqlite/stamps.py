"""Stamps a copy of a schema as the database it was made of is stamped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.identifiers import quote
from govern.database.sqlite import catalog

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable


def copy_version_rows(source: Connection, copy: Connection, table: VersionTable) -> None:
    """Writes the version rows of ``source`` into ``copy``; one that has its rows already is left as it is."""
    if catalog.read_version_rows(copy, table) != ():
        return
    statement = f"INSERT INTO {quote(table.name)} (version_num) VALUES (?)"  # noqa: S608 - quoted
    for revision in catalog.read_version_rows(source, table) or ():
        copy.execute(statement, (revision,))
