"""Verifies a backup: every file is as it was written, and a restore gives back what was backed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from govern.actions.backup.create import Content, hash_file, read_content
from govern.actions.backup.store import DATA, MANIFEST, SNAPSHOT, amend_manifest, read_backup, read_regular
from govern.config import Settings
from govern.core.backup import (
    CONTENT_DIFFERS,
    DAMAGED_FILE,
    DOES_NOT_RESTORE,
    MISSING_FILE,
    UNEXPECTED_FILE,
    Backup,
    BackupFile,
    BackupManifest,
    Verification,
    VerificationLevel,
)
from govern.core.changes import diff
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.snapshot import Snapshot
from govern.database.dialect import Dialect
from govern.database.live import version_table
from govern.database.scratch import scratch_database
from govern.database.url import DatabaseUrl
from govern.declared import in_words_of
from govern.errors import ConfigurationError, FailedMidway
from govern.source.lock import parse_lock

Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RestoredCopy:
    """A scratch database that holds a backup, for as long as its context lasts."""

    url: DatabaseUrl
    left_out: tuple[str, ...]
    """Kinds of snapshot objects that could not be restored because the server lacks the roles."""


OnRestored = Callable[[RestoredCopy], None]


def verify_backup(
    settings: Settings,
    dialect: Dialect,
    backup: Backup,
    *,
    like: DatabaseUrl,
    level: VerificationLevel = "restored",
    narrate: Narrate = lambda _: None,
    on_restored: OnRestored | None = None,
) -> tuple[Verification | None, tuple[Finding, ...]]:
    """What the backup is found to be good for, and all that is wrong with it.

    ``on_restored`` gets the restored copy, to change it as it likes, once that was found good.

    There is a verification unless something is wrong that makes the backup unfit for a restore. It, or its
    absence, is written into the manifest. The scratch database is made like the one at ``like``. Raises
    ConfigurationError for a backup of another engine, CouldNotCheck where no scratch database can be had.
    """
    started_at = time.monotonic()
    read = read_backup(settings, backup.path)
    if isinstance(read, Finding):
        return None, (read,)
    require_engine(read.manifest, dialect)
    narrate("reading every file of the backup")
    findings = tuple(check_files(settings, read))
    left_out: tuple[str, ...] = ()
    if level == "restored" and not is_unfit(findings):
        narrate("restoring the backup into a scratch database")
        left_out, more = _check_content(settings, dialect, read, like, on_restored)
        findings += more
    verification = None
    if not is_unfit(findings):
        milliseconds = round((time.monotonic() - started_at) * 1000)
        verification = Verification(
            level=level, at=datetime.now(UTC), duration_ms=milliseconds, left_out=left_out
        )
    _record(read, verification, findings)
    return verification, findings


def _record(backup: Backup, verification: Verification | None, findings: tuple[Finding, ...]) -> None:
    if verification is not None:
        amend_manifest(backup, lambda manifest: manifest.with_verification(verification))
        return
    why = next(finding.message for finding in findings if finding.severity >= Severity.ERROR)
    amend_manifest(backup, lambda manifest: manifest.found_unfit(datetime.now(UTC), why))


@contextmanager
def restored(
    settings: Settings, dialect: Dialect, backup: Backup, *, like: DatabaseUrl
) -> Iterator[RestoredCopy]:
    """The backup in a scratch database, dropped afterwards. Raises FailedMidway if it does not restore."""
    with scratch_database(settings, like=like, label="verify") as url:
        left_out = dialect.restore(backup.path / DATA, url)
        yield RestoredCopy(url, left_out)


def require_engine(manifest: BackupManifest, dialect: Dialect) -> None:
    """Raises ConfigurationError for a backup of another engine."""
    if manifest.dialect != dialect.name:
        raise ConfigurationError(
            f"backup {manifest.id} is of a {manifest.dialect} database, the target is {dialect.name}",
            next="name the target it was made from: --target or --url",
        )


def is_unfit(findings: tuple[Finding, ...]) -> bool:
    """Whether a backup of which this was found is not good for a restore."""
    return any(finding.severity >= Severity.ERROR for finding in findings)


def check_files(settings: Settings, backup: Backup) -> Iterator[Finding]:
    """Files that are not as they were written, are missing, or are there and not in the manifest."""
    for file in backup.manifest.files:
        yield from _check_file(settings, backup, file)
    listed = {MANIFEST, *(file.path for file in backup.manifest.files)}
    for path in sorted(backup.path.rglob("*")):
        name = path.relative_to(backup.path).as_posix()
        if name not in listed and (path.is_symlink() or not path.is_dir()):
            yield _about(settings, backup, UNEXPECTED_FILE, name, f"{name} is not in the manifest")


def _check_file(settings: Settings, backup: Backup, file: BackupFile) -> Iterator[Finding]:
    path = backup.path / file.path
    if _has_link(backup.path, path):
        yield _about(settings, backup, DAMAGED_FILE, file.path, f"{file.path} is behind a symbolic link")
    elif not path.is_file():
        yield _about(settings, backup, MISSING_FILE, file.path, f"{file.path} is missing")
    elif (size := path.stat().st_size) != file.bytes:
        message = f"{file.path} has {size} bytes, it was written with {file.bytes}"
        yield _about(
            settings, backup, DAMAGED_FILE, file.path, message, {"written": file.bytes, "found": size}
        )
    elif (digest := hash_file(path)) != file.sha256:
        message = f"{file.path} has changed since it was written: its SHA-256 is another"
        yield _about(
            settings, backup, DAMAGED_FILE, file.path, message, {"written": file.sha256, "found": digest}
        )


def _has_link(folder: Path, path: Path) -> bool:
    inside = [path, *path.parents]
    return any(part.is_symlink() for part in inside[: inside.index(folder)])


def _about(
    settings: Settings,
    backup: Backup,
    rule: Rule,
    name: str,
    message: str,
    evidence: Mapping[str, object] | None = None,
) -> Finding:
    subject = Subject(kind="backup", name=backup.id, path=f"{settings.relative(backup.path)}/{name}")
    return Finding.of(rule, subject, f"backup {backup.id}: {message}", evidence=evidence)


def _check_content(
    settings: Settings,
    dialect: Dialect,
    backup: Backup,
    like: DatabaseUrl,
    on_restored: OnRestored | None,
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Restores the backup; returns the kinds left out and what differs."""
    try:
        with restored(settings, dialect, backup, like=like) as copy:
            findings = find_differences(settings, dialect, backup, copy)
            if on_restored is not None and not is_unfit(findings):
                on_restored(copy)
            return copy.left_out, findings
    except FailedMidway as error:
        subject = Subject(kind="backup", name=backup.id, path=settings.relative(backup.path))
        message = f"backup {backup.id} does not restore: {error.why}"
        return (), (Finding.of(DOES_NOT_RESTORE, subject, message),)


