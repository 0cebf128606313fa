"""A backup as values: its manifest, the verification it passed, and the rules for what is wrong with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from govern.core.drill import Drill
from govern.core.finding import Rule, Severity
from govern.core.signature import Signature, SignatureState, SigningKey, judge
from govern.core.wording import name_duration

MANIFEST_VERSION = 3
_READ_VERSIONS = (1, 2, MANIFEST_VERSION)
_LONGEST_PATH = 255
_SIGNED_AS = b"govern: manifest of a backup\n"
_REMARKS = frozenset({"unfit", "pinned", "drilled", "verified", "signature"})
"""What is noted of a backup after it was made, also by whoever has no key; a restore relies on none of it."""

ENCRYPTED_SUFFIX = ".age"

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
    condition="a backup, restored into a scratch database, has another schema, revision, row count or other rows",
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
BROKEN_REFERENCE = Rule(
    id="backup.broken-reference",
    name="backup with rows that break a foreign key",
    severity=Severity.WARNING,
    condition="rows of the backup name parents that are not there, under a foreign key that was said to be valid",
    effect="all rows are restored, and the foreign key comes back NOT VALID: it holds for new rows alone",
    remedy="see what is missing, govern integrity; clean it up by a repair, and make a new backup",
)
NOT_COPIED = Rule(
    id="backup.not-copied",
    name="backup without its copy",
    severity=Severity.WARNING,
    condition="a backup was made and is good, but could not be copied to the object store of the settings",
    effect="what destroys this machine's disk destroys the backup too",
    remedy="see to the object store's address and credentials, then: govern backup copy",
)
RULES = (
    DAMAGED_FILE,
    MISSING_FILE,
    UNEXPECTED_FILE,
    CONTENT_DIFFERS,
    DOES_NOT_RESTORE,
    BROKEN_REFERENCE,
    NOT_COPIED,
)


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
    content: bool = False
    """Whether the rows themselves were compared, and not only counted."""

    def described(self) -> str:
        """``restored into a scratch database and compared, every row of it, 812 ms``."""
        duration = name_duration(self.duration_ms / 1000)
        if self.level == "files":
            return f"every file is as it was written, {duration}; it was not restored"
        rows = "every row of it" if self.content else "its rows counted"
        return f"restored into a scratch database and compared, {rows}, {duration}"

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            **({"content": True} if self.content else {}),
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
            content=value.get("content", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """What a backup was last found to be: not good for a restore."""

    at: datetime
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"at": _in_utc(self.at), "why": self.why}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unfit:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        return cls(at=datetime.fromisoformat(value["at"]), why=value["why"])


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
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Of the rows of every table that has some of its own, by the names of ``rows``."""
    checksum_algorithm: str | None = None
    """How they were computed; None where there are none: of a database whose file is copied, and in version 1."""
    files: tuple[BackupFile, ...]
    verified: Verification | None = None
    table_bytes: int | None = None
    """What the tables took in the database, without indexes; None in older manifests."""
    version: int = MANIFEST_VERSION
    """Of the manifest's own format; a manifest keeps the one it was written with."""
    unfit: Unfit | None = None
    """What the last verification found wrong; None where it found nothing, or there was none."""
    pinned: str | None = None
    """Why it is never pruned; None: it may be."""
    drilled: Drill | None = None
    """The last restore that was tried out with it."""
    adopted_from: AdoptedFrom | None = None
    """None unless somebody else had made what it was made from."""
    signature: Signature | None = None
    """Of everything but what is noted of it later; None: nobody vouches for it."""

    @property
    def is_proven(self) -> bool:
        """Whether it was restored once, and is good for a restore as far as is known."""
        return self.verified is not None and self.verified.level != "files"

    @property
    def bytes(self) -> int:
        """The size of all files but the manifest itself."""
        return sum(file.bytes for file in self.files)

    @property
    def is_encrypted(self) -> bool:
        """Whether a private key is needed to read its rows."""
        return any(file.path.endswith(ENCRYPTED_SUFFIX) for file in self.files)

    def with_verification(self, verified: Verification | None) -> BackupManifest:
        """A proof by a restore takes back what an earlier one found wrong; files alone prove too little for that."""
        proven = verified is not None and verified.level != "files"
        return replace(self, verified=verified, unfit=None if proven else self.unfit)

    def found_unfit(self, at: datetime, why: str) -> BackupManifest:
        return replace(self, verified=None, unfit=Unfit(at=at, why=why))

    def signed_with(self, key: SigningKey) -> BackupManifest:
        return replace(self, signature=key.sign(_spell_facts(self._to_json())))

    def judge_signature(self, keys: Iterable[SigningKey]) -> SignatureState:
        """What the keys that are here say of it."""
        return judge(self.signature, _spell_facts(self._to_json()), keys)

    def to_text(self) -> str:
        """The manifest as JSON, closed by a digest of itself, so that no byte of it changes by accident unseen."""
        content = self._to_json()
        digest = hashlib.sha256(_render(content).encode()).hexdigest()
        return _render({**content, "digest": digest})

    def _to_json(self) -> dict[str, Any]:
        return {
            "manifest_version": self.version,
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
            **self._checksums_to_json(),
            "files": [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in self.files],
            **({} if self.table_bytes is None else {"table_bytes": self.table_bytes}),
            **({"unfit": self.unfit.to_json()} if self.unfit else {}),
            **({} if self.pinned is None else {"pinned": self.pinned}),
            **({"drilled": self.drilled.to_json()} if self.drilled else {}),
            **({} if self.adopted_from is None else {"adopted_from": asdict(self.adopted_from)}),
            **({} if self.signature is None else {"signature": asdict(self.signature)}),
            "verified": self.verified.to_json() if self.verified else None,
        }

    def _checksums_to_json(self) -> dict[str, Any]:
        if self.checksum_algorithm is None:
            return {}
        return {
            "checksum_algorithm": self.checksum_algorithm,
            "checksums": dict(sorted(self.checksums.items())),
        }

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
    is_allowed: bool = False
    """Whether somebody has said that it is restored without a right signature."""

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
            "encrypted": manifest.is_encrypted,
            "verified": manifest.verified.to_json() if manifest.verified else None,
            "unfit": manifest.unfit.to_json() if manifest.unfit else None,
            "pinned": manifest.pinned,
            "drilled": manifest.drilled.to_json() if manifest.drilled else None,
        }


