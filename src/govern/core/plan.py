"""Ordered work not yet done: pending revisions, repair statements, and the named harms they can do."""

from __future__ import annotations

from dataclasses import dataclass

from govern.core.changes import Change


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
    statements: tuple[str, ...]
    """What it ran on a scratch database at the same revision as the target."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """From where to where, and each revision on the way."""

    from_revision: tuple[str, ...]
    to_revision: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, order=True)
class Hazard:
    """A named harm: it is allowed by its name, never by a general "force"."""

    name: str
    """``drops-table``, ``drops-column``, ``retypes-column``."""
    subject: str

    def __str__(self) -> str:
        return f"{self.name}:{self.subject}"


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
