"""What was found that could be restored from: dumps, database files, folders of rows, backups that lie elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDump:
    """A dump or a database file that govern did not make, as far as it tells about itself without being restored."""

    path: Path
    kind: str
    """As people say it: ``pg_dump archive``, ``SQLite database``."""
    dialect: str
    made_at: datetime | None = None
    """What it says itself, in UTC."""
    server_version: str | None = None
    tables: tuple[str, ...] | None = None
    """None where they are not known without reading all of it."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of tables whose rows were counted."""
    trouble: str = ""
    """Why it could not be looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """One thing that was found, and what can be done with it."""

    path: Path
    kind: str
    made_at: datetime
    is_own_time: bool
    """Whether it says itself when it was made; else it is when the file was last written."""
    bytes: int
    tables: tuple[str, ...] | None = None
    rows: int | None = None
    server_version: str | None = None
    trouble: str = ""
    next: str = ""
    """The command that takes it from here."""

    def to_json(self) -> dict[str, Any]:
        """As reports list it: times in ISO 8601, size in bytes."""
        return {
            "kind": self.kind,
            "path": str(self.path),
            "made_at": self.made_at.isoformat().replace("+00:00", "Z"),
            "made_at_is_file_time": not self.is_own_time,
            "bytes": self.bytes,
            "tables": None if self.tables is None else list(self.tables),
            "rows": self.rows,
            "server_version": self.server_version,
            "trouble": self.trouble,
            "next": self.next,
        }
