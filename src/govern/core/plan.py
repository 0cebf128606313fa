"""A plan: pending revisions as they ran on a copy of one database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from govern.core.hazard import Hazard
    from govern.core.observation import Observation

RehearsalKind = Literal["schema", "data"]
"""On a copy of the schema, or on the restored backup with its rows."""


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
