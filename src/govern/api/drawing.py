"""The declared schema as a picture that nobody has drawn yet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from govern.checks.orphans import refer
from govern.config import Settings
from govern.core.diagram import Diagram, draw_schema
from govern.core.snapshot import default_namespace
from govern.errors import ConfigurationError
from govern.source.lock import read_lock


def draw_declared(settings: Settings) -> Diagram:
    """The tables of ``schema.lock``, with what the manifest says of them.

    Raises ConfigurationError where there is no lock, or it or the manifest cannot be read.
    """
    lock, manifest = settings.lock, settings.manifest
    try:
        written = lock.stat().st_mtime_ns, manifest.stat().st_mtime_ns if manifest else 0
    except OSError as error:
        raise ConfigurationError(
            f"{settings.relative(lock)} cannot be read",
            why=error.strerror or str(error),
            next="write it: govern lock",
        ) from error
    return _draw(lock, manifest, written)


@lru_cache(maxsize=4)
def _draw(lock_file: Path, manifest_file: Path | None, _written: tuple[int, int]) -> Diagram:
    """Once for as long as the files are the same: many thousand tables take a while."""
    lock = read_lock(lock_file)
    if lock is None:
        raise ConfigurationError(f"{lock_file.name} is not there", next="write it: govern lock")
    if manifest_file is None:
        return draw_schema(lock.snapshot)
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    manifest, home = load_manifest(manifest_file), default_namespace(lock.dialect)
    return draw_schema(
        lock.snapshot,
        implied=[refer(one.source, one.target, home) for one in manifest.relationships],
        critical=[(table.namespace or home, table.table) for table in manifest.critical_tables],
    )
