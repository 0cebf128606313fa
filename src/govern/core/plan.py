"""Ordered work not yet done: pending revisions, repair statements, and the named harms they can do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from govern.core.changes import Change
from govern.core.observation import Observation
from govern.core.snapshot import ABOUT_AN_OBJECT, Facts, ObjectKey, join_name, split_name

RehearsalKind = Literal["schema", "data"]
"""On a copy of the schema, or on the restored backup with its rows."""


@dataclass(frozen=True, slots=True, order=True)
class Hazard:
    """A named harm: it is allowed by its name, never by a general "force"."""

    name: str
    """``drops-table``, ``-column``, ``-materialized-view``, ``-sequence``, ``-enum-value`` or ``-attribute``,
    ``retypes-column`` or ``-attribute``, ``revokes-grant``."""
    subject: str

    def __str__(self) -> str:
        return f"{self.name}:{self.subject}"

    @property
    def described(self) -> str:
        """``users.nick is dropped with its values``."""
        return f"{self.subject} {_HARMS[self.name]}"

    def concerns(self, key: ObjectKey) -> bool:
        """Whether it is the object, or a part of the type, that is lost."""
        name = key.name if key.namespace in ("", "public") else f"{key.namespace}.{key.name}"
        return self.subject == name or (key.kind in ("enum", "type") and self.subject.startswith(f"{name}."))


_HARMS = {
    "drops-table": "is dropped with its rows",
    "drops-column": "is dropped with its values",
    "drops-materialized-view": "is dropped with its rows",
    "drops-sequence": "is dropped with its position",
    "drops-enum-value": "is dropped; rows that have it are in the way",
    "drops-attribute": "is dropped with its values",
    "retypes-attribute": "is retyped; values may not fit",
    "retypes-column": "is retyped; values may not fit",
    "revokes-grant": "is revoked from whoever relies on it",
}


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
