"""What a SQLite database carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from govern.core.health import EXACT_ROWS, Load, RowCount, Storage
from govern.core.identifiers import quote
from govern.core.snapshot import split_name
from govern.database.monitor_record import PROBED
from govern.database.probed import read_newest
from govern.database.sqlite import sizes

if TYPE_CHECKING:
    from govern.core.probed import Probed
    from govern.database.connection import Connection

_TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
_STATISTICS = "SELECT tbl, max(CAST(stat AS integer)) FROM sqlite_stat1 GROUP BY tbl"

_DOCUMENT = "SELECT document FROM govern_monitor WHERE name = ?"
_NEWEST_RUN = "SELECT run FROM govern_runs ORDER BY position DESC LIMIT 1"


def read_probed(connection: Connection) -> Probed | None:
    """How the application last answered its probes; None where that is not known."""
    existing = {name for (name,) in connection.rows(_TABLES)}
    document = connection.value(_DOCUMENT, (PROBED,)) if "govern_monitor" in existing else None
    run = connection.value(_NEWEST_RUN) if "govern_runs" in existing else None
    return read_newest(document, run)


def read_row_counts(connection: Connection, tables: Iterable[str]) -> Mapping[str, RowCount]:
    """Rows of each table by name; one that is not there is left out.

    A table is counted up to EXACT_ROWS; of a larger one it is told what ANALYZE saw, or that it has so many.
    """
    existing = {name for (name,) in connection.rows(_TABLES)}
    counted = {
        table: _count(connection, split_name(table)[-1])
        for table in tables
        if split_name(table)[-1] in existing
    }
    seen: Mapping[str, int] = {}
    if "sqlite_stat1" in existing and any(count > EXACT_ROWS for count in counted.values()):
        seen = dict(connection.rows(_STATISTICS))
    return {
        table: RowCount(rows=max(count, seen.get(split_name(table)[-1], 0)), is_estimate=count > EXACT_ROWS)
        for table, count in counted.items()
    }


def read_storage(connection: Connection, tables: Iterable[str]) -> Mapping[str, Storage]:
    """Nothing: a file has a size, a table in it has none."""
    del connection, tables
    return {}


def read_load(connection: Connection) -> Load:
    """The file's size. Who has it open, and who waits for its lock, nobody knows."""
    return Load(
        bytes=sizes.read_extent(connection).whole, connections=None, most_connections=None, locks_waiting=None
    )


def _count(connection: Connection, name: str) -> int:
    """Up to one more than EXACT_ROWS."""
    some = f"SELECT 1 FROM {quote(name)} LIMIT {EXACT_ROWS + 1}"  # noqa: S608 - quoted
    return int(connection.value(f"SELECT count(*) FROM ({some})"))  # noqa: S608 - quoted
