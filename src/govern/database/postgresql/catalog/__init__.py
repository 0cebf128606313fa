"""What a PostgreSQL database is: its snapshot, its stamped revisions and its row counts. Reads only."""

from __future__ import annotations

from govern.database.postgresql.catalog.coverage import read_coverage
from govern.database.postgresql.catalog.rows import (
    count_rows,
    find_version_tables,
    locate_version_table,
    read_version_rows,
)
from govern.database.postgresql.catalog.snapshot import read_snapshot

__all__ = [
    "count_rows",
    "find_version_tables",
    "locate_version_table",
    "read_coverage",
    "read_snapshot",
    "read_version_rows",
]
