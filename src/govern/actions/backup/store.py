"""The folder of backups: what lies where, who may write there, how a backup appears, and goes, whole or not at all.

``<backups>/<id>/manifest.json``, ``snapshot.lock`` and ``data/…``. What is being written or removed is called
``.partial-…``. Who writes a backup or reads all of it locks its folder (flock); what is partial and held by nobody
was left behind by a dead process. Manifests are changed, and backups set aside, under a lock on the folder of all.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import grp
import os
import pwd
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.backup.locks import changing, gone, lock_partial
from govern.core.backup import DAMAGED_FILE, MISSING_FILE, Backup, BackupManifest, ManifestDamaged
from govern.core.finding import Finding, Subject
from govern.errors import ConfigurationError, CouldNotCheck, NoSuchName, NotPermitted, Refused

if TYPE_CHECKING:
    from govern.config import Settings

MANIFEST = "manifest.json"
SNAPSHOT = "snapshot.lock"
"""The schema that was backed up, as ``govern.source.lock`` writes it."""
DATA = "data"
LATEST = "latest"

PARTIAL = ".partial-"
_ID = re.compile(r"(?P<moment>[0-9]{8}T[0-9]{6})Z-[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{6}")
_MOMENT = "%Y%m%dT%H%M%S"
_NOT_IN_A_REASON = re.compile(r"[^a-z0-9]+")
_REASON_LENGTH = 40
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_parse_manifest = functools.lru_cache(maxsize=1000)(BackupManifest.from_text)
"""A fleet's process looks at hundreds of them hundreds of times; one text always says the same."""


class BackupDamaged(CouldNotCheck):
    """A backup has no readable manifest. ``finding`` is what ``verify`` reports of it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message, why=finding.why, next=finding.remedy)
        self.finding = finding


def list_backups(settings: Settings) -> tuple[Backup, ...]:
    """All complete backups with a readable manifest, newest first; see ``find_damaged`` for the others."""
    backups = (backup for backup in _read_all(settings) if isinstance(backup, Backup))
    return tuple(sorted(backups, key=lambda backup: (backup.manifest.created_at, backup.id), reverse=True))


def has_older_than(settings: Settings, moment: datetime) -> bool:
    """Whether a backup was made before that, as its name tells: no manifest is read. Raises NotPermitted."""
    names = (_ID.fullmatch(folder.name) for folder in _list_folders(settings))
    return any(name["moment"] < f"{moment:{_MOMENT}}" for name in names if name)


def amend_manifest(backup: Backup, change: Callable[[BackupManifest], BackupManifest]) -> Backup:
    """The backup with its manifest changed, as that is on disk by now. Raises ConfigurationError if it is gone."""
    backups = backup.path.parent
    with writing(backups), changing(backups):
        try:
            manifest = BackupManifest.from_text(read_regular(backup.path / MANIFEST).decode())
        except (FileNotFoundError, ManifestDamaged) as error:
            raise gone(backup) from error
        amended = Backup(path=backup.path, manifest=change(manifest))
        _replace_manifest(amended)
    return amended


def find_damaged(settings: Settings) -> tuple[Finding, ...]:
    """One finding for each backup whose manifest is missing or damaged."""
    return tuple(read for read in _read_all(settings) if isinstance(read, Finding))


def find_backup(settings: Settings, wanted: str = LATEST, *, but_for: str | None = None) -> Backup:
    """The backup of that id; for ``latest`` the target's newest that was not found unfit, but for those of one reason.

    Raises ConfigurationError if there is none or the id is not one, BackupDamaged if it cannot be read.
    """
    if wanted == LATEST:
        return _find_latest(settings, but_for)
    if not _ID.fullmatch(wanted) or not _is_folder(settings.backups / wanted):
        raise NoSuchName(
            f"there is no backup {wanted[:80]!r} in {settings.relative(settings.backups)}",
            wanted=wanted[:80],
            known=(LATEST, *(backup.id for backup in list_backups(settings))),
            next="see which there are: govern backup list",
        )
    read = read_backup(settings, settings.backups / wanted)
    if isinstance(read, Finding):
        raise BackupDamaged(read)
    return read


def _find_latest(settings: Settings, but_for: str | None) -> Backup:
    """An unverified one counts, too: who restores it proves it, and what is older has less in it."""
    mine = [backup for backup in list_backups(settings) if backup.manifest.target == settings.target]
    for backup in mine:
        if backup.manifest.unfit is None and backup.manifest.reason != but_for:
            return backup
    if not mine:
        raise ConfigurationError(
            f"there is no backup of {settings.target} in {settings.relative(settings.backups)}",
            next="make one: govern backup create",
        )
    unfit = sum(backup.manifest.unfit is not None for backup in mine)
    raise ConfigurationError(
        f"there is no good backup of {settings.target} in {settings.relative(settings.backups)}",
        why=f"{unfit} of {len(mine)} were found unfit; the others are what restores backed up before they replaced it",
        next="choose one yourself: govern backup list",
    )


def read_backup(settings: Settings, folder: Path) -> Backup | Finding:
    """The backup in a folder of its own, or what is wrong with its manifest. Raises NotPermitted."""
    subject = Subject(kind="backup", name=folder.name, path=f"{settings.relative(folder)}/{MANIFEST}")
    try:
        manifest = _parse_manifest(read_regular(folder / MANIFEST).decode())
        if manifest.id != folder.name:
            raise ManifestDamaged(f"it is of the backup {manifest.id[:80]!r}")  # noqa: TRY301
    except FileNotFoundError:
        return Finding.of(MISSING_FILE, subject, f"backup {folder.name} has no {MANIFEST}")
    except PermissionError as error:
        raise NotPermitted(
            f"backup {folder.name} cannot be read", why=str(error), next="run as the user who made it"
        ) from error
    except (ManifestDamaged, UnicodeDecodeError, OSError) as error:
        message = f"{MANIFEST} of backup {folder.name} is damaged: {error}"
        return Finding.of(DAMAGED_FILE, subject, message)
    return Backup(path=folder, manifest=manifest)


def is_backup_folder(folder: Path) -> bool:
    """Whether a folder, wherever it lies, is named as a backup is and has a manifest."""
    return bool(_ID.fullmatch(folder.name)) and _is_folder(folder) and (folder / MANIFEST).is_file()


def find_foreign_files(backup: Backup) -> tuple[str, ...]:
    """What lies in a backup's folder and not in its manifest: files, links, whatever is no folder."""
    listed = {MANIFEST, *(file.path for file in backup.manifest.files)}
    inside = ((path, path.relative_to(backup.path).as_posix()) for path in sorted(backup.path.rglob("*")))
    return tuple(
        name for path, name in inside if name not in listed and (path.is_symlink() or not path.is_dir())
    )


