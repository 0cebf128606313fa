"""Which file is of which table. Nothing is guessed: a file for no table is told, with the names that come near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from govern.config import Settings
from govern.core.exports import BROKEN_EXPORT, MISSING_TABLE, NO_SUCH_TABLE, Tables
from govern.core.finding import Finding, Subject
from govern.core.restoration import Place
from govern.errors import ConfigurationError
from govern.source.exports import (
    BrokenExport,
    ExportFile,
    Series,
    find_export_files,
    find_table,
    read_series,
    suggest_tables,
)

ReadDeclared = Callable[[], Iterable[Place]]
"""The tables that should be there; asked only where the live ones do not explain a file."""


@dataclass(slots=True)
class Matched:
    """The rows of a folder by table, and all that is wrong with its files so far."""

    series: dict[Place, Series] = field(default_factory=dict)
    missing: dict[Place, Path] = field(default_factory=dict)
    """Declared tables that files have rows of, and that the live database has not."""
    findings: list[Finding] = field(default_factory=list)


def match_files(
    settings: Settings, folder: Path, live: Tables, declared: ReadDeclared, wanted: tuple[str, ...] = ()
) -> Matched:
    """Finds the table of each file. ``wanted`` are the only ones to take; without any, all are.

    Raises ConfigurationError where there is nothing to read or a wanted table has no file, NotPermitted.
    """
    matching = _Matching(settings, live, declared, wanted)
    files, passed = find_export_files(folder)
    for one in passed:
        matching.found.findings.append(broken(settings, BrokenExport(one.path, one.why)))
    for file in files:
        matching.take(file)
    return matching.done(folder)


def broken(settings: Settings, error: BrokenExport) -> Finding:
    """What a file is not, as a finding that names line and column where they are known."""
    place = f" in column {error.column}" if error.column is not None else ""
    subject = Subject(kind="file", name=error.path.name, path=settings.relative(error.path), line=error.line)
    line = f" line {error.line}{place}" if error.line is not None else ""
    return Finding.of(BROKEN_EXPORT, subject, f"{error.path.name}{line}: {error.why}")


class _Matching:
    """The files of one folder, one after the other."""

    def __init__(
        self, settings: Settings, live: Tables, declared: ReadDeclared, wanted: tuple[str, ...]
    ) -> None:
        self.found = Matched()
        self._settings = settings
        self._live = live
        self._read_declared = declared
        self._wanted = {name: self._require(name) for name in wanted}

    @cached_property
    def _all(self) -> tuple[Place, ...]:
        return tuple({**dict.fromkeys(self._live), **dict.fromkeys(self._read_declared())})

    def take(self, file: ExportFile) -> None:
        named = self._find(file.name)
        if named is not None and not self._is_wanted(named):
            return
        try:
            series = read_series(file, lambda name: self._find(name) is not None)
        except BrokenExport as error:
            self.found.findings.append(broken(self._settings, error))
            return
        for one in series:
            self._place(one)

    def done(self, folder: Path) -> Matched:
        for name, place in self._wanted.items():
            if place not in self.found.series and place not in self.found.missing and not self.found.findings:
                raise ConfigurationError(
                    f"no file in {folder} has rows of {name}",
                    next="see what there is: govern backup list --search DIR",
                )
        return self.found

    def _find(self, name: str) -> Place | None:
        return find_table(name, self._live) or find_table(name, self._all)

    def _require(self, name: str) -> Place:
        place = self._find(name)
        if place is None:
            near = " or ".join(suggest_tables(name, self._all))
            raise ConfigurationError(
                f"there is no table {name[:80]!r}",
                next=f"did you mean {near}?" if near else "see which there are: govern snapshot",
            )
        return place

    def _is_wanted(self, place: Place) -> bool:
        return not self._wanted or place in self._wanted.values()

    def _place(self, series: Series) -> None:
        place = self._find(series.name)
        if place is None:
            if not self._wanted:
                self.found.findings.append(self._of_no_table(series))
        elif not self._is_wanted(place):
            return
        elif place not in self._live:
            self.found.missing[place] = series.file.path
            self.found.findings.append(self._not_there_yet(series, place))
        elif place in self.found.series:
            other = self.found.series[place].file.path.name
            why = f"{other} has rows of {series.name}, too: nobody knows which of both is meant"
            self.found.findings.append(broken(self._settings, BrokenExport(series.file.path, why)))
        else:
            self.found.series[place] = series

    def _of_no_table(self, series: Series) -> Finding:
        name = series.file.path.name
        near = suggest_tables(series.name, self._all)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        said = name if series.name == series.file.name else f"{name}, {series.name}"
        return Finding.of(
            NO_SUCH_TABLE, self._subject(series), f"{said}: there is no table of that name{hint}"
        )

    def _not_there_yet(self, series: Series, place: Place) -> Finding:
        message = f"{series.file.path.name}: the table {place[1]} is declared, and not in the live database"
        return Finding.of(MISSING_TABLE, self._subject(series), message)

    def _subject(self, series: Series) -> Subject:
        path = series.file.path
        return Subject(kind="file", name=path.name, path=self._settings.relative(path))


def name_tables(places: Iterable[Place]) -> Iterator[str]:
    """``users``, ``billing.invoices``."""
    return (name if namespace in ("", "public") else f"{namespace}.{name}" for namespace, name in places)
