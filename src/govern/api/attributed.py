"""Which of the manifest's repairs takes away what a check has found: such a finding names it, and is told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.checks.drift import key_of
from govern.checks.due_repairs import fix_by
from govern.checks.orphans import OrphanCheck
from govern.checks.rows import SEQUENCE_BEHIND
from govern.core.changes import Change
from govern.core.finding import Finding, Fix
from govern.core.fixing import GENTLE_WAYS
from govern.core.row_repair import RowRepair
from govern.core.schema_repair import REBUILD_KIND
from govern.core.snapshot import ObjectKey, Snapshot, is_called, join_name
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


def attribute_drift(
    live: LiveDatabase,
    manifest: Manifest | None,
    findings: tuple[Finding, ...],
    expected: Snapshot,
    schema: Snapshot,
    changes: tuple[Change, ...],
) -> tuple[Finding, ...]:
    """The same for differences from the stamped revision, in the words of ``schema``, and repairs of the schema.

    A finding keeps the statements that take it away at once, unless a repair does it while others read and write.
    """
    by_key: dict[str, Repair] = {}
    for repair in _repairs(manifest):
        if repair.is_of_schema:
            asking = (live, repair, expected, schema, changes)
            by_key = dict.fromkeys(_find_aims(*asking), repair) | by_key
    return tuple(_with_way(finding, by_key.get(finding.key)) for finding in findings)


def _with_way(finding: Finding, repair: Repair | None) -> Finding:
    if repair is None or (_is_safe(finding.fix) and repair.kind not in GENTLE_WAYS):
        return finding
    fix = finding.fix or fix_by(repair)
    return replace(finding, fix=replace(fix, repair=repair.name, kind=repair.kind))


def _is_safe(fix: Fix | None) -> bool:
    return fix is not None and fix.proven and not fix.loses_data


def _find_aims(
    live: LiveDatabase,
    repair: Repair,
    expected: Snapshot,
    schema: Snapshot,
    changes: tuple[Change, ...],
) -> Iterator[str]:
    """The keys of what the repair would take away, if it can without a harm that somebody has to allow."""
    from govern.actions.repairs.aims import AIMS, Asking

    if repair.kind == REBUILD_KIND:
        with live.connect() as connection:
            broken = live.dialect.schema_work().find_broken_indexes(connection)
        names = {ObjectKey("index", one.place[0], join_name(one.place[1], one.name)) for one in broken}
        meant = {key for key in names if repair.index is None or is_called(key, repair.index)}
        yield from (key_of(change) for change in changes if change.key in meant)
        return
    asking = Asking(live=live, repair=repair, declared=expected, schema=schema, changes=changes)
    try:
        aim = AIMS[repair.kind](asking)
    except GovernError:  # govern repair plan says what is wrong with it
        return
    if not aim.obstacles and all(str(hazard) in repair.allow for hazard in aim.hazards):
        yield from (key_of(change) for change in aim.chosen)


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
