"""Where the project's revision files lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from govern.config import Settings


def revision_files(settings: Settings) -> Iterator[Path]:
    """All of them, by their names alone."""
    for folder in version_folders(settings):
        yield from (file for file in folder.glob("*.py") if not file.name.startswith("__"))


def version_folders(settings: Settings) -> tuple[Path, ...]:
    """What ``versions`` stands for here: one folder, several, or one for each engine."""
    return _folders_by_engine(settings) or settings.alembic.version_locations


def locations_by_engine(settings: Settings) -> str | None:
    """Where the revisions are in a folder for each engine, as govern's configuration has it; else None."""
    folders = _folders_by_engine(settings)
    return f"{settings.relative(folders[0].parent)}/{{dialect}}" if folders else None


def _folders_by_engine(settings: Settings) -> tuple[Path, ...]:
    alembic = settings.alembic
    versions = alembic.script_location / "versions"
    folders = tuple(
        versions / name for name in ("postgresql", "sqlite") if any((versions / name).glob("*.py"))
    )
    if alembic.recursive_version_locations or len(folders) < 2 or any(versions.glob("*.py")):
        return ()
    return folders
