"""The declared schema as a picture that nobody has drawn yet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from govern.checks.orphans import refer
from govern.config import Settings
from govern.core.diagram import Diagram, draw_schema
from govern.core.snapshot import Snapshot, default_namespace
from govern.errors import ConfigurationError
from govern.source.lock import read_lock


def draw_declared(settings: Settings) -> Diagram:
    """The tables of ``schema.lock``, with what the manifest says of them.

    Raises ConfigurationError where there is no lock, or it or the manifest cannot be read.
    """
    snapshot = _read_snapshot(settings.lock, _when_written(settings.lock, settings))
    home = default_namespace(snapshot.dialect)
    if settings.manifest is None:
        return draw_schema(snapshot)
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    manifest = load_manifest(settings.manifest)
    return draw_schema(
        snapshot,
        implied=[refer(one.source, one.target, home) for one in manifest.relationships],
        critical=[(table.namespace or home, table.table) for table in manifest.critical_tables],
    )


def _when_written(path: Path, settings: Settings) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise ConfigurationError(
            f"{settings.relative(path)} cannot be read",
            why=error.strerror or str(error),
            next="write it: govern lock",
        ) from error


@lru_cache(maxsize=4)
def _read_snapshot(path: Path, _written: int) -> Snapshot:
    """Read once for as long as the file is the same: one of many thousand tables takes a while."""
    lock = read_lock(path)
    if lock is None:
        raise ConfigurationError(f"{path.name} is not there", next="write it: govern lock")
    return lock.snapshot
