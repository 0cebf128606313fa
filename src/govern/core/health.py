"""What is learned of a database that is looked at again and again: its condition, and what it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from govern.core.finding import Finding
    from govern.core.probed import Probed

Status = Literal["healthy", "degraded", "critical"]

EXACT_ROWS = 10_000
"""Up to so many rows a table is counted; of a larger one the engine's estimate is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """How many rows a table has. An estimate is told as one."""

    rows: int | None
    """None where neither a count nor an estimate is to be had."""
    is_estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What a table takes on the disk, and when the planner's statistics of it were last brought up to date."""

    bytes: int | None
    """With indexes; None where the engine does not know it without reading the table, or it is locked."""
    analysed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy a database is. None: an engine that has no such thing."""

    bytes: int | None
    """All of the database."""
    connections: int | None
    """To the whole server: it is the server that runs out of them."""
    most_connections: int | None
    locks_waiting: int | None
    """Sessions on this database that wait for a lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestBackup:
    """The target's newest backup on this machine."""

    id: str
    age_seconds: float
    is_proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether an application can work with a database, and why not."""

    status: Status
    message: str
    """One or two sentences; what to do next is among them. Never an address, a role or a row."""
    exists: bool | None
    """None where that could not be found out."""
    is_schema_valid: bool
    """Whether ``validate_on_startup`` would let the application start. What could not be looked at is not valid."""
    is_pending: bool | None = None
    """Whether the database lacks revisions that the application was written for; None where it was not seen."""
    revision: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    counts: Mapping[str, RowCount] = field(default_factory=dict)
    """Of the critical tables that are there, by full name."""
    minimum_rows: Mapping[str, int] = field(default_factory=dict)
    """Of all critical tables, by full name."""
    missing_tables: tuple[str, ...] = ()
    """Declared or critical, by full name."""
    lacking_tables: tuple[str, ...] = ()
    """Critical, and with fewer rows than they must have."""
    findings: tuple[Finding, ...] = ()
    backup: NewestBackup | None = None
    is_backed_up: bool | None = None
    """Whether there is a proven backup that is new enough; None where nobody asks for one."""
    probed: Probed | None = None
    """How the application last answered its probes; None where nobody asked, or where that may not be read."""

    def has_rows(self, table: str) -> bool:
        """Whether a critical table is there, with the rows it must have."""
        if table not in self.counts or table in self.lacking_tables:
            return False
        return self.counts[table].rows is not None or self.minimum_rows[table] == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a database carries."""

    load: Load
    counts: Mapping[str, RowCount]
    """Of the critical tables that are there, by full name."""
    storage: Mapping[str, Storage]
    missing_tables: tuple[str, ...]
    """Of the critical ones."""
    backup: NewestBackup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look at the schema saw, for whoever answers."""

    condition: Condition
    seconds: float | None = None
    """How long it took; None for one that did not end."""
    at: float | None = None
    """Seconds since 1970."""