def _spell_facts(content: Mapping[str, Any]) -> bytes:
    """What was true when the backup was made, in one spelling, which outlives that of the file."""
    facts = {name: value for name, value in content.items() if name not in _REMARKS}
    return _SIGNED_AS + json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _read(content: Mapping[str, Any]) -> BackupManifest:
    if content["manifest_version"] not in _READ_VERSIONS:
        raise ManifestDamaged(
            f"it has version {content['manifest_version']}, and this govern reads up to {MANIFEST_VERSION}"
        )
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
        checksums=dict(content.get("checksums", {})),
        checksum_algorithm=content.get("checksum_algorithm"),
        files=tuple(_read_file(file) for file in content["files"]),
        verified=Verification.from_json(content["verified"]) if content["verified"] else None,
        table_bytes=content.get("table_bytes"),
        version=content["manifest_version"],
        unfit=Unfit.from_json(content["unfit"]) if "unfit" in content else None,
        pinned=content.get("pinned"),
        drilled=Drill.from_json(content["drilled"]) if "drilled" in content else None,
        adopted_from=AdoptedFrom(**content["adopted_from"]) if "adopted_from" in content else None,
        signature=Signature.from_json(content["signature"]) if "signature" in content else None,
    )


def _read_file(value: Mapping[str, Any]) -> BackupFile:
    path = PurePosixPath(value["path"])
    is_inside = path.parts and not path.is_absolute() and ".." not in path.parts and "\0" not in value["path"]
    if not is_inside or str(path) != value["path"]:
        raise ManifestDamaged(f"it lists {value['path'][:80]!r}, which is not inside the backup")
    if len(value["path"].encode()) > _LONGEST_PATH:
        raise ManifestDamaged(f"it lists {value['path'][:80]!r}…, which is longer than a file's name can be")
    return BackupFile(path=value["path"], bytes=value["bytes"], sha256=value["sha256"])


def _in_utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _render(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
