"""Makes a backup: dump, schema and row counts of one moment, and a manifest that vouches for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from govern.actions.backup.store import DATA, MANIFEST, SNAPSHOT, new_folder, new_id, write_private
from govern.config import Settings
from govern.core.backup import Backup, BackupFile, BackupManifest
from govern.core.snapshot import Snapshot
from govern.database.connection import Connection
from govern.database.dialect import Dialect, Progress, VersionTable
from govern.database.live import version_table
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.source.lock import read_lock, render_lock
from govern.version import __version__

Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a database held at one moment, but for its rows themselves."""

    server_version: str
    revision: tuple[str, ...] | None
    snapshot: Snapshot
    rows: Mapping[str, int]
    table_bytes: int


def create_backup(
    settings: Settings,
    dialect: Dialect,
    url: DatabaseUrl,
    *,
    reason: str,
    narrate: Narrate = lambda _: None,
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Backup:
    """Backs the database up into a new folder of ``settings.backups``; it is not verified yet.

    ``reason`` is a word or two and becomes a part of the id. Where migrations of the database must wait, the
    caller holds the migration lock. Raises Refused, NotPermitted, CouldNotCheck, Unreachable or ToolMissing;
    then there is no new backup, nor a part of one.
    """
    created_at = now()
    backup_id = new_id(reason, created_at)
    seen: list[Content] = []

    def look(connection: Connection) -> None:
        narrate("reading the schema and counting rows")
        seen.append(read_content(dialect, connection, version_table(settings)))
        narrate(f"writing {settings.relative(settings.backups / backup_id)}")

    with new_folder(settings.backups, backup_id) as folder:
        data = folder / DATA
        data.mkdir(mode=0o700)
        tool = dialect.dump(url, data, progress=progress, witness=look)
        (content,) = seen
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
            files=_describe_files(folder),
            table_bytes=content.table_bytes,
        )
        write_private(folder / MANIFEST, manifest.to_text())
    return Backup(path=settings.backups / backup_id, manifest=manifest)


def read_content(dialect: Dialect, connection: Connection, table: VersionTable) -> Content:
    """What the connection's database holds; of one moment if the connection is in a transaction."""
    revision = dialect.read_version_rows(connection, table)
    snapshot = dialect.read_snapshot(connection, table)
    tables = [(key.namespace, key.name) for key in snapshot.of_kind("table")]
    return Content(
        server_version=dialect.read_server_version(connection),
        revision=revision,
        snapshot=snapshot,
        rows=dialect.count_rows(connection, tables),
        table_bytes=dialect.read_extent(connection).tables,
    )


def _describe_files(folder: Path) -> tuple[BackupFile, ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        BackupFile(
            path=file.relative_to(folder).as_posix(), bytes=file.stat().st_size, sha256=hash_file(file)
        )
        for file in files
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
