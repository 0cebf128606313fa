"""The last backups: when and why each was made, how it was proven, and what a restore of it would need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.api.backups import ListedBackup, ListedBackups, list_newest
from govern.config import Settings
from govern.core.backup import BackupManifest
from govern.core.wording import count_of, first_line, name_bytes, name_revisions, name_seconds
from govern.errors import CouldNotCheck, GovernError
from govern.web.dashboard.visit import Visit
from govern.web.look import Hanging, SharedLook
from govern.web.monitor.request import Reply

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_MOST = 30
_FRESH_SECONDS = 5.0
BackupsLook = SharedLook[ListedBackups | GovernError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known of a backup's worth."""

    tone: str
    """Of its sign."""
    word: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBackup:
    """One of the list."""

    manifest: BackupManifest
    revision: str
    size: str
    proof: Proof
    needs: tuple[str, ...]
    """What a restore would need, in sentences."""


def look_at_backups(settings: Settings) -> BackupsLook:
    """A folder may lie on a disk that hangs: it is read on a thread of its own, for all who ask together."""

    def look() -> ListedBackups | GovernError:
        try:
            return list_newest(settings, most=_MOST)
        except GovernError as error:
            return error
        except Exception as error:
            return CouldNotCheck(f"the backups cannot be read: {type(error).__name__}", why=first_line(error))

    return BackupsLook(look, fresh_seconds=_FRESH_SECONDS)


def show_backups(dashboard: Dashboard, visit: Visit) -> Reply:
    """The newest; asks neither the database nor the store of copies."""
    if not visit.visitor.is_insider:
        return dashboard.show(visit, "closed.html", name="The list of backups")
    settings, seen = dashboard.api.settings, read_backups(dashboard)
    listed, trouble = (None, seen) if isinstance(seen, GovernError) else (seen, None)
    return dashboard.show(
        visit,
        "backups.html",
        trouble=trouble,
        folder=settings.relative(settings.backups),
        has_copies_elsewhere=settings.offsite is not None,
        listed=listed,
        backups=[_describe(one, settings) for one in listed.newest] if listed else (),
    )


def read_backups(dashboard: Dashboard) -> ListedBackups | GovernError:
    """What is there, or why that is not known; in two seconds at most."""
    settings = dashboard.api.settings
    try:
        return dashboard.backups.result()
    except Hanging:
        return CouldNotCheck(
            f"the folder {settings.relative(settings.backups)} does not answer",
            why="the disk or the share that it lies on hangs, or there are very many backups",
            next="load this page again, or ask on the machine: govern backup list",
        )


def find_newest(listed: ListedBackups | GovernError, settings: Settings) -> ShownBackup | GovernError | None:
    """Of the target; None where there is none."""
    if isinstance(listed, GovernError):
        return listed
    ours = (one for one in listed.newest if one.backup.manifest.target == settings.target)
    newest = next(ours, None)
    return _describe(newest, settings) if newest else None


def _describe(listed: ListedBackup, settings: Settings) -> ShownBackup:
    manifest = listed.backup.manifest
    return ShownBackup(
        manifest=manifest,
        revision=name_revisions(manifest.revision) if manifest.revision is not None else "none",
        size=name_bytes(manifest.bytes),
        proof=_judge(manifest),
        needs=tuple(_list_needs(listed, settings)),
    )


def _judge(manifest: BackupManifest) -> Proof:
    if manifest.unfit is not None:
        return Proof(tone="bad", word="not good for a restore", said=manifest.unfit.why)
    if manifest.verified is None:
        return Proof(
            tone="notice", word="never verified", said=f"prove it: govern backup verify {manifest.id}"
        )
    word = "proven by a restore" if manifest.is_proven else "files verified"
    return Proof(
        tone="good" if manifest.is_proven else "notice", word=word, said=manifest.verified.described()
    )


def _list_needs(listed: ListedBackup, settings: Settings) -> Iterator[str]:
    manifest = listed.backup.manifest
    yield f"a server of the same engine: it was made of {_name_engine(manifest)}"
    yield {
        "fits": "the code as it is: the backup is at its newest revision",
        "older": f"the code as it is: the backup is {listed.fits}, which --upgrade makes up for",
        "newer": "newer code: this one does not know the backup's revision",
        "foreign": "the code that it was made with: its revision is of another history",
        "unstamped": "a baseline after it: the backup has no revision",
    }[listed.fit]
    if manifest.is_encrypted:
        is_here = settings.backup_identity is not None
        yield "a private key, " + ("which the settings name" if is_here else "which is not on this machine")
    if manifest.table_bytes is not None:
        yield f"about {name_bytes(manifest.table_bytes)} of space, and the indexes', beside the live database"
    if manifest.drilled is not None:
        yield f"about {name_seconds(manifest.drilled.seconds)}, as a drill took {manifest.drilled.at:%Y-%m-%d}"
    else:
        yield f"a time that nobody has measured: govern backup drill {manifest.id}"


def _name_engine(manifest: BackupManifest) -> str:
    engine = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}.get(manifest.dialect, manifest.dialect)
    tables = count_of(len(manifest.rows), "table")
    return f"{engine} {manifest.server_version}, {tables}"
