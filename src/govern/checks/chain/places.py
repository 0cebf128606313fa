"""Where a finding is: a revision, its file as a report shows it, and a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from govern.core.finding import Subject

if TYPE_CHECKING:
    from govern.revisions.graph import RevisionFile


def show_path(path: Path, root: Path) -> str:
    """Relative to the project's root where the file lies inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def revision_subject(file: RevisionFile, root: Path, *, at: str) -> Subject:
    """A revision, at the line of one of its assignments or functions."""
    return Subject(
        kind="revision", name=file.revision, path=show_path(file.path, root), line=file.line_of(at)
    )
