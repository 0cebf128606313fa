"""One line of the ledger: what one command did to a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RunResult = Literal["started", "applied", "unhealthy", "failed", "refused", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRevision:
    """A revision as it was when it was applied."""

    revision: str
    checksum: str
    """sha256 of the normalised file."""
    seconds: float


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
    backup: str | None = None
    """The id of the backup taken before."""
    lock_digest: str | None = None
    """sha256 of the ``schema.lock`` the result was validated against."""
    fingerprint: str | None = None
    """Of the live schema after the run."""
    server_version: str | None = None
    tool_version: str = ""
    error: str | None = None

    @property
    def validated(self) -> bool:
        return self.result == "applied" and self.fingerprint is not None
