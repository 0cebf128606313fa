"""Schemas, and what is different between two, as pictures that nobody has drawn yet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from govern.checks.orphans import refer
from govern.config import Settings
from govern.core.diagram import Diagram, draw_schema
from govern.core.diagram_of_change import draw_change
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.core.snapshot import Snapshot, default_namespace
from govern.errors import ConfigurationError
from govern.source.lock import read_lock

if TYPE_CHECKING:
    from govern.source.manifest import Manifest


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

    implied, critical = _read_marks(load_manifest(manifest_file), lock.dialect)
    return draw_schema(lock.snapshot, implied=implied, critical=critical)


def draw_whole(snapshot: Snapshot, manifest: Manifest | None) -> Diagram:
    """Tables and views, with what the manifest says of them."""
    implied, critical = _read_marks(manifest, snapshot.dialect)
    return draw_schema(snapshot, implied=implied, critical=critical, with_views=True)


def draw_difference(before: Snapshot, after: Snapshot, manifest: Manifest | None) -> Diagram:
    """Tables and views of both, each difference marked."""
    implied, critical = _read_marks(manifest, after.dialect)
    return draw_change(before, after, implied=implied, critical=critical)


def _read_marks(manifest: Manifest | None, dialect: str) -> tuple[list[Reference], list[Place]]:
    """Implied relationships and critical tables."""
    if manifest is None:
        return [], []
    home = default_namespace(dialect)
    return (
        [refer(one.source, one.target, home) for one in manifest.relationships],
        [(table.namespace or home, table.table) for table in manifest.critical_tables],
    )
