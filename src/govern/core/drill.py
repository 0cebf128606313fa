"""A restore that was tried out: how long each part of it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from govern.core.wording import name_bytes, name_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Everything a real restore does up to the moment in which it exchanges the databases, in seconds."""

    at: datetime
    bytes: int
    """Of the backup's files."""
    fetch_seconds: float
    """To read every file, and to see that it is as it was written."""
    restore_seconds: float
    compare_seconds: float
    """With what was backed up: revision, schema, rows."""
    validate_seconds: float
    """Against the declared schema and the manifest."""

    @property
    def seconds(self) -> float:
        """The time to recover."""
        return self.fetch_seconds + self.restore_seconds + self.compare_seconds + self.validate_seconds

    def described(self) -> str:
        """``41 s: fetch 1.2 s, restore 30 s (12.3 MB/s), compare 8.0 s, validate 1.6 s``."""
        rate = name_bytes(round(self.bytes / max(self.restore_seconds, 0.001)))
        return (
            f"{name_seconds(self.seconds)}: fetch {name_seconds(self.fetch_seconds)}, "
            f"restore {name_seconds(self.restore_seconds)} ({rate}/s of the backup), "
            f"compare {name_seconds(self.compare_seconds)}, validate {name_seconds(self.validate_seconds)}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "fetch_seconds": self.fetch_seconds,
            "restore_seconds": self.restore_seconds,
            "compare_seconds": self.compare_seconds,
            "validate_seconds": self.validate_seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Drill:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        return cls(
            at=datetime.fromisoformat(value["at"]),
            bytes=value["bytes"],
            fetch_seconds=value["fetch_seconds"],
            restore_seconds=value["restore_seconds"],
            compare_seconds=value["compare_seconds"],
            validate_seconds=value["validate_seconds"],
        )
