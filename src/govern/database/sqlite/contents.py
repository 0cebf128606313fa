"""What tables hold, as digests. SQLite has no hash function: rows are digested here, one after the other."""

from __future__ import annotations

import array
import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from govern.core.identifiers import quote
from govern.core.restoration import Place, TableDigest
from govern.database.sqlite.catalog import read_column_order

if TYPE_CHECKING:
    from govern.core.snapshot import ColumnOrder
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

_HASH_BYTES = 8
_ROWS_A_FETCH = 1000


def read_tables(connection: Connection, table: VersionTable) -> ColumnOrder:
    """All tables, but for SQLite's own, govern's and Alembic's version ``table``."""
    return {
        place: columns
        for place, columns in read_column_order(connection).items()
        if place[1] != table.name and not place[1].startswith(("sqlite_", "govern_"))
    }


def digest_tables(connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
    """Of each table its rows over these columns, all at one moment."""
    digests = {}
    with connection.transaction("BEGIN"):
        for place, names in columns.items():
            rows = total = 0
            for number in _hash_rows(connection, place, names):
                rows += 1
                total += number
            digests[place] = TableDigest(rows, str(total))
    return digests


def read_row_hashes(connection: Connection, place: Place, columns: tuple[str, ...]) -> Iterator[int]:
    """A number for each row, ascending: eight bytes of memory a row."""
    with connection.transaction("BEGIN"):
        return iter(sorted(array.array("Q", _hash_rows(connection, place, columns))))


def _hash_rows(connection: Connection, place: Place, columns: tuple[str, ...]) -> Iterator[int]:
    query = f"SELECT {', '.join(map(quote, columns)) or '0'} FROM {quote(place[1])}"  # noqa: S608 - quoted
    driver: Any = connection.driver
    cursor = driver.cursor()
    try:
        cursor.execute(query)
        while rows := cursor.fetchmany(_ROWS_A_FETCH):
            for row in rows:
                digest = hashlib.blake2b(
                    repr(row).encode("utf-8", "backslashreplace"), digest_size=_HASH_BYTES
                )
                yield int.from_bytes(digest.digest())
    finally:
        cursor.close()
