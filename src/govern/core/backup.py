"""A backup as values: its manifest, the verification it passed, and the rules for what is wrong with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from govern.core.finding import Rule, Severity

MANIFEST_VERSION = 1

VerificationLevel = Literal["files", "restored"]

DAMAGED_FILE = Rule(
    id="backup.damaged-file",
    name="damaged file in a backup",
    severity=Severity.CRITICAL,
    condition="a file of a backup has another size or SHA-256 than its manifest says, or that is damaged",
    effect="the backup cannot be trusted: a restore may fail, or succeed with wrong data",
    remedy="make a new backup now (govern backup create), then look at the disk",
)
MISSING_FILE = Rule(
    id="backup.missing-file",
    name="missing file in a backup",
    severity=Severity.CRITICAL,
    condition="a file that the manifest of a backup lists is not there",
    effect="the backup cannot be restored",
    remedy="make a new backup now: govern backup create",
)
UNEXPECTED_FILE = Rule(
    id="backup.unexpected-file",
    name="unexpected file in a backup",
    severity=Severity.WARNING,
    condition="the folder of a backup holds a file, or a link, that its manifest does not list",
    effect="somebody has been in the folder; a restore does not read the file",
    remedy="find out where it comes from and remove it",
)
CONTENT_DIFFERS = Rule(
    id="backup.content-differs",
    name="a restored backup is not what was backed up",
    severity=Severity.CRITICAL,
    condition="a backup, restored into a scratch database, has another schema, revision or row count",
    effect="a restore would not bring back the database that was backed up",
    remedy="make a new backup and verify it: govern backup create",
)
DOES_NOT_RESTORE = Rule(
    id="backup.does-not-restore",
    name="backup does not restore",
    severity=Severity.CRITICAL,
    condition="a backup could not be restored into a scratch database",
    effect="it will not restore when it is needed either",
    remedy="read the program's words; make a new backup and verify it: govern backup create",
)
RULES = (DAMAGED_FILE, MISSING_FILE, UNEXPECTED_FILE, CONTENT_DIFFERS, DOES_NOT_RESTORE)


class ManifestDamaged(ValueError):
    """A manifest is not what ``BackupManifest.to_text`` wrote; the message says in what way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """One file of a backup as it was written."""

    path: str
    """Relative to the backup's folder, with forward slashes."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a backup was last found to be good for."""

    level: VerificationLevel
    """``files``: they are as they were written; ``restored``: and a restore gives the database back."""
    at: datetime
    duration_ms: int
    left_out: tuple[str, ...] = ()
    """Kinds of objects that could not be compared: the scratch server lacks the roles."""

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "at": _in_utc(self.at),
            "duration_ms": self.duration_ms,
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verification:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        if value["level"] not in get_args(VerificationLevel):
            raise ValueError(f"unknown verification level {value['level']!r}")
        return cls(
            level=value["level"],
            at=datetime.fromisoformat(value["at"]),
            duration_ms=value["duration_ms"],
            left_out=tuple(value["left_out"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedFrom:
    """The dump or database file that a backup was made from, as it was then."""

    path: str
    sha256: str
    """Of a folder: of its files' names and checksums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """Everything that is known of a backup but its content. Holds no credentials and no row."""

    id: str
    reason: str
    """Why it was made: ``manual``, ``migrate``."""
    created_at: datetime
    target: str
    """The name of the target in the settings."""
    database: str
    """PostgreSQL: its name; SQLite: the path as written in the URL."""
    dialect: str
    server_version: str
    tool: str
    """What wrote the data: ``pg_dump 18.4``."""
    govern_version: str
    revision: tuple[str, ...] | None
    """The revisions the database was stamped with; None without a version table."""
    lock_digest: str | None
    """sha256 of the project's ``schema.lock``; None where there was none."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of every table, in the moment of the backup."""
    files: tuple[BackupFile, ...]
    verified: Verification | None = None
    table_bytes: int | None = None
    """What the tables took in the database, without indexes; None in older manifests."""
    adopted_from: AdoptedFrom | None = None
    """None unless somebody else had made what it was made from."""

    @property
    def bytes(self) -> int:
        """The size of all files but the manifest itself."""
        return sum(file.bytes for file in self.files)

    def with_verification(self, verified: Verification | None) -> BackupManifest:
        return replace(self, verified=verified)

    def to_text(self) -> str:
        """The manifest as JSON, closed by a digest of itself, so that no byte of it changes unseen."""
        content: dict[str, Any] = {
            "manifest_version": MANIFEST_VERSION,
            "id": self.id,
            "reason": self.reason,
            "created_at": _in_utc(self.created_at),
            "target": self.target,
            "database": self.database,
            "dialect": self.dialect,
            "server_version": self.server_version,
            "tool": self.tool,
            "govern_version": self.govern_version,
            "revision": None if self.revision is None else list(self.revision),
            "lock_digest": self.lock_digest,
            "rows": dict(sorted(self.rows.items())),
            "files": [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in self.files],
            **({} if self.table_bytes is None else {"table_bytes": self.table_bytes}),
            **({} if self.adopted_from is None else {"adopted_from": asdict(self.adopted_from)}),
            "verified": self.verified.to_json() if self.verified else None,
        }
        digest = hashlib.sha256(_render(content).encode()).hexdigest()
        return _render({**content, "digest": digest})

    @classmethod
    def from_text(cls, text: str) -> BackupManifest:
        """The inverse of ``to_text``. Raises ManifestDamaged for any other text, be it one byte."""
        try:
            manifest = _read(json.loads(text))
            is_as_written = manifest.to_text() == text
        except ManifestDamaged:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ManifestDamaged(f"it is no manifest: {type(error).__name__}: {error}") from error
        if not is_as_written:
            raise ManifestDamaged("its digest does not match its content")
        return manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A complete backup and the folder it lies in."""

    path: Path
    manifest: BackupManifest

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def bytes(self) -> int:
        return self.manifest.bytes

    def to_json(self) -> dict[str, Any]:
        """As reports list it: times in ISO 8601, size in bytes."""
        manifest = self.manifest
        return {
            "id": manifest.id,
            "path": str(self.path),
            "created_at": _in_utc(manifest.created_at),
            "reason": manifest.reason,
            "target": manifest.target,
            "database": manifest.database,
            "dialect": manifest.dialect,
            "server_version": manifest.server_version,
            "revision": None if manifest.revision is None else list(manifest.revision),
            "bytes": manifest.bytes,
            "verified": manifest.verified.to_json() if manifest.verified else None,
        }


def _read(content: Mapping[str, Any]) -> BackupManifest:
    if content["manifest_version"] != MANIFEST_VERSION:
        raise ManifestDamaged(f"it has version {content['manifest_version']}, not {MANIFEST_VERSION}")
    return BackupManifest(
        id=content["id"],
        reason=content["reason"],
        created_at=datetime.fromisoformat(content["created_at"]),
        target=content["target"],
        database=content["database"],
        dialect=content["dialect"],
        server_version=content["server_version"],
        tool=content["tool"],
        govern_version=content["govern_version"],
        revision=None if content["revision"] is None else tuple(content["revision"]),
        lock_digest=content["lock_digest"],
        rows=dict(content["rows"]),
        files=tuple(_read_file(file) for file in content["files"]),
        verified=Verification.from_json(content["verified"]) if content["verified"] else None,
        table_bytes=content.get("table_bytes"),
        adopted_from=AdoptedFrom(**content["adopted_from"]) if "adopted_from" in content else None,
    )


def _read_file(value: Mapping[str, Any]) -> BackupFile:
    path = PurePosixPath(value["path"])
    if path.is_absolute() or ".." in path.parts or "\0" in value["path"] or not path.parts:
        raise ManifestDamaged(f"it lists {value['path']!r}, which is not inside the backup")
    return BackupFile(path=value["path"], bytes=value["bytes"], sha256=value["sha256"])


def _in_utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _render(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
