"""Ordered work not yet done: pending revisions, repair statements, and the named harms they can do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from govern.core.changes import Change
from govern.core.observation import Observation
from govern.core.snapshot import join_name, split_name

RehearsalKind = Literal["schema", "data"]
"""On a copy of the schema, or on the restored backup with its rows."""


@dataclass(frozen=True, slots=True, order=True)
class Hazard:
    """A named harm: it is allowed by its name, never by a general "force"."""

    name: str
    """``drops-table``, ``drops-column``, ``retypes-column``."""
    subject: str

    def __str__(self) -> str:
        return f"{self.name}:{self.subject}"

    @property
    def described(self) -> str:
        """``users.nick is dropped with its rows``."""
        verbs = {"drops": "is dropped with its rows", "retypes": "is retyped; values may not fit"}
        return f"{self.subject} {verbs[self.name.partition('-')[0]]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A live table that a plan touches; both are estimates."""

    rows: int | None
    """None where the database has no idea: it was never analysed."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One pending revision."""

    revision: str
    message: str
    path: str
    """Relative to the project's root."""
    checksum: str
    """sha256 of the normalised file."""
    parents: tuple[str, ...]
    observations: tuple[Observation, ...]
    """What its statements did on a copy, in order."""
    hazards: tuple[Hazard, ...]
    seconds: float

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(observation.sql for observation in self.observations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """From where to where, and each revision on the way, as they ran on a copy of one database."""

    from_revision: tuple[str, ...]
    to_revision: tuple[str, ...]
    fingerprint: str
    """Of the live schema the copy was made of."""
    rehearsal: RehearsalKind
    steps: tuple[Step, ...]
    sizes: Mapping[str, TableSize] = field(default_factory=dict)
    """Of the live tables that are locked, rewritten, scanned or dropped: ``schema.name``."""

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        return tuple(sorted({hazard for step in self.steps for hazard in step.hazards}))

    @property
    def seconds(self) -> float:
        """How long the revisions took on the copy."""
        return sum(step.seconds for step in self.steps)


def hazard_of(name: str, namespace: str, *parts: str) -> Hazard:
    """The hazard to a table or to something in it; the namespace is said unless it is ``public``."""
    return Hazard(name, join_name(*((namespace,) if namespace not in ("", "public") else ()), *parts))


def hazards_of_changing(changes: tuple[Change, ...], statements: Iterable[str]) -> tuple[Hazard, ...]:
    """What is lost when ``changes`` happen to a database: what of it is gone afterwards, or has another type.

    By name, for engines whose objects have nothing else: what ``statements`` renamed is not lost.
    """
    renamed = _renamed(statements)
    hazards = []
    for change in changes:
        kind, namespace, name = change.key
        if split_name(name) in renamed:
            continue
        if change.action == "removed" and kind in ("table", "column", "materialized-view"):
            hazards.append(hazard_of(f"drops-{kind}", namespace, *split_name(name)))
        elif change.action == "changed" and kind == "column" and "type" in change.facts:
            hazards.append(hazard_of("retypes-column", namespace, *split_name(name)))
    return tuple(sorted(hazards))


_NAME = r"""(?:"([^"]+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))"""
_RENAME = re.compile(
    rf"\s*ALTER\s+TABLE\s+{_NAME}\s+RENAME\s+(?:TO\b|(?:COLUMN\s+)?(?!TO\b){_NAME}\s+TO\b)", re.IGNORECASE
)


def _renamed(statements: Iterable[str]) -> set[tuple[str, ...]]:
    """The tables and columns, by their names before."""
    matches = filter(None, map(_RENAME.match, statements))
    return {tuple(part for part in match.groups() if part) for match in matches}


def hazards_of_undoing(changes: tuple[Change, ...]) -> tuple[Hazard, ...]:
    """What can be lost when changes of a live database are undone: rows of what is dropped or retyped."""
    hazards = []
    for change in changes:
        kind, name = change.key.kind, change.key.name
        if change.action == "added" and kind in ("table", "column", "materialized-view"):
            hazards.append(Hazard(f"drops-{kind}", name))
        elif change.action == "changed" and kind == "column" and "type" in change.facts:
            hazards.append(Hazard("retypes-column", name))
    return tuple(sorted(hazards))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """Statements that bring a live schema back to the declared one, as far as they were proven to."""

    statements: tuple[str, ...]
    changes: tuple[Change, ...]
    """What they undo."""
    hazards: tuple[Hazard, ...]
    remaining: tuple[Change, ...]
    """What still differed after the statements ran on a scratch copy; empty if the repair is proven."""
    problem: str = ""
    """Why the statements could not be proposed, or did not run on the copy."""

    @property
    def is_proven(self) -> bool:
        return bool(self.statements) and not self.remaining and not self.problem
