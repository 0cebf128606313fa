"""What the manifest's repairs have to do now; and which of them take away what other checks have found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.checks.due_repairs import fix_by, judge_plan
from govern.checks.orphans import OrphanCheck
from govern.checks.rows import SEQUENCE_BEHIND
from govern.core.finding import Finding
from govern.core.row_repair import RowPlan, RowRepair
from govern.core.schema_repair import SchemaPlan
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, GovernError

if TYPE_CHECKING:
    from govern.core.reference import Reference
    from govern.source.manifest import Manifest, Repair

_OF_ORPHANS = ("delete_orphans", "set_null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """Findings that name the repair that takes them away."""

    findings: tuple[Finding, ...]
    settled: frozenset[str] = frozenset()
    """The names of repairs of which is known what they have to do."""


def attribute_orphans(live: LiveDatabase, manifest: Manifest | None, check: OrphanCheck) -> Attributed:
    """Each reference's finding with the repair that is declared for it, the first one where there are several."""
    repairs = [one for one in _repairs(manifest) if one.kind in _OF_ORPHANS and one.of is not None]
    if manifest is None or not repairs:
        return Attributed(findings=check.findings)
    resolved = _resolve(live, manifest, repairs, check.references)
    whole = {_sides(one.reference) for one in check.looked_at if one.sampled_percent is None}
    found = {_sides(one.reference): finding for one, finding in check.with_orphans}
    by_key: dict[str, Repair] = {}
    for repair, one in resolved:
        if one.reference is not None and (finding := found.get(_sides(one.reference))) is not None:
            by_key.setdefault(finding.key, repair)
    return Attributed(
        findings=tuple(_with_repair(finding, by_key) for finding in check.findings),
        settled=frozenset(
            repair.name
            for repair, one in resolved
            if one.reference is not None and _sides(one.reference) in {*whole, *found}
        ),
    )


def attribute_sequences(
    live: LiveDatabase, manifest: Manifest | None, findings: tuple[Finding, ...]
) -> Attributed:
    """The same for sequences that are behind their columns."""
    repairs = [one for one in _repairs(manifest) if one.kind == "move_sequence"]
    behind = {
        (finding.subject.namespace, finding.subject.name): finding
        for finding in findings
        if finding.rule.id == SEQUENCE_BEHIND.id
    }
    if manifest is None or not repairs or not behind:
        return Attributed(findings=findings)
    by_key: dict[str, Repair] = {}
    for repair, one in _resolve(live, manifest, repairs, ()):
        if one.sequence is not None and (finding := behind.get(one.sequence.sequence)) is not None:
            by_key.setdefault(finding.key, repair)
    return Attributed(
        findings=tuple(_with_repair(finding, by_key) for finding in findings),
        settled=frozenset(repair.name for repair in by_key.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCheck:
    """What is due, and what could not be looked at, with the reason."""

    findings: tuple[Finding, ...]
    not_looked_at: Mapping[str, str]


def find_due(live: LiveDatabase, manifest: Manifest, *, settled: frozenset[str], seconds: float) -> DueCheck:
    """Plans every repair of rows but the ``settled`` ones, for at most ``seconds`` together; changes nothing.

    What repairs of the schema are about is found by the check of drift.
    """
    findings, not_looked_at = [], {}
    path = live.settings.relative(manifest.path)
    waiting = [one for one in manifest.repairs if one.name not in settled and not one.is_of_schema]
    for repair, plan in plan_within(live, manifest, waiting, seconds=seconds):
        if isinstance(plan, str):
            not_looked_at[repair.name] = plan
        elif isinstance(plan, RowPlan) and (
            finding := judge_plan(plan, repair, dialect=live.dialect.name, path=path)
        ):
            findings.append(finding)
    return DueCheck(findings=tuple(findings), not_looked_at=not_looked_at)


def plan_within(
    live: LiveDatabase,
    manifest: Manifest,
    repairs: Iterable[Repair],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[Repair, RowPlan | SchemaPlan | str]]:
    """Each repair with its plan, or why there is none. The time is shared: what one leaves is for the others."""
    from govern.actions.repairs.named import planning_named

    waiting = list(repairs)
    deadline = clock() + seconds
    with planning_named(live, manifest) as plan:
        while waiting:
            share = max(0.0, deadline - clock()) / len(waiting)
            repair = waiting.pop(0)
            try:
                yield repair, plan(repair, share)
            except GovernError as error:
                yield repair, ": ".join(filter(None, (error.what, error.why)))


def _repairs(manifest: Manifest | None) -> tuple[Repair, ...]:
    return manifest.repairs if manifest else ()


def _resolve(
    live: LiveDatabase, manifest: Manifest, repairs: Iterable[Repair], references: tuple[Reference, ...]
) -> list[tuple[Repair, RowRepair]]:
    """Those that speak of what the database has; of the others their plans say what is wrong."""
    from govern.actions.repairs.declared import resolve

    path, found = live.settings.relative(manifest.path), []
    with live.connect() as connection:
        for repair in repairs:
            try:
                found.append((repair, resolve(connection, live, repair, references, path)))
            except ConfigurationError:
                continue
    return found


def _with_repair(finding: Finding, repairs: Mapping[str, Repair]) -> Finding:
    repair = repairs.get(finding.key)
    if repair is None:
        return finding
    return replace(
        finding,
        severity=max(finding.severity, repair.severity),
        remedy=f"govern repair plan {repair.name}; {finding.remedy}",
        fix=fix_by(repair),
    )


def _sides(reference: Reference) -> tuple[object, ...]:
    return reference.child, reference.columns, reference.parent, reference.parent_columns
