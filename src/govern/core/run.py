"""One line of the ledger: what one command did to a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

RunResult = Literal["started", "applied", "unhealthy", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRevision:
    """A revision as it was when it was applied."""

    revision: str
    checksum: str
    """sha256 of the normalised file; empty if the file could not be read."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {"revision": self.revision, "checksum": self.checksum, "seconds": self.seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who changed what, when, with which backup, and how it ended."""

    id: str
    command: str
    actor: str
    """``user@host``."""
    started_at: datetime
    finished_at: datetime | None = None
    result: RunResult = "started"
    from_revision: tuple[str, ...] = ()
    to_revision: tuple[str, ...] = ()
    revisions: tuple[AppliedRevision, ...] = ()
    statements: tuple[str, ...] = ()
    """What a repair ran; a migration's are its revisions'."""
    backup: str | None = None
    """The id of the backup taken before."""
    lock_digest: str | None = None
    """sha256 of the ``schema.lock`` the result was validated against."""
    fingerprint: str | None = None
    """Of the live schema after the run."""
    watermark: str | None = None
    """Read before the fingerprint: as long as it stands, so does that. None where the engine has none."""
    server_version: str | None = None
    tool_version: str = ""
    error: str | None = None

    @property
    def is_validated(self) -> bool:
        return self.result == "applied" and self.fingerprint is not None

    def to_json(self) -> dict[str, Any]:
        """As ledger and reports write it: ISO 8601 times in UTC, lists for tuples."""
        return {
            "id": self.id,
            "command": self.command,
            "actor": self.actor,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "result": self.result,
            "from_revision": list(self.from_revision),
            "to_revision": list(self.to_revision),
            "revisions": [revision.to_json() for revision in self.revisions],
            "statements": list(self.statements),
            "backup": self.backup,
            "lock_digest": self.lock_digest,
            "fingerprint": self.fingerprint,
            "watermark": self.watermark,
            "server_version": self.server_version,
            "tool_version": self.tool_version,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        finished = value["finished_at"]
        return cls(
            id=value["id"],
            command=value["command"],
            actor=value["actor"],
            started_at=datetime.fromisoformat(value["started_at"]),
            finished_at=datetime.fromisoformat(finished) if finished else None,
            result=value["result"],
            from_revision=tuple(value["from_revision"]),
            to_revision=tuple(value["to_revision"]),
            revisions=tuple(AppliedRevision(**revision) for revision in value["revisions"]),
            statements=tuple(value["statements"]),
            backup=value["backup"],
            lock_digest=value["lock_digest"],
            fingerprint=value["fingerprint"],
            watermark=value.get("watermark"),  # older releases wrote none
            server_version=value["server_version"],
            tool_version=value["tool_version"],
            error=value["error"],
        )
