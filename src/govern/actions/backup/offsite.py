"""Copies of backups in an object store: written once, listed when complete, brought back when they are needed.

``<offsite>/<id>/…`` has the files of ``<backups>/<id>``. The manifest is written last, and by a put that only
creates (S3: ``If-None-Match``): what has a manifest is complete, and no copy is ever written over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govern.actions.backup.locks import reading
from govern.actions.backup.store import (
    LATEST,
    MANIFEST,
    is_backup_id,
    list_backups,
    new_folder,
    write_private,
)
from govern.core.backup import NOT_COPIED, Backup, BackupFile, BackupManifest, ManifestDamaged
from govern.core.finding import Finding, Subject
from govern.errors import ConfigurationError, CouldNotCheck, ToolMissing

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from govern.config import Settings

_MULTIPART_BYTES = 64 << 20
"""A smaller file goes in one request, held in memory; S3 takes up to 5 GB so."""
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}


def copy_offsite(settings: Settings, backup: Backup, *, narrate: Callable[[str], None]) -> None:
    """Copies a backup of ``settings.backups``; what a copy that was cut short left there is used.

    Raises ToolMissing without obstore, ConfigurationError for a URL that is none, CouldNotCheck where the store
    cannot be written, or has other content under the backup's id.
    """
    narrate(f"copying {backup.id} to {settings.offsite}")
    with reading(backup), _open_store(settings) as store:
        there = _read_manifest(store, backup.id)
        if there is not None and there.files == backup.manifest.files:
            return  # it may say more of a verification, or less
        for file in backup.manifest.files:
            _put(store, backup, file)
        _create(store, f"{backup.id}/{MANIFEST}", backup.manifest.to_text().encode())


def copy_if_asked(
    settings: Settings, backup: Backup, *, narrate: Callable[[str], None]
) -> tuple[Finding, ...]:
    """The same where the settings have a place for it. That it failed is a finding: the backup itself is good."""
    if settings.offsite is None:
        return ()
    try:
        copy_offsite(settings, backup, narrate=narrate)
    except CouldNotCheck as error:
        subject = Subject(kind="backup", name=backup.id, path=settings.relative(backup.path))
        remedy = f"{error.next}, then: govern backup copy" if isinstance(error, ToolMissing) else ""
        return (Finding.of(NOT_COPIED, subject, f"{error.what}: {error.why}", remedy=remedy),)
    return ()


def list_offsite(settings: Settings) -> tuple[BackupManifest, ...]:
    """The manifests of the complete copies, newest first; empty where the settings have no place for copies.

    What is under another name than its id, or damaged, is left out. Raises as ``copy_offsite`` does.
    """
    if settings.offsite is None:
        return ()
    with _open_store(settings) as store:
        import obstore

        names = obstore.list_with_delimiter(store)["common_prefixes"]
        found = [_read_manifest(store, name) for name in names if is_backup_id(name)]
    manifests = [manifest for manifest in found if manifest is not None]
    return tuple(sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.id), reverse=True))


def fetch_offsite(settings: Settings, backup_id: str, *, narrate: Callable[[str], None]) -> Backup | None:
    """Brings a copy into ``settings.backups``, whole or not at all; None where there is no such copy.

    Every file must have the SHA-256 that the manifest says. Raises as ``copy_offsite`` does, and NotPermitted
    or Refused for the backups folder.
    """
    if settings.offsite is None or not is_backup_id(backup_id):
        return None
    with _open_store(settings) as store:
        manifest = _read_manifest(store, backup_id)
        if manifest is None:
            return None
        narrate(f"fetching {backup_id}, {manifest.bytes:,} bytes, from {settings.offsite}")
        with new_folder(settings.backups, backup_id) as folder:
            for file in manifest.files:
                _get(store, backup_id, file, folder)
            write_private(folder / MANIFEST, manifest.to_text())
    return Backup(path=settings.backups / backup_id, manifest=manifest)


def bring_here(settings: Settings, wanted: str, *, narrate: Callable[[str], None]) -> None:
    """Fetches the wanted backup where the copy is all there is of it: an id, or ``latest`` of the target.

    Does nothing where the backup is here, or nowhere: whoever looks for it next says so.
    """
    if settings.offsite is None:
        return
    if wanted != LATEST:
        if is_backup_id(wanted) and not (settings.backups / wanted).exists():
            fetch_offsite(settings, wanted, narrate=narrate)
    elif not any(backup.manifest.target == settings.target for backup in list_backups(settings)):
        ours = (one for one in list_offsite(settings) if one.target == settings.target)
        if newest := next(ours, None):
            fetch_offsite(settings, newest.id, narrate=narrate)


@contextmanager
def _open_store(settings: Settings) -> Iterator[ObjectStore]:
    try:
        from obstore import exceptions
        from obstore.store import LocalStore, from_url
    except ImportError as error:
        raise ToolMissing(
            "copies of backups in an object store need obstore",
            why="it is not installed",
            next="pip install 'govern[offsite]'",
        ) from error
    url = settings.offsite or ""
    try:
        # a local store of the settings makes its folder; the others are made by whoever pays for them
        if url.startswith("file:"):
            yield LocalStore.from_url(url, mkdir=True)
        else:
            yield from_url(url, retry_config=_RETRIES)  # type: ignore[call-overload]  # by the scheme
    except (exceptions.BaseError, OSError) as error:
        words = str(error).strip().partition("\n")[0]
        if "URL" in words and "Unable to recognise" in words:
            raise ConfigurationError(
                f"offsite is no URL of an object store: {url!r}",
                next="s3://bucket/folder, gs://…, az://… or file:///folder",
            ) from error
        raise CouldNotCheck(
            f"the object store {url} could not be used",
            why=words,
            next="see to its address and credentials, then run: govern backup copy",
        ) from error


def _put(store: ObjectStore, backup: Backup, file: BackupFile) -> None:
    import obstore

    key = f"{backup.id}/{file.path}"
    path = backup.path / file.path
    if file.bytes < _MULTIPART_BYTES:
        _create(store, key, path.read_bytes())
    elif not _holds(store, key, file.sha256):
        # an upload in parts has no create mode; until the manifest is there nobody reads what it replaces
        obstore.put(store, key, path, use_multipart=True)


def _create(store: ObjectStore, key: str, content: bytes) -> None:
    import obstore
    from obstore.exceptions import AlreadyExistsError

    try:
        obstore.put(store, key, content, mode="create", use_multipart=False)
    except AlreadyExistsError as error:
        if not _holds(store, key, hashlib.sha256(content).hexdigest()):
            raise CouldNotCheck(
                f"{key} is in the object store already, with other content",
                why="a copy of a backup is never written over",
                next="find out who wrote it, and remove it there",
            ) from error


def _holds(store: ObjectStore, key: str, sha256: str) -> bool:
    import obstore

    digest = hashlib.sha256()
    try:
        for chunk in obstore.get(store, key).stream():
            digest.update(chunk)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == sha256


def _get(store: ObjectStore, backup_id: str, file: BackupFile, folder: Path) -> None:
    import obstore

    path = folder / file.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    digest = hashlib.sha256()
    with path.open("wb") as content:
        for chunk in obstore.get(store, f"{backup_id}/{file.path}").stream():
            digest.update(chunk)
            content.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise CouldNotCheck(
            f"the copy of {backup_id} in the object store is damaged",
            why=f"{file.path} is not what its manifest says",
            next="take another backup: govern backup list",
        )


def _read_manifest(store: ObjectStore, backup_id: str) -> BackupManifest | None:
    import obstore

    try:
        content: Any = obstore.get(store, f"{backup_id}/{MANIFEST}").bytes()
        manifest = BackupManifest.from_text(bytes(content).decode())
    except (FileNotFoundError, ManifestDamaged, UnicodeDecodeError):
        return None
    return manifest if manifest.id == backup_id else None
