"""Where a report's findings are shown in a repository: CI systems know files and lines, and no databases.

What is about an object of the schema is shown at its line in ``schema.lock``, which declares it; what is about no
file at all at the project's configuration. Paths are relative to the repository, where the project is a folder of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.finding import Finding, Subject

_CONFIGURATIONS = ("govern.toml", "pyproject.toml", "alembic.ini")
_DEFAULT_NAMESPACE = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path with forward slashes, and where in that file; lines and columns counted from 1."""

    path: str
    line: int = 1
    column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Of one project."""

    folder: str = ""
    """The project's folder in its repository; empty where it is the repository."""
    home: str = "pyproject.toml"
    """The project's configuration: what is about no file is shown there."""
    lock: str | None = None
    """None where there is none."""
    declared: Mapping[str, int] = field(default_factory=dict)
    """The lock's lines by what they declare: ``column public.users.age``."""

    def find(self, finding: Finding) -> Place:
        subject = finding.subject
        if subject.path is not None:
            column = finding.evidence.get("column")
            return Place(
                path=self._in_repository(subject.path),
                line=max(subject.line or 1, 1),
                column=column if isinstance(column, int) and column > 0 else None,
            )
        if self.lock is None:
            return self.root
        lines = (self.declared[name] for name in _name_declarations(subject) if name in self.declared)
        return Place(path=self._in_repository(self.lock), line=next(lines, 1))

    @property
    def root(self) -> Place:
        """Of what is about the project as a whole."""
        return Place(path=self._in_repository(self.home))

    def _in_repository(self, path: str) -> str:
        """Without ``..``: what is scanned may lie beside the project."""
        return posixpath.normpath(PurePosixPath(self.folder) / path)


def find_places(settings: Settings | None, *, start: Path | None = None) -> Places:
    """Those of the project; of the working directory where its configuration could not be read."""
    root = settings.root if settings else (start or Path.cwd()).resolve()
    folder = _find_folder(root)
    if settings is None:
        home = next((name for name in _CONFIGURATIONS if (root / name).exists()), _CONFIGURATIONS[1])
        return Places(folder=folder, home=home)
    file = settings.file or settings.alembic.file
    lines = _read_lines(settings.lock)
    return Places(
        folder=folder,
        home=settings.relative(file) if file else _CONFIGURATIONS[1],
        lock=settings.relative(settings.lock) if lines else None,
        declared={line: number for number, line in lines if line and not line.startswith((" ", "#"))},
    )


def _find_folder(root: Path) -> str:
    """Of the project, as its repository has it: where there is ``.git``, a folder or the file of a work tree."""
    repository = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    folder = root.relative_to(repository).as_posix()
    return "" if folder == "." else folder


def _read_lines(lock: Path) -> tuple[tuple[int, str], ...]:
    try:
        return tuple(enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1))
    except (OSError, ValueError):
        return ()  # the report says what is wrong with it


def _name_declarations(subject: Subject) -> Iterator[str]:
    """What the lock may call the subject, then the tables it may be a part of."""
    namespaces = [subject.namespace] if subject.namespace else ["", _DEFAULT_NAMESPACE]
    for namespace in namespaces:
        lead = f"{namespace}." if namespace else ""
        yield f"{subject.kind} {lead}{subject.name}"
        yield f"column {lead}{subject.name}"
        yield f"table {lead}{subject.name}"
        yield f"table {lead}{subject.name.rpartition('.')[0]}"
