"""Losses that nobody has allowed by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.hazard import Hazard

HAZARD = Rule(
    id="guard.hazard",
    name="a loss that nobody allowed by name",
    severity=Severity.WARNING,
    condition="a pending revision drops a table, a column or something else with its content, or changes a type so "
    "that values may not fit",
    effect="govern migrate refuses it; once allowed, what is lost is in the backup alone",
    remedy="allow it by its name",
)


def check_hazards(hazards: Iterable[Hazard], allowed: Collection[str]) -> tuple[Finding, ...]:
    """One finding for each of ``hazards`` that is not among ``allowed``: ``drops-column:users.nick``."""
    return tuple(_finding(hazard) for hazard in hazards if str(hazard) not in allowed)


def _finding(hazard: Hazard) -> Finding:
    return Finding.of(
        HAZARD,
        Subject(kind="hazard", name=str(hazard)),
        hazard.described,
        remedy=f"govern migrate --allow {hazard}, or allow it in the manifest",
    )
