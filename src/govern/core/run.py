"""One line of the ledger: what one command did to a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

RunResult = Literal["started", "applied", "unhealthy", "failed", "interrupted", "restored"]
"""``restored``: it failed, and its backup was put in the place of what it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedStatement:
    """A statement of a revision, and how long it took, its wait for locks included."""

    sql: str
    seconds: float
    locks: tuple[str, ...] = ()
    """Those that it took on a copy: ``ACCESS EXCLUSIVE on public.users``; none also where nobody rehearsed."""

    def to_json(self) -> dict[str, Any]:
        locks = {"locks": list(self.locks)} if self.locks else {}
        return {"sql": self.sql, "seconds": round(self.seconds, 6), **locks}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AppliedStatement:
        return cls(sql=value["sql"], seconds=value["seconds"], locks=tuple(value.get("locks", ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRevision:
    """A revision as it was when it was applied."""

    revision: str
    checksum: str
    """sha256 of the normalised file; empty if the file could not be read."""
    seconds: float
    parents: Mapping[str, str] | None = None
    """The checksums of the revisions it came after, by id; None in older ledgers."""
    statements: tuple[AppliedStatement, ...] = ()
    """The first thousand."""

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "checksum": self.checksum,
            "seconds": self.seconds,
            "parents": None if self.parents is None else dict(self.parents),
            "statements": [one.to_json() for one in self.statements],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AppliedRevision:
        return cls(
            revision=value["revision"],
            checksum=value["checksum"],
            seconds=value["seconds"],
            parents=value.get("parents"),
            statements=tuple(AppliedStatement.from_json(one) for one in value.get("statements", ())),
        )


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
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the project's Python, Alembic and SQLAlchemy."""
    git_commit: str | None = None
    """Of the project, with ``+changes`` if files differ from it."""
    plan_digest: str | None = None
    """Of the saved plan that was applied."""
    waited_seconds: float = 0.0
    """How long locks of others were in the way."""
    restored_from: str | None = None
    """The id of the backup that was put in the database's place."""
    kept_as: str | None = None
    """Where the database that was there before is kept: another database's name, or a file's."""
    repairs: tuple[str, ...] = ()
    """The manifest's, by name, that were applied or taken back."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """How many each of them changed so far: ``delete notes``."""
    undoes: str | None = None
    """The id of the run that was taken back."""
    rehearsal: str | None = None
    """On what copy it ran before: ``schema`` or ``data``; None where it did not, or is of an older release."""
    allowed: tuple[str, ...] = ()
    """The hazards of it that somebody allowed by name."""
    probes: tuple[Mapping[str, Any], ...] = ()
    """How the application answered afterwards: proofs as ``govern probe --format json`` has them."""
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
            "versions": dict(self.versions),
            "git_commit": self.git_commit,
            "plan_digest": self.plan_digest,
            "waited_seconds": round(self.waited_seconds, 3),
            "restored_from": self.restored_from,
            "kept_as": self.kept_as,
            "repairs": list(self.repairs),
            "rows": dict(self.rows),
            "undoes": self.undoes,
            "rehearsal": self.rehearsal,
            "allowed": list(self.allowed),
            "probes": [dict(proof) for proof in self.probes],
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
            revisions=tuple(AppliedRevision.from_json(revision) for revision in value["revisions"]),
            statements=tuple(value["statements"]),
            backup=value["backup"],
            lock_digest=value["lock_digest"],
            fingerprint=value["fingerprint"],
            watermark=value.get("watermark"),  # older releases wrote none
            server_version=value["server_version"],
            tool_version=value["tool_version"],
            versions=value.get("versions", {}),
            git_commit=value.get("git_commit"),
            plan_digest=value.get("plan_digest"),
            waited_seconds=value.get("waited_seconds", 0.0),
            restored_from=value.get("restored_from"),
            kept_as=value.get("kept_as"),
            repairs=tuple(value.get("repairs", ())),
            rows=value.get("rows", {}),
            undoes=value.get("undoes"),
            rehearsal=value.get("rehearsal"),
            allowed=tuple(value.get("allowed", ())),
            probes=tuple(value.get("probes", ())),
            error=value["error"],
        )
