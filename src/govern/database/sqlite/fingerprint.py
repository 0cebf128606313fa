"""A digest of the live schema: SQLite has no catalog but its CREATE texts, so it is theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from govern.database.sqlite.catalog.snapshot import own_objects_sql

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable


def read_fingerprint(connection: Connection, table: VersionTable) -> str:
    """64 hexadecimal digits that change whenever a fact of the snapshot does, never by use of the data."""
    return fingerprint_of(connection.rows(fingerprint_sql(table)))


def fingerprint_sql(table: VersionTable) -> str:
    """One SELECT without parameters, for any driver; ``fingerprint_of`` makes the digest of its rows."""
    return f"{own_objects_sql(table)}ORDER BY type, name"


def fingerprint_of(rows: Iterable[Sequence[object]]) -> str:
    """The digest of the rows of ``fingerprint_sql``, in their order: SQLite cannot compute one itself."""
    return hashlib.sha256("\n".join(repr(tuple(row)) for row in rows).encode()).hexdigest()
