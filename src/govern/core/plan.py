"""Ordered work not yet done: pending revisions, repair statements, and the named harms they can do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from govern.core.changes import Change
from govern.core.snapshot import ABOUT_AN_OBJECT, Facts, ObjectKey, split_name


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
    """``drops-table``, ``-column``, ``-materialized-view``, ``-sequence``, ``-enum-value`` or ``-attribute``,
    ``retypes-column`` or ``-attribute``, ``revokes-grant``."""
    subject: str

    def __str__(self) -> str:
        return f"{self.name}:{self.subject}"

    def concerns(self, key: ObjectKey) -> bool:
        """Whether it is the object, or a part of the type, that is lost."""
        name = key.name if key.namespace in ("", "public") else f"{key.namespace}.{key.name}"
        return self.subject == name or (key.kind in ("enum", "type") and self.subject.startswith(f"{name}."))


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


_GRANTABLE = " WITH GRANT OPTION"


def hazards_of_revoking(changes: Iterable[Change]) -> tuple[Hazard, ...]:
    """Who can do less once changes of a live database are undone: an application may rely on a grant made by hand."""
    return tuple(Hazard("revokes-grant", change.key.name) for change in changes if _undoing_revokes(change))


def _undoing_revokes(change: Change) -> bool:
    if change.key.kind != "grant":
        return False
    declared, live = (_privileges(facts) for facts in (change.declared, change.live))
    if change.action == "removed":
        return not declared  # nothing, where everybody has something by default
    is_owners = change.key.name.endswith(" to (owner)")
    more = {privilege for privilege in live - declared if f"{privilege}{_GRANTABLE}" not in declared}
    return bool(more) and not (change.action == "added" and is_owners)


def _privileges(facts: Facts | None) -> set[str]:
    privileges = (facts or {}).get("privileges")
    return set(privileges) if isinstance(privileges, tuple) else set()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStep:
    """One statement of a repair."""

    sql: str
    undoes: tuple[ObjectKey, ...] = ()
    """The changes it is there for; none where it goes with the script as a whole."""


def attribute_statements(statements: tuple[str, ...], keys: tuple[ObjectKey, ...]) -> tuple[RepairStep, ...]:
    """Each statement with the changed objects that it names: what is known of statements made elsewhere."""
    return tuple(
        RepairStep(sql=statement, undoes=tuple(key for key in keys if _is_named_in(statement, key)))
        for statement in statements
    )


def _is_named_in(statement: str, key: ObjectKey) -> bool:
    names = split_name(key.name.partition(" ")[2] if key.kind in ABOUT_AN_OBJECT else key.name)
    return all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", statement) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A repair that nobody has proven yet."""

    steps: tuple[RepairStep, ...]
    hazards: tuple[Hazard, ...]
    """What is lost by them."""
    doubts: tuple[str, ...] = ()
    """Sentences on what was not guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """Statements that bring a live schema back to the declared one, as far as they were proven to."""

    steps: tuple[RepairStep, ...]
    changes: tuple[Change, ...]
    """What they undo."""
    hazards: tuple[Hazard, ...]
    remaining: tuple[Change, ...]
    """What still differed after the statements ran on a scratch copy; empty if the repair is proven."""
    doubts: tuple[str, ...] = ()
    """Sentences on what was not guessed, such as what may have been renamed."""
    problem: str = ""
    """Why the statements could not be proposed, or did not run on the copy."""

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(step.sql for step in self.steps)

    def statements_for(self, key: ObjectKey) -> tuple[str, ...]:
        """What the change of ``key`` needs, and what goes with the script as a whole."""
        about = [step for step in self.steps if key in step.undoes]
        return tuple(step.sql for step in self.steps if not step.undoes or step in about) if about else ()

    @property
    def is_proven(self) -> bool:
        return bool(self.steps) and not self.remaining and not self.problem
