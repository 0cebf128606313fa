"""Folders of SQL files that make tables: what a project without models has in their place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from govern.config import Settings
from govern.errors import ConfigurationError
from govern.source.sql_files import make_tables

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "tests", "test", "backups"})


def find_sql_folders(settings: Settings) -> tuple[Path, ...]:
    """Those below the root in which a file creates a table; of one in another the outer. None of Alembic's."""
    alembic = settings.alembic
    left_out = {settings.backups, alembic.script_location, *alembic.version_locations}
    found: list[Path] = []
    for folder in _walk(settings.root, left_out):
        if not any(folder.is_relative_to(outer) for outer in found) and _makes_tables(folder):
            found.append(folder)
    return tuple(found)


def _walk(root: Path, left_out: Iterable[Path]) -> Iterator[Path]:
    """Folders that have SQL files themselves, outer ones first; the root is none: all of the project is in it."""
    skipped = set(left_out)
    for path, folders, files in os.walk(root):
        here = Path(path)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED
            and not name.startswith(".")
            and here / name not in skipped
            and not (here / name / "pyvenv.cfg").exists()
        )
        if here != root and any(name.endswith(".sql") for name in files):
            yield here


def _makes_tables(folder: Path) -> bool:
    try:
        return make_tables(folder)
    except ConfigurationError:  # a dump, or commands of psql: no source that could be run
        return False
