"""Verifies a backup: every file is as it was written, and a restore gives back what was backed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from govern.actions.backup.create import Content, hash_file, read_content
from govern.actions.backup.growth import watching_growth
from govern.actions.backup.signing import find_wrong_signature, require_signature
from govern.actions.backup.store import (
    DATA,
    SNAPSHOT,
    amend_manifest,
    find_foreign_files,
    read_backup,
    read_regular,
)
from govern.core.backup import (
    BROKEN_REFERENCE,
    CONTENT_DIFFERS,
    DAMAGED_FILE,
    DOES_NOT_RESTORE,
    MISSING_FILE,
    UNEXPECTED_FILE,
    Backup,
    BackupFile,
    BackupManifest,
    Verification,
)
from govern.core.changes import Change, diff
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.reached import Counter
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of, name_bytes
from govern.database.encryption import Keys
from govern.database.scratch import scratch_database
from govern.database.version_table import version_table
from govern.declared import in_words_of
from govern.errors import ConfigurationError, FailedMidway
from govern.source.lock import parse_lock

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.contents import Contents
    from govern.core.snapshot import Snapshot
    from govern.database.dialect import Dialect
    from govern.database.url import DatabaseUrl

Narrate = Callable[[str], None]

Level = Literal["files", "restore", "content"]
"""How much of a backup is proven: ``files`` are as they were written; ``restore`` gives back revision, schema and row
counts; ``content`` the rows themselves."""


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
    level: Level = "content",
    is_new: bool = False,
    narrate: Narrate = lambda _: None,
    on_restored: OnRestored | None = None,
) -> tuple[Verification | None, tuple[Finding, ...]]:
    """What the backup is found to be good for, and all that is wrong with it.

    ``is_new``: it was written a moment ago, and its files' checksums computed from what had been written; these are
    not computed once more. ``on_restored`` gets the restored copy, to change it as it likes, once that was found good.

    There is a verification unless something is wrong that makes the backup unfit for a restore. It, or its
    absence, is written into the manifest. The scratch database is made like the one at ``like``. Raises
    ConfigurationError for a backup of another engine, CouldNotCheck where no scratch database can be had, and Refused
    for one that is to be restored and that nobody vouches for.
    """
    started_at = time.monotonic()
    read = read_backup(settings, backup.path)
    if isinstance(read, Finding):
        return None, (read,)
    require_engine(read.manifest, dialect)
    wrong = tuple(find_wrong_signature(read))
    if level != "files" and not wrong:
        require_signature(read)
    if not is_new:
        narrate(f"reading every file of the backup, {name_bytes(read.bytes)}")
    data = _digests_of_data(read)
    # a file that is copied is read once: the copy has to have its checksum
    is_copied = dialect.copies_files and level != "files" and not read.manifest.is_encrypted
    copied = data if is_copied and not is_new else {}
    findings = (*wrong, *check_files(settings, read, unread=frozenset(data if is_new else copied)))
    restored = _Restored()
    # what is a script, as pg_dump's archives are, is not run before it is known to be the one that was written
    if level != "files" and not is_unfit(findings):
        proof = _Proof(settings, dialect, read, like, level, copied, narrate)
        restored = proof.restore_and_compare(on_restored)
        if copied and is_unfit(restored.findings):
            findings = (*wrong, *check_files(settings, read))
    if not is_unfit(findings):
        findings += restored.findings
    verification = None
    if not is_unfit(findings):
        verification = Verification(
            level="files" if level == "files" else "restored",
            at=datetime.now(UTC),
            duration_ms=round((time.monotonic() - started_at) * 1000),
            left_out=restored.left_out,
            content=restored.has_compared_rows,
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
    settings: Settings,
    dialect: Dialect,
    backup: Backup,
    *,
    like: DatabaseUrl,
    digests: Mapping[str, str] = MappingProxyType({}),
    narrate: Narrate = lambda _: None,
) -> Iterator[RestoredCopy]:
    """The backup in a scratch database, dropped afterwards. Raises FailedMidway if it does not restore."""
    sentence = f"restoring the backup into a scratch database, {_describe_size(backup)}"
    least = backup.manifest.table_bytes or 0
    with scratch_database(settings, like=like, label="verify", with_rows=True) as url:
        with watching_growth(dialect, url, like=like, least_bytes=least, narrate=narrate, sentence=sentence):
            left_out = restore_data(settings, dialect, backup, url, digests=digests)
        yield RestoredCopy(url, left_out)


def _describe_size(backup: Backup) -> str:
    """``120 rows of 2.1 GB of tables``: so that nobody wonders what a server is busy with."""
    manifest = backup.manifest
    size = "" if manifest.table_bytes is None else f" of {name_bytes(manifest.table_bytes)} of tables"
    return f"{count_of(sum(manifest.rows.values()), 'row')}{size}"


def restore_data(
    settings: Settings,
    dialect: Dialect,
    backup: Backup,
    url: DatabaseUrl,
    *,
    digests: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Restores what the backup holds into an existing, empty database; see ``Keeping.restore``.

    Here all restores pass: Refused is raised where the signature is not right, and nobody has allowed that.
    """
    require_signature(backup)
    if dialect.copies_files and not backup.manifest.is_encrypted:
        digests = _digests_of_data(
            backup
        )  # what comes out is what was signed, whoever writes there meanwhile
    return dialect.restore(
        backup.path / DATA,
        url,
        jobs=settings.backup_jobs,
        keys=Keys.of(settings),
        digests=digests,
    )


def _digests_of_data(backup: Backup) -> Mapping[str, str]:
    """The SHA-256 of each file of the dump, by its name there."""
    paths = ((PurePosixPath(file.path), file.sha256) for file in backup.manifest.files)
    return {str(path.relative_to(DATA)): sha256 for path, sha256 in paths if path.parts[0] == DATA}


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


