"""What a project has decided may happen: a rule or a hazard, of one subject, until a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.core.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One decision somebody answers for. It names a rule or a hazard, never "everything"."""

    rule: str | None = None
    """``lint.index-not-concurrent``."""
    hazard: str | None = None
    """``drops-column``."""
    subject: str
    """As the finding or the hazard names it: ``users.nick``, with or without its namespace; a revision's id."""
    reason: str
    owner: str
    expires: date
    """The last day on which it holds."""
    line: int = 1
    """Where the manifest has it."""

    @property
    def name(self) -> str:
        """``drops-column:users.nick``, as ``--allow`` takes a hazard."""
        return f"{self.rule or self.hazard}:{self.subject}"

    def has_expired(self, today: date) -> bool:
        return today > self.expires

    def matches(self, finding: Finding, hazard: str | None = None) -> bool:
        """Whether it speaks of this finding, which is about the hazard of that name, if of any."""
        subject = finding.subject
        names = {subject.name, f"{subject.namespace}.{subject.name}"}
        is_meant = self.rule == finding.rule.id if self.rule else self.hazard == hazard
        return is_meant and self.subject in names


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """All of a manifest."""

    entries: tuple[Allowance, ...] = ()
    path: str = ""
    """The manifest's, for findings about its own entries."""

    def holding(self, today: date) -> tuple[Allowance, ...]:
        return tuple(entry for entry in self.entries if not entry.has_expired(today))

    def expired(self, today: date) -> tuple[Allowance, ...]:
        return tuple(entry for entry in self.entries if entry.has_expired(today))


def sort_out(
    findings: Iterable[tuple[Finding, str | None]], entries: tuple[Allowance, ...]
) -> tuple[tuple[Finding, ...], tuple[Allowance, ...]]:
    """The findings (each with its hazard) that no entry allows, and the entries that allowed something."""
    left: list[Finding] = []
    used: dict[Allowance, None] = {}
    for finding, hazard in findings:
        matching = [entry for entry in entries if entry.matches(finding, hazard)]
        used |= dict.fromkeys(matching)
        if not matching:
            left.append(finding)
    return tuple(left), tuple(used)
