"""Rows of files in a scratch copy of the live schema: what arrives there has the live columns' types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govern.actions.exports.declared_tables import read_declared_tables
from govern.actions.exports.matching import Matched, broken, match_files, name_tables
from govern.config import Settings
from govern.core.coercion import write_cell
from govern.core.exports import (
    BAD_ROW,
    MISSING_TABLE,
    UNKNOWN_COLUMN,
    BadCell,
    Column,
    ExportRow,
    StagedRow,
    Tables,
    cut_short,
)
from govern.core.finding import Finding, Severity, Subject
from govern.core.report import Draft, Entry
from govern.core.restoration import Place
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.declared import schema_copy
from govern.errors import Refused
from govern.source.exports import BrokenExport, Series

_BAD_CELLS = 20
"""So many are named of one file; then the rest of it is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """A scratch database with the rows of a folder, for as long as its context lasts."""

    source: LiveDatabase
    tables: tuple[Place, ...]
    """Those that files have rows of."""
    missing: tuple[Place, ...]
    """Those that files have rows of and that the live database has not: nothing of them is staged."""
    findings: tuple[Finding, ...]

    @property
    def is_fit_but_for_tables(self) -> bool:
        """Whether nothing is wrong but that tables are missing."""
        return all(finding.rule is MISSING_TABLE for finding in self._serious)

    @property
    def _serious(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity >= Severity.ERROR)

    def require_fit(self) -> None:
        """Raises Refused unless every file was read and every row fits its table."""
        if serious := self._serious:
            first = serious[0]
            more = f", and {count_of(len(serious) - 1, 'other finding')}" if len(serious) > 1 else ""
            raise Refused(
                "the files cannot be restored as they are",
                why=f"{first.message}{more}",
                next=first.remedy,
            )


@contextmanager
def staged(
    live: LiveDatabase,
    draft: Draft,
    folder: Path,
    *,
    tables: tuple[str, ...] = (),
    narrate: Callable[[str], None],
) -> Iterator[Staging]:
    """The rows of the folder's files; what is wrong with them is an entry of the report.

    ``tables`` names the only ones to take. Raises ConfigurationError where there is nothing to read, CouldNotCheck
    where no scratch database is to be had.
    """
    narrate(f"reading {folder}")
    with live.connect() as connection:
        known = live.dialect.read_columns(connection, live.table)
    matched = match_files(live.settings, folder, known, lambda: read_declared_tables(live), tables)
    narrate("turning the rows into those of the live schema, in a scratch database")
    with schema_copy(live) as copy:
        with copy.connect(read_only=False) as connection:
            rows = tuple(_stage_all(copy, connection, matched, known))
        findings = tuple(matched.findings)
        total = sum(one["rows"] for one in rows)
        said = (
            f"{count_of(total, 'row')} of {count_of(len(rows), 'table')} in {live.settings.relative(folder)}"
        )
        draft.add(Entry.of("files", findings, said))
        draft.data["files"] = list(rows)
        if matched.missing:
            draft.data["missing_tables"] = list(name_tables(matched.missing))
        yield Staging(
            source=copy, tables=tuple(matched.series), missing=tuple(matched.missing), findings=findings
        )


def _stage_all(
    copy: LiveDatabase, connection: Connection, matched: Matched, known: Tables
) -> Iterator[dict[str, Any]]:
    copy.dialect.release_rows(connection)
    for place, series in matched.series.items():
        rows = _Rows(series, known[place])
        try:
            count, bad = copy.dialect.stage_rows(connection, place, rows.columns, rows)
        except _Enough:
            count, bad = 0, ()
        except BrokenExport as error:
            matched.findings.append(broken(copy.settings, error))
            count, bad = 0, ()
        matched.findings += (_of_cell(copy.settings, series, cell) for cell in (*rows.bad, *bad))
        if rows.unknown:
            matched.findings.append(_of_unknown(copy.settings, series, rows.unknown))
        (table,) = name_tables((place,))
        yield {"file": series.file.path.name, "table": table, "rows": count}


class _Enough(Exception):
    """So much of a file is wrong that the rest of it is not read."""


@dataclass(slots=True)
class _Rows:
    """The rows of a series as they are written, and what is found to be wrong with them on the way."""

    series: Series
    table: tuple[Column, ...]
    bad: list[BadCell] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    _names: dict[str, Column | None] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.table if not column.is_computed)

    def __iter__(self) -> Iterator[StagedRow]:
        """Raises BrokenExport, or _Enough once a row was bad: at the end, or when there are too many."""
        for row in self.series.read():
            staged = self._stage(row)
            if len(self.bad) >= _BAD_CELLS:
                raise _Enough
            if not self.bad:
                yield staged
        if self.bad:
            raise _Enough

    def _stage(self, row: ExportRow) -> StagedRow:
        cells: dict[str, str | None] = {}
        for name, value in row.values.items():
            column = self._find(name)
            if column is None:
                self.unknown[name] = self.unknown.get(name, 0) + 1
            elif not column.is_computed:
                self._write(cells, row, column, value)
        if row.values and not any(self._find(name) for name in row.values):
            why = "the row has no column of the table"
            self.bad.append(BadCell(number=row.number, line=row.line, column=None, value=None, why=why))
        keys = [column for column in self.table if column.is_key]
        if len(keys) == 1 and row.key is not None and keys[0].name not in cells:
            self._write(cells, row, keys[0], row.key)
        for column in keys:
            if cells.get(column.name) is None and not any(bad.number == row.number for bad in self.bad):
                why = "the row has no value for it, and without its key nobody can tell whether it is there already"
                self.bad.append(_bad(row, column, None, why))
        return StagedRow(number=row.number, line=row.line, cells=cells)

    def _write(self, cells: dict[str, str | None], row: ExportRow, column: Column, value: Any) -> None:
        if column.name in cells:
            self.bad.append(_bad(row, column, value, "the row has it twice, in two spellings"))
            return
        try:
            cells[column.name] = write_cell(value, column, from_csv=self.series.file.format == "csv")
        except (ValueError, RecursionError) as error:
            self.bad.append(_bad(row, column, value, str(error)))

    def _find(self, name: str) -> Column | None:
        """The column of that name, or the only one that differs in nothing but case."""
        if name not in self._names:
            exact = [column for column in self.table if column.name == name]
            alike = exact or [column for column in self.table if column.name.casefold() == name.casefold()]
            self._names[name] = alike[0] if len(alike) == 1 else None
        return self._names[name]


def _bad(row: ExportRow, column: Column, value: Any, why: str) -> BadCell:
    shown = None if value is None else cut_short(value)
    return BadCell(number=row.number, line=row.line, column=column.name, value=shown, why=why)


def _of_cell(settings: Settings, series: Series, cell: BadCell) -> Finding:
    path = series.file.path
    subject = Subject(kind="file", name=path.name, path=settings.relative(path), line=cell.line)
    evidence = {"row": cell.number, "column": cell.column, "value": cell.value}
    return Finding.of(BAD_ROW, subject, f"{path.name}{cell.described()}", evidence=evidence)


def _of_unknown(settings: Settings, series: Series, unknown: dict[str, int]) -> Finding:
    path = series.file.path
    names = ", ".join(cut_short(name) for name in unknown)
    subject = Subject(kind="file", name=path.name, path=settings.relative(path))
    message = f"{path.name}: the table {series.name} has no column {names}"
    return Finding.of(UNKNOWN_COLUMN, subject, message, evidence=dict(unknown))
