"""What is remembered from one look at a database to the next: files as they were read, and what a closer look found.

Each is asked whether it still stands; nothing is shown because it is young.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from govern.checks.startup import Expectation
from govern.core.report import Report
from govern.core.run import Run
from govern.database.dialect import Dialect
from govern.database.look import Look
from govern.database.version_table import VersionTable, version_table
from govern.errors import NotPermitted
from govern.startup import Question

T = TypeVar("T")


class FromFiles(Generic[T]):
    """What was read from files and folders, read again when one of them changed."""

    def __init__(self, paths: tuple[Path | None, ...], read: Callable[[], T]) -> None:
        self._paths = paths
        self._read = read
        self._known: tuple[object, T] | None = None

    def read(self) -> T:
        marks = tuple(_mark(path) for path in self._paths)
        if self._known is None or self._known[0] != marks:
            self._known = (marks, self._read())
        return self._known[1]


def _mark(path: Path | None) -> object:
    try:
        seen = path.stat() if path else None
    except OSError:
        return None
    return seen and (seen.st_ino, seen.st_size, seen.st_mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows that decide what a closer look finds; the schema's part has a watermark."""

    stamped: tuple[str, ...] | None
    newest: tuple[Run, ...]
    counted: Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    expected: Expectation
    watermark: str
    rows: _Rows
    report: Report


class CloserLook:
    """To read a whole schema takes long, and a database that is not as it should be is asked as often as any other.

    So what was found stands until the server says that a definition may have been written since.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: _Known | None = None

    def look(self, look: Look, question: Question) -> Report:
        table = version_table(question.settings)
        rows = self._read_rows(look, question, table)
        if (known := self._known) and self._stands(known, look, question, rows):
            return known.report
        self._known = None
        watermark = self._dialect.read_watermark(look.connection, table)  # before what it is to stand for
        report = question.look_closer(look)
        if watermark and rows:
            self._known = _Known(expected=question.expected, watermark=watermark, rows=rows, report=report)
        return report

    def _stands(self, known: _Known, look: Look, question: Question, rows: _Rows | None) -> bool:
        table = version_table(question.settings)
        return (known.expected, known.rows) == (question.expected, rows) and self._dialect.is_untouched(
            look.connection, table, known.watermark
        )

    def _read_rows(self, look: Look, question: Question, table: VersionTable) -> _Rows | None:
        """None where the role may not read all of it: then nothing is remembered."""
        try:
            return _Rows(
                stamped=self._dialect.read_version_rows(look.connection, table),
                newest=self._dialect.read_runs(look.connection, 1),
                counted=look.count_rows(question.expected.minimum_rows),
            )
        except NotPermitted:
            return None
