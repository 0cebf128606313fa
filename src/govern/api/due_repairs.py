"""What the manifest's repairs have to do now: planned within a time budget, and changed nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.checks.due_repairs import judge_plan
from govern.core.finding import Finding
from govern.core.row_repair import RowPlan
from govern.core.schema_repair import SchemaPlan
from govern.database.live import LiveDatabase
from govern.errors import GovernError

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair


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
