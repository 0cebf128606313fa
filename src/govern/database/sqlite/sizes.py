"""How much room a file takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from govern.database.dialect import Extent

if TYPE_CHECKING:
    from govern.database.connection import Connection

_BYTES = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
_FILE = "SELECT file FROM pragma_database_list() WHERE name = 'main'"


def read_extent(connection: Connection) -> Extent:
    """A backup is a copy of every page, uncompressed."""
    size = int(connection.value(_BYTES))
    return Extent(tables=size, whole=size, packing=1.0, folder=Path(connection.value(_FILE)).parent)
