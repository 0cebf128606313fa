"""Row counts and Alembic's version rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from govern.core.identifiers import quote
from govern.database.connection import Connection
from govern.database.version_table import VersionTable

_BATCH = 100  # SQLite takes 500 terms of a UNION at most


def read_version_rows(connection: Connection, table: VersionTable) -> tuple[str, ...] | None:
    """The stamped revisions, sorted; None where there is no version table."""
    if table.name not in _table_names(connection):
        return None
    rows = connection.rows(f"SELECT version_num FROM {quote(table.name)}")  # noqa: S608 - quoted
    return tuple(sorted(str(revision) for (revision,) in rows))


def count_rows(connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """Exact rows of each table, by its name; a table that is not there is left out. Namespaces are ignored.

    One statement for every hundred tables.
    """
    existing = sorted({name for _, name in tables} & _table_names(connection))
    counts: dict[str, int] = {}
    for start in range(0, len(existing), _BATCH):
        batch = existing[start : start + _BATCH]
        query = " UNION ALL ".join(
            f"SELECT {index}, count(*) FROM {quote(name)}"  # noqa: S608 - quoted
            for index, name in enumerate(batch)
        )
        counts |= {batch[index]: count for index, count in connection.rows(query)}
    return counts


def _table_names(connection: Connection) -> set[str]:
    return {name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