def read_regular(file: Path) -> bytes:
    """The bytes of a file that is no symbolic link, and no pipe for which one would wait. Raises OSError."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as content:
        if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(file))
        return content.read()


def is_backup_id(name: str) -> bool:
    """Whether it is one of ``new_id``: nothing else is read, fetched or removed."""
    return bool(_ID.fullmatch(name))


def new_id(reason: str, moment: datetime) -> str:
    """``20261121T050000Z-migrate-3f9a1c``: sorts by time; equal moments do not collide."""
    word = _NOT_IN_A_REASON.sub("-", reason.lower()).strip("-")[:_REASON_LENGTH].strip("-") or "manual"
    return f"{moment:{_MOMENT}}Z-{word}-{secrets.token_hex(3)}"


@contextmanager
def new_folder(backups: Path, backup_id: str) -> Iterator[Path]:
    """A private folder to write a backup into, which gets its name when the block ends well.

    Then all of it is on disk. If the block raises, nothing is left. Raises Refused for a backups folder that
    others may write to, NotPermitted or CouldNotCheck for what the file system will not do.
    """
    with writing(backups):
        _prepare(backups)
        with changing(backups):
            sweep(backups)
            partial = backups / f"{PARTIAL}{backup_id}"
            partial.mkdir(mode=0o700)
            lock = lock_partial(partial)
        try:
            yield partial
            _flush_tree(partial)
            partial.rename(backups / backup_id)
            flush(backups)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        finally:
            os.close(lock)


def write_private(file: Path, text: str) -> None:
    """Writes a new file for its owner alone. Raises OSError."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8", newline="\n")


def _replace_manifest(backup: Backup) -> None:
    """Writes the backup's manifest over the one on disk, in one step."""
    partial = backup.path.parent / f"{PARTIAL}{backup.id}-{secrets.token_hex(3)}"
    try:
        write_private(partial, backup.manifest.to_text())
        flush(partial)
        partial.replace(backup.path / MANIFEST)
        flush(backup.path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def writing(backups: Path) -> Iterator[None]:
    """The file system's refusals as errors of govern."""
    try:
        yield
    except OSError as error:
        why = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        if error.errno in _FORBIDDEN:
            raise NotPermitted(
                f"the backups folder {backups} cannot be written",
                why=why,
                next="make it yours: chown, or set backups",
            ) from error
        if error.errno in _FULL:
            raise CouldNotCheck(
                f"the backup does not fit into {backups}",
                why=why,
                next="free some space, or set backups elsewhere",
            ) from error
        raise CouldNotCheck(
            f"nothing can be written into the backups folder {backups}",
            why=why,
            next="correct that, or set backups",
        ) from error


def _read_all(settings: Settings) -> Iterator[Backup | Finding]:
    for folder in _list_folders(settings):
        if _ID.fullmatch(folder.name) and _is_folder(folder):
            yield read_backup(settings, folder)


def _list_folders(settings: Settings) -> list[Path]:
    """All that lies in the folder of backups. Raises NotPermitted."""
    try:
        return sorted(settings.backups.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotPermitted(
            f"the backups folder {settings.backups} cannot be read",
            why=str(error),
            next="correct that, or set backups",
        ) from error


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _prepare(backups: Path) -> None:
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = backups.stat()
    others = bool(status.st_mode & stat.S_IWOTH)
    if others or (status.st_mode & stat.S_IWGRP and not _is_private_group(status)):
        raise Refused(
            f"{'everybody' if others else 'a group'} may write into the backups folder {backups}",
            why="they could swap a backup for another, and a restore would bring that into the database",
            next=f"chmod go-w {backups}",
        )


def _is_private_group(status: os.stat_result) -> bool:
    """Whether the group is the owner's alone, as most Linux distributions set users up (with umask 002)."""
    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def sweep(backups: Path) -> None:
    """Removes what dead processes left half-written or half-removed; under the lock on the folder."""
    for partial in backups.glob(f"{PARTIAL}*"):
        with contextlib.suppress(OSError):
            lock = os.open(partial, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if partial.is_dir():
                    shutil.rmtree(partial)
                else:
                    partial.unlink()
            finally:
                os.close(lock)


def _flush_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
