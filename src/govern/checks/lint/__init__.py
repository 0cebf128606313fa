"""What pending revisions would do to a busy database: seen on a copy, said by squawk, read in their text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from govern.checks.lint.allowances import apply_allowances
from govern.checks.lint.blocking import find_blocking
from govern.checks.lint.losses import find_losses, read_hazards
from govern.checks.lint.pending import Pending, Thresholds, read_pending
from govern.checks.lint.rules import HAZARDS, RULES
from govern.checks.lint.source import find_unsteady
from govern.checks.lint.squawk import find_with_squawk
from govern.checks.lint.transactions import find_misplaced
from govern.core.finding import Finding
from govern.errors import CouldNotCheck

__all__ = [
    "HAZARDS",
    "RULES",
    "Linted",
    "Pending",
    "Thresholds",
    "apply_allowances",
    "lint",
    "read_hazards",
    "read_pending",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What was found, and what could not be looked for."""

    findings: tuple[Finding, ...]
    undecided: Mapping[str, str]
    """Why, by the part: ``locks``, ``squawk``."""


def lint(pending: Pending) -> Linted:
    """Findings of all rules, by file and line; without observations those that the revisions' texts give away.

    Observations are PostgreSQL's: no other engine locks single tables.
    """
    findings = [*find_losses(pending), *find_misplaced(pending), *find_unsteady(pending)]
    undecided: dict[str, str] = {}
    if pending.observations:
        parts: Mapping[str, Callable[[], Iterator[Finding]]] = {
            "locks": lambda: find_blocking(pending),
            "squawk": lambda: find_with_squawk(pending),
        }
        for part, find in parts.items():
            try:
                findings += find()
            except CouldNotCheck as error:
                undecided[part] = f"{error.what}; {error.next}"
    return Linted(findings=tuple(sorted(findings, key=_place)), undecided=undecided)


def _place(finding: Finding) -> tuple[str, int]:
    return finding.subject.path or "", finding.subject.line or 0
