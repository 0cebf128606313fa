"""What a command did and learned: entries, and the report they make up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from govern.core.finding import Finding, Severity

if TYPE_CHECKING:
    from govern.core.document import Document

EntryStatus = Literal["passed", "found", "skipped", "crashed"]
ReportStatus = Literal["clean", "found", "refused", "failed", "undecided"]

EXIT_CLEAN = 0
EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_UNDECIDED = 3
EXIT_REFUSED = 4
EXIT_FAILED = 5
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One check, or one step of an action, and how it ended."""

    name: str
    status: EntryStatus
    reason: str = ""
    """Why it was skipped or crashed; what a passed step did."""
    findings: tuple[Finding, ...] = ()
    is_optional: bool = False
    """Nobody asked for it: where it is skipped, nothing is left undecided that was to be decided."""

    @property
    def is_undecided(self) -> bool:
        return self.status in ("skipped", "crashed") and not self.is_optional

    @classmethod
    def of(cls, name: str, findings: tuple[Finding, ...], reason: str = "") -> Entry:
        """The entry of a check that ran to its end: found if it found something, else passed."""
        return cls(name=name, status="found" if findings else "passed", reason=reason, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The database a report is about. ``url`` never carries a password."""

    name: str
    url: str
    dialect: str
    server_version: str | None = None
    revision: tuple[str, ...] | None = None
    """The revisions the database is stamped with; None if it could not be read or has no version table."""
    heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a command did not do what it was asked: the four sentences of an error, and its exit code."""

    what: str
    why: str
    next: str
    state: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one command learned and did."""

    command: str
    started_at: datetime
    duration_ms: int
    entries: tuple[Entry, ...] = ()
    target: Target | None = None
    problem: Problem | None = None
    unmodelled: tuple[str, ...] = ()
    """Object kinds the database holds that no snapshot covers."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the command was asked to list, by name, as JSON values: ``{"backups": [...]}``."""
    document: Document | None = None
    """A page for people, where the command was asked for one: text, Markdown and HTML are nothing else then."""

    @property
    def findings(self) -> Iterator[Finding]:
        return (finding for entry in self.entries for finding in entry.findings)

    @property
    def status(self) -> ReportStatus:
        """Clean only if something ran and everything was decided."""
        if self.problem is not None:
            by_exit_code: dict[int, ReportStatus] = {EXIT_REFUSED: "refused", EXIT_FAILED: "failed"}
            return by_exit_code.get(self.problem.exit_code, "undecided")
        if any(entry.status == "found" for entry in self.entries):
            return "found"
        if not self.entries or any(entry.is_undecided for entry in self.entries):
            return "undecided"
        return "clean"

    def exit_code(self, fail_on: Severity = Severity.ERROR) -> int:
        """The process exit code: a problem's own, else 3 if undecided, 1 for findings that matter, else 0.

        "Could not check" outweighs findings only where there is nothing found that matters.
        """
        if self.problem is not None:
            return self.problem.exit_code
        if any(finding.severity >= fail_on for finding in self.findings):
            return EXIT_FOUND
        if not self.entries or any(entry.is_undecided for entry in self.entries):
            return EXIT_UNDECIDED
        return EXIT_CLEAN

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


class Draft:
    """A report while its command is still working: steps add their entries as they end."""

    def __init__(self, command: str, started_at: datetime) -> None:
        self.command = command
        self.started_at = started_at
        self.entries: list[Entry] = []
        self.target: Target | None = None
        self.unmodelled: tuple[str, ...] = ()
        self.data: dict[str, Any] = {}
        self.document: Document | None = None

    def add(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry

    def replace(self, entry: Entry) -> None:
        """Puts the entry in the place of an earlier one of the same name; at the end if there is none."""
        names = [earlier.name for earlier in self.entries]
        if entry.name in names:
            self.entries[names.index(entry.name)] = entry
        else:
            self.entries.append(entry)

    def passed(self, name: str, reason: str = "") -> None:
        self.add(Entry(name=name, status="passed", reason=reason))

    def finish(self, finished_at: datetime, problem: Problem | None = None) -> Report:
        return Report(
            command=self.command,
            started_at=self.started_at,
            duration_ms=round((finished_at - self.started_at).total_seconds() * 1000),
            entries=tuple(self.entries),
            target=self.target,
            problem=problem,
            unmodelled=self.unmodelled,
            data=dict(self.data),
            document=self.document,
        )
