"""A repair: statements that undo changes of a live schema, proposed and then, perhaps, proven."""

from __future__ import annotations

import re
from dataclasses import dataclass

from govern.core.changes import Change
from govern.core.hazard import Hazard
from govern.core.snapshot import ObjectKey, parts_of


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
    return all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", statement) for name in parts_of(key))


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
    locks: tuple[str, ...] = ()
    """What others wait for while the statements run: ``public.notes ACCESS EXCLUSIVE``."""
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