def check_files(
    settings: Settings, backup: Backup, *, unread: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Files that are not as they were written, are missing, or are there and not in the manifest.

    Of files of the dump called ``unread`` only the size is looked at.
    """

    def check(file: BackupFile) -> tuple[Finding, ...]:
        is_read = file.path not in {f"{DATA}/{name}" for name in unread}
        return tuple(_check_file(settings, backup, file, is_read=is_read))

    with ThreadPoolExecutor(settings.backup_jobs) as threads:
        yield from chain.from_iterable(threads.map(check, backup.manifest.files))
    for name in find_foreign_files(backup):
        yield _about(settings, backup, UNEXPECTED_FILE, name, f"{name} is not in the manifest")


def _check_file(settings: Settings, backup: Backup, file: BackupFile, *, is_read: bool) -> Iterator[Finding]:
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
    elif is_read and (digest := hash_file(path)) != file.sha256:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restored:
    """What a restore into a scratch database has told."""

    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    has_compared_rows: bool = False


@dataclass(frozen=True, slots=True)
class _Proof:
    """A backup that is to be restored into a scratch database and compared."""

    settings: Settings
    dialect: Dialect
    backup: Backup
    like: DatabaseUrl
    level: Level
    digests: Mapping[str, str]
    """Of files that were not read yet."""
    narrate: Narrate

    def restore_and_compare(self, on_restored: OnRestored | None) -> _Restored:
        try:
            with self._restored() as copy:
                with_rows = self.level == "content"
                has_compared, findings = _compare(
                    self.settings, self.dialect, self.backup, copy, self.narrate, with_rows=with_rows
                )
                if on_restored is not None and not is_unfit(findings):
                    on_restored(copy)
                return _Restored(
                    findings=findings,
                    left_out=copy.left_out,
                    has_compared_rows=has_compared or self.dialect.copies_files,
                )
        except FailedMidway as error:
            manifest = self.backup.manifest
            subject = Subject(kind="backup", name=manifest.id, path=self.settings.relative(self.backup.path))
            message = f"backup {manifest.id} does not restore: {error.why}"
            return _Restored(findings=(Finding.of(DOES_NOT_RESTORE, subject, message),))

    def _restored(self) -> AbstractContextManager[RestoredCopy]:
        return restored(
            self.settings,
            self.dialect,
            self.backup,
            like=self.like,
            digests=self.digests,
            narrate=self.narrate,
        )


def find_differences(
    settings: Settings, dialect: Dialect, backup: Backup, copy: RestoredCopy, narrate: Narrate
) -> tuple[Finding, ...]:
    """In what the restored copy is not what was backed up: revision, schema, rows of each table."""
    return _compare(settings, dialect, backup, copy, narrate, with_rows=True)[1]


def _compare(
    settings: Settings,
    dialect: Dialect,
    backup: Backup,
    copy: RestoredCopy,
    narrate: Narrate,
    *,
    with_rows: bool,
) -> tuple[bool, tuple[Finding, ...]]:
    """Whether the rows' checksums were compared, and what differs."""
    manifest, file = backup.manifest, backup.path / SNAPSHOT
    sentence = "comparing it with what was backed up" + (", row by row" if with_rows else "")
    counter = Counter(narrate, sentence, total=sum(manifest.rows.values()), unit="row")
    expected = parse_lock(read_regular(file).decode(), file).snapshot
    table = version_table(settings)

    with dialect.connect(copy.url, read_only=True) as connection:

        def digest() -> Contents | None:
            if not with_rows or manifest.checksum_algorithm is None:
                return None
            return dialect.digest_contents(
                connection,
                partial(dialect.connect, copy.url, read_only=True),
                table,
                jobs=settings.backup_jobs,
                algorithm=manifest.checksum_algorithm,
                on_rows=counter.add,
            )

        found = read_content(dialect, connection, table, digest)
        expected = in_words_of(found.snapshot, expected, dialect, lambda: nullcontext(copy.url))
    return found.contents is not None, (
        *_compare_revision(manifest, found),
        *_compare_schema(expected, found.snapshot, copy.left_out),
        *_compare_rows(manifest, found),
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
        elif table in found.checksums and manifest.checksums.get(table) != found.checksums[table]:
            yield Finding.of(
                CONTENT_DIFFERS,
                Subject(kind="table", name=table),
                f"table {table} has as many rows as were backed up, but not the same: their checksum is another",
                evidence={"backed_up": manifest.checksums.get(table), "restored": found.checksums[table]},
            )


def _is_no_index(change: Change) -> bool:
    """What an interrupted CREATE INDEX CONCURRENTLY left: pg_dump leaves it out, for it serves nobody."""
    is_gone = change.action == "removed" and change.key.kind == "index"
    return is_gone and (change.declared or {}).get("valid") is False


def _is_broken_reference(change: Change) -> bool:
    """A foreign key that was said to be valid, and that the rows do not let be so again."""
    is_a_key = change.key.kind == "constraint" and (change.live or {}).get("validated") is False
    return is_a_key and set(change.facts) <= {"validated", "definition"}


def _compare_schema(expected: Snapshot, found: Snapshot, left_out: tuple[str, ...]) -> Iterator[Finding]:
    for change in diff(expected, found):
        if change.key.kind in left_out or _is_no_index(change):
            continue
        if _is_broken_reference(change):
            yield Finding.of(
                BROKEN_REFERENCE,
                Subject(kind="constraint", namespace=change.key.namespace or None, name=change.key.name),
                f"rows of the backup break {change.key.name}: it was restored NOT VALID",
            )
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
