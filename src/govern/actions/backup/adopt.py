"""Takes what somebody else made in as a backup: restored into a scratch database, backed up from there, verified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.backup.create import create_backup, hash_file
from govern.actions.backup.signing import find_wrong_signature, sign
from govern.actions.backup.store import amend_manifest, is_backup_folder, read_backup
from govern.actions.backup.verify import check_files, is_unfit, require_engine, restore_data, verify_backup
from govern.core.backup import AdoptedFrom, Backup
from govern.core.finding import Finding
from govern.core.report import Draft, Entry
from govern.database.scratch import scratch_database
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck, FailedMidway, NotPermitted, Refused

if TYPE_CHECKING:
    from govern.core.discovery import FoundDump
    from govern.database.live import LiveDatabase

ADOPTED = "adopted"
"""The reason of such a backup."""

_Fill = Callable[[DatabaseUrl], object]
"""Fills an empty scratch database."""


def adopt(live: LiveDatabase, draft: Draft, path: Path, *, narrate: Callable[[str], None]) -> Backup:
    """Makes a backup of a dump, a database file or a backup that lies elsewhere; the target itself is not touched.

    It bears the time at which the other was made. Raises ConfigurationError for what is none of these, Refused for one
    that does not restore, and what ``create_backup`` raises.
    """
    settings, dialect = live.settings, live.dialect
    with _reading(path):
        made_at, fill = _open_backup(live, path) if is_backup_folder(path) else _open_dump(live, path)
        origin = AdoptedFrom(path=str(path.absolute()), sha256=_hash(path))
        with scratch_database(settings, like=live.url, label="adopt") as scratch:
            narrate(f"restoring {path} into a scratch database")
            fill(scratch)
            backup = create_backup(
                settings, dialect, scratch, reason=ADOPTED, narrate=narrate, now=lambda: made_at
            )
    # the scratch database has a name that means nothing
    backup = amend_manifest(
        backup, lambda manifest: sign(replace(manifest, database=live.url.database, adopted_from=origin))
    )
    draft.passed("backup", f"{settings.relative(backup.path)}, of {made_at:%Y-%m-%d %H:%M:%S} UTC")
    draft.data["backup"] = backup.id
    verification, findings = verify_backup(
        settings, dialect, backup, like=live.url, is_new=True, narrate=narrate
    )
    said = verification.described() if verification else "not good for a restore"
    draft.add(Entry.of("verify", findings, said))
    return backup


def _open_dump(live: LiveDatabase, path: Path) -> tuple[datetime, _Fill]:
    dump = live.dialect.recognize_dump(path)
    if dump is None:
        raise ConfigurationError(
            f"{path} is nothing that can be adopted",
            why=f"it is no dump, and no database file, of {live.dialect.name}"
            if path.exists()
            else "there is nothing of that name",
            next="see what there is: govern backup list --search DIR; a folder of files with rows is restored from by "
            "govern restore --from DIR",
        )
    return _made_at(dump), lambda scratch: live.dialect.restore_dump(dump, scratch)


def _made_at(dump: FoundDump) -> datetime:
    return dump.made_at or datetime.fromtimestamp(dump.path.stat().st_mtime, UTC)


def _open_backup(live: LiveDatabase, path: Path) -> tuple[datetime, _Fill]:
    """A backup of govern's in another folder: whole, or not taken."""
    read = read_backup(live.settings, path)
    findings = (
        (read,)
        if isinstance(read, Finding)
        else (*find_wrong_signature(read), *check_files(live.settings, read))
    )
    if isinstance(read, Finding) or is_unfit(findings):
        raise Refused(
            f"the backup {path} is not as it was written",
            why="; ".join(finding.message for finding in findings[:3]),
            next="see what else there is: govern backup list --search DIR",
        )
    require_engine(read.manifest, live.dialect)
    trusted = replace(read, is_allowed=True)  # whoever adopts something says so
    return read.manifest.created_at, lambda scratch: _restore_backup(live, trusted, scratch)


def _restore_backup(live: LiveDatabase, backup: Backup, scratch: DatabaseUrl) -> None:
    try:
        restore_data(live.settings, live.dialect, backup, scratch)
    except FailedMidway as error:
        raise Refused(f"the backup {backup.path} does not restore", why=error.why, next=error.next) from error


def _hash(path: Path) -> str:
    """Of a file's content; of a folder's names and contents."""
    if path.is_file():
        return hash_file(path)
    return hashlib.sha256("".join(_lines_of(path)).encode()).hexdigest()


def _lines_of(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield f"{hash_file(file)}  {file.relative_to(folder).as_posix()}\n"


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise NotPermitted(
            f"{path} cannot be read", why=str(error), next="run as a user who may read it"
        ) from error
    except OSError as error:
        raise CouldNotCheck(
            f"{path} cannot be read", why=str(error), next="copy it to another disk"
        ) from error
