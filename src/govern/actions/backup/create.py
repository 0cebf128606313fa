"""Makes a backup: dump, schema and rows' checksums of one moment, and a signed manifest that vouches for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.backup.pace import Pace, expect_bytes
from govern.actions.backup.signing import sign
from govern.actions.backup.store import DATA, MANIFEST, SNAPSHOT, new_folder, new_id, write_private
from govern.core.backup import Backup, BackupFile, BackupManifest
from govern.core.snapshot import place_in
from govern.database.encryption import Keys
from govern.database.version_table import version_table
from govern.errors import ConfigurationError
from govern.source.lock import read_lock, render_lock
from govern.version import __version__

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.contents import Contents
    from govern.core.restoration import Place
    from govern.core.snapshot import Snapshot
    from govern.database.connection import Connection
    from govern.database.dialect import Dialect
    from govern.database.keeping import Moment
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a database held at one moment."""

    server_version: str
    revision: tuple[str, ...] | None
    snapshot: Snapshot
    rows: Mapping[str, int]
    contents: Contents | None
    """The checksums of its rows; None where they were not asked for, or the dialect has none."""
    table_bytes: int

    @property
    def checksums(self) -> Mapping[str, str]:
        """By the names of ``rows``."""
        tables = self.contents.tables if self.contents else {}
        return {_name(place): digest.checksum for place, digest in tables.items()}


def create_backup(
    settings: Settings,
    dialect: Dialect,
    url: DatabaseUrl,
    *,
    reason: str,
    narrate: Narrate = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Backup:
    """Backs the database up into a new folder of ``settings.backups``; it is not verified yet.

    ``reason`` is a word or two and becomes a part of the id. Where migrations of the database must wait, the
    caller holds the migration lock. Raises Refused, NotPermitted, CouldNotCheck, Unreachable or ToolMissing;
    then there is no new backup, nor a part of one.
    """
    created_at = now()
    backup_id = new_id(reason, created_at)
    where = settings.relative(settings.backups / backup_id)
    with new_folder(settings.backups, backup_id) as folder:
        pace = Pace(narrate, f"writing {where}, and reading schema and rows beside it")
        tool, content = _dump(settings, dialect, url, folder / DATA, pace)
        write_private(folder / SNAPSHOT, render_lock(content.snapshot, content.revision or ()))
        manifest = BackupManifest(
            id=backup_id,
            reason=reason,
            created_at=created_at,
            target=settings.target,
            database=url.database,
            dialect=dialect.name,
            server_version=content.server_version,
            tool=tool,
            govern_version=__version__,
            revision=content.revision,
            lock_digest=_read_lock_digest(settings.lock),
            rows=content.rows,
            checksums=content.checksums,
            checksum_algorithm=content.contents.algorithm if content.contents else None,
            files=_describe_files(folder, settings.backup_jobs),
            table_bytes=content.table_bytes,
        )
        manifest = sign(manifest)
        write_private(folder / MANIFEST, manifest.to_text())
    return Backup(path=settings.backups / backup_id, manifest=manifest)


def _dump(
    settings: Settings, dialect: Dialect, url: DatabaseUrl, data: Path, pace: Pace
) -> tuple[str, Content]:
    """Writes the dump; returns what wrote it, and what the database held at that moment."""
    seen: list[Content] = []

    def look(moment: Moment) -> None:
        extent = dialect.read_extent(moment.connection)
        pace.expected_bytes = expect_bytes(settings, url.database, extent), extent.tables
        digest = partial(
            dialect.digest_contents,
            moment.connection,
            moment.open_another,
            version_table(settings),
            jobs=settings.backup_jobs,
        )
        seen.append(read_content(dialect, moment.connection, version_table(settings), digest))

    data.mkdir(mode=0o700)
    tool = dialect.dump(
        url,
        data,
        jobs=settings.backup_jobs,
        keys=Keys.of(settings),
        progress=pace.tell,
        witness=look,
    )
    (content,) = seen
    return tool, content


def read_content(
    dialect: Dialect,
    connection: Connection,
    table: VersionTable,
    digest: Callable[[], Contents | None] = lambda: None,
) -> Content:
    """What the connection's database holds; of one moment if the connection is in a transaction.

    ``digest`` gives the checksums of its rows; what it has counted is not counted again.
    """
    revision = dialect.read_version_rows(connection, table)
    snapshot = place_in(dialect.read_snapshot(connection, table), table.home)
    contents = digest()
    counted = {place: each.rows for place, each in contents.tables.items()} if contents else {}
    tables = [(key.namespace, key.name) for key in snapshot.of_kind("table")]
    others = dialect.count_rows(connection, [place for place in tables if place not in counted])
    return Content(
        server_version=dialect.read_server_version(connection),
        revision=revision,
        snapshot=snapshot,
        rows={**{_name(place): counted[place] for place in tables if place in counted}, **others},
        contents=contents,
        table_bytes=dialect.read_extent(connection).tables,
    )


def _name(place: Place) -> str:
    return ".".join(place)


def _describe_files(folder: Path, jobs: int) -> tuple[BackupFile, ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(jobs) as threads:
        digests = threads.map(hash_file, files)
    return tuple(
        BackupFile(path=file.relative_to(folder).as_posix(), bytes=file.stat().st_size, sha256=digest)
        for file, digest in zip(files, digests, strict=True)
    )


def hash_file(file: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_lock_digest(file: Path) -> str | None:
    try:
        lock = read_lock(file)
    except ConfigurationError:
        return None  # a backup is wanted most when something else is broken
    return lock.digest if lock else None
