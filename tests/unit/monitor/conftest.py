"""A monitor whose clock and checks are made up; its notes are in a real SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govern.checks.probes.rules import UNEXPECTED_STATUS
from govern.config import load
from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.fixing import AllowedFix, Moment, Policy
from govern.core.issue import Issue
from govern.core.report import Entry
from govern.database.url import DatabaseUrl
from govern.monitor.checks import Repaired, Seen
from govern.monitor.loop import Monitor
from govern.monitor.policy import Orders
from govern.monitor.worker import Asking

INDEX_GONE = Rule(
    id="drift.index-removed", name="", severity=Severity.ERROR, condition="", effect="", remedy=""
)
POLICY = Policy(
    mode="apply", allowed=(AllowedFix(kind="recreate_missing"),), critical_tables=frozenset({"users"})
)


class Clock:
    """Goes on when somebody sleeps, and jumps when it is told to."""

    def __init__(self) -> None:
        self.wall = datetime(2031, 5, 6, 12, tzinfo=UTC)
        self.monotonic = 1_000.0

    def now(self) -> Moment:
        return Moment(wall=self.wall, monotonic=self.monotonic)

    def sleep(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds)


@dataclass
class World:
    """What the checks find, and what becomes of fixes."""

    gone: set[str] = field(default_factory=set)
    """Names of indexes."""
    is_reachable: bool = True
    repair_problem: str = ""
    comes_back: bool = False
    makes_worse: bool = False
    """Whether another index is gone after a repair."""
    back_problem: str = ""
    looks: int = 0
    application: dict[str, str] = field(default_factory=dict)
    """What is wrong with a sequence of probes; ``…`` while it is being asked, ``?`` where it breaks off."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    asking: int = 0
    repairs: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)

    def look(self, names: Sequence[str]) -> Iterator[Seen]:
        self.looks += "chain" in names  # not those after a fix
        for name in names:
            findings = tuple(_missing(index) for index in sorted(self.gone)) if name == "drift" else ()
            status = Entry.of(name, findings)
            yield Seen(entry=status, is_decided=self.is_reachable, is_reachable=self.is_reachable)
            if not self.is_reachable:
                return

    def repair(self, issue: Issue, most_rows: int | None) -> Repaired:
        self.repairs.append(issue.key)
        if not self.repair_problem and not self.comes_back:
            self.gone = {index for index in self.gone if _missing(index).key != issue.key}
        if self.makes_worse:
            self.gone |= {"lost"}
        return Repaired(problem=self.repair_problem, run=f"run-{len(self.repairs)}", backup="backup-1")

    def take_back(self, run: str) -> Repaired:
        self.taken_back.append(run)
        if not self.back_problem:
            self.gone -= {"lost"}
        return Repaired(problem=self.back_problem, run="run-back", backup="backup-2")

    def ask(self, sequences: tuple[str, ...], seconds: float) -> Asking:
        self.asked.append(sequences)
        self.asking += 1
        return Answering(self, sequences)


@dataclass
class Answering:
    """Probes that come to their end when their application is not ``…`` any more."""

    world: World
    sequences: tuple[str, ...]

    def collect(self, patience_seconds: float = 0.0) -> tuple[Seen, ...] | None:
        wrong = {name: self.world.application.get(name, "") for name in self.sequences}
        if "…" in wrong.values():
            return None
        return tuple(
            Seen(
                entry=Entry.of(f"probe {name}", (_unexpected(name, problem),) if problem.strip("?") else ()),
                is_decided=not problem.endswith("?"),
            )
            for name, problem in wrong.items()
        )

    def end(self) -> None:
        self.world.asking -= 1


def _unexpected(sequence: str, problem: str) -> Finding:
    return Finding.of(
        UNEXPECTED_STATUS,
        Subject(kind="probe", name=f"{sequence}: {problem}"),
        f"{sequence}: {problem} answered 500",
        severity=Severity.CRITICAL,
        evidence={"request": problem, "status": 500, "ms": 12, "expected": "200"},
    )


def _missing(index: str) -> Finding:
    return Finding.of(
        INDEX_GONE,
        Subject(kind="index", name=f"users.{index}"),
        f"{index} is declared, but does not exist",
        severity=Severity.CRITICAL,
        fix=Fix(sql=(f"CREATE INDEX {index} …",), proven=True),
    )


@pytest.fixture
def url(tmp_path: Path) -> DatabaseUrl:
    file = tmp_path / "app.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    return DatabaseUrl.parse(f"sqlite:///{file}")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders() -> Orders:
    return Orders(policy=POLICY)


@pytest.fixture
def monitor(
    tmp_path: Path, url: DatabaseUrl, world: World, clock: Clock, orders: Orders
) -> Iterator[Monitor]:
    """It looks every five minutes."""
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    made = Monitor(
        settings, url, work=world, clock=clock, read=lambda _settings, _dialect: orders, share=lambda: 0.5
    )
    yield made
    made.close()
