"""What became of a database in a span of time, as far as anybody wrote it down: for people who ask afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from govern.core.backup import BackupManifest
from govern.core.issue import Issue
from govern.core.monitoring import Event, MonitorStatus
from govern.core.probed import Probed
from govern.core.report import Report, Target
from govern.core.run import Run

Proofs = tuple[Mapping[str, Any], ...]
"""As ``govern probe --format json`` has them under ``probes``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the application answered, the last of it at a time."""

    at: datetime
    by: str
    """Who asked: a command with its run, or a file that was given."""
    proofs: Proofs

    @property
    def ended(self) -> Mapping[str, str]:
        """How each sequence did, as an entry: ``passed``."""
        return {str(proof["name"]): str(proof.get("status")) for proof in self.proofs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A report that somebody kept as JSON."""

    path: str
    report: Report

    @property
    def answers(self) -> Answers | None:
        """What the application answered; None where nobody asked it."""
        proofs = self.report.data.get("probes")
        if not isinstance(proofs, list):
            return None
        ended_at = self.report.started_at + timedelta(milliseconds=self.report.duration_ms)
        return Answers(at=ended_at, by=self.path, proofs=tuple(proofs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was done in a span of time, and seen."""

    since: datetime
    until: datetime
    runs: tuple[Run, ...] = ()
    """The oldest first."""
    only_in_file: frozenset[str] = frozenset()
    """Ids of those that the database's own ledger does not have: it was put back to before them."""
    events: tuple[Event, ...] = ()
    """The monitor's, the oldest first."""
    issues: tuple[Issue, ...] = ()
    """Those that were there at some time of it; the monitor remembers those that are gone for a week."""
    answers: tuple[Answers, ...] = ()
    """The oldest first."""
    unknown: tuple[str, ...] = ()
    """What could not be found out, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """How a database is now."""

    at: datetime
    target: Target | None
    looks: Mapping[str, Report]
    """By command: ``health``, ``drift``, ``integrity``; also of one that could not be carried out."""
    backups: tuple[BackupManifest, ...] = ()
    """On this machine, the newest first."""
    pending: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    status: MonitorStatus | None = None
    """The monitor's."""
    probed: Probed | None = None
    picture: str | None = None
    """Of the critical tables, as SVG."""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A span of time in which something broke, and was brought back."""

    past: Past
    present: Present
    before: tuple[Saved, ...] = ()
    used: Mapping[str, BackupManifest | None] = field(default_factory=dict)
    """The backups that runs name; None where one is not on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """One migration, afterwards."""

    target: Target | None
    run: Run
    backup: BackupManifest | None = None
