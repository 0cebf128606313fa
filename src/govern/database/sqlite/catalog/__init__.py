"""What a SQLite database is: its snapshot, its stamped revisions and its row counts. Reads only."""

from __future__ import annotations

from govern.database.sqlite.catalog.column_order import read_column_order
from govern.database.sqlite.catalog.defaults import find_equal_defaults
from govern.database.sqlite.catalog.rows import count_rows, read_version_rows
from govern.database.sqlite.catalog.snapshot import COVERAGE, read_snapshot

__all__ = [
    "COVERAGE",
    "count_rows",
    "find_equal_defaults",
    "read_column_order",
    "read_snapshot",
    "read_version_rows",
]
