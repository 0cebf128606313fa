"""What the answer of the drift check hangs on, as one digest: while it is the same, so is the answer.

To replay all revisions in a scratch database every five minutes is much for a database that nobody changes. What a
revision imports from elsewhere is not in the digest: that is why an answer is not kept for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from govern.api.command import local_today
from govern.config import Settings
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target

_PARTS = frozenset({".py", ".sql", ".toml", ".ini", ".cfg", ".yaml", ".yml", ".json"})
"""Of a folder of revisions: compiled files and what editors leave do not count."""


def read_drift_mark(settings: Settings) -> str:
    """A digest of the live schema, its revision, the project's files and the day. Raises what reading them does."""
    live = LiveDatabase(settings, resolve_target(settings))
    with live.connect() as connection:
        version = live.dialect.read_server_version(connection)
        fingerprint = live.dialect.read_fingerprint(connection, live.table)
    facts = (version, fingerprint, *live.read_only_stamp(), local_today().isoformat())
    digest = hashlib.sha256("\0".join(facts).encode())
    for file in _find_files(settings):
        digest.update(f"\0{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _find_files(settings: Settings) -> Iterator[Path]:
    """What decides what is declared at a revision, and what of a difference the project lives with."""
    alembic = settings.alembic
    files = {settings.file, alembic.file, settings.manifest, _find_baseline(settings)}
    for folder in {alembic.script_location, *alembic.version_locations, settings.sql}:
        files |= {path for path in folder.rglob("*") if path.suffix in _PARTS}
    return iter(sorted(file for file in files if file is not None and file.is_file()))


def _find_baseline(settings: Settings) -> Path | None:
    if settings.manifest is None:
        return None
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    baseline = load_manifest(settings.manifest).drift.baseline
    return settings.root / baseline if baseline else None