def find_differences(
    settings: Settings, dialect: Dialect, backup: Backup, copy: RestoredCopy
) -> tuple[Finding, ...]:
    """In what the restored copy is not what was backed up: revision, schema, rows of each table."""
    file = backup.path / SNAPSHOT
    expected = parse_lock(read_regular(file).decode(), file).snapshot
    with dialect.connect(copy.url, read_only=True) as connection:
        found = read_content(dialect, connection, version_table(settings))
        expected = in_words_of(found.snapshot, expected, dialect, lambda: nullcontext(copy.url))
    return (
        *_compare_revision(backup.manifest, found),
        *_compare_schema(expected, found.snapshot, copy.left_out),
        *_compare_rows(backup.manifest, found),
    )


def _compare_revision(manifest: BackupManifest, found: Content) -> Iterator[Finding]:
    if manifest.revision != found.revision:
        yield Finding.of(
            CONTENT_DIFFERS,
            Subject(kind="backup", name=manifest.id),
            f"backup {manifest.id}: the restored database is at another revision",
            evidence={"backed_up": manifest.revision, "restored": found.revision},
        )


def _compare_rows(manifest: BackupManifest, found: Content) -> Iterator[Finding]:
    for table in sorted(manifest.rows.keys() | found.rows.keys()):
        before, after = manifest.rows.get(table), found.rows.get(table)
        if before != after:
            yield Finding.of(
                CONTENT_DIFFERS,
                Subject(kind="table", name=table),
                f"table {table} had {before} rows when it was backed up, the restored one has {after}",
                evidence={"backed_up": before, "restored": after},
            )


def _compare_schema(expected: Snapshot, found: Snapshot, left_out: tuple[str, ...]) -> Iterator[Finding]:
    for change in diff(expected, found):
        if change.key.kind in left_out:
            continue
        words = {"added": "is there after the restore alone", "removed": "is not there after the restore"}
        facts = ", ".join(change.facts)
        yield Finding.of(
            CONTENT_DIFFERS,
            Subject(kind=change.key.kind, namespace=change.key.namespace or None, name=change.key.name),
            f"{change.key} {words.get(change.action, f'differs after the restore: {facts}')}",
            evidence={
                name: {"backed_up": before, "restored": after}
                for name, (before, after) in change.facts.items()
            },
        )
