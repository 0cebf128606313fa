"""What a run comes to: an entry for each wave, what its targets have in common, and the worst of how they ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from govern.checks.registry import all_rules
from govern.core.report import (
    EXIT_CLEAN,
    EXIT_FAILED,
    EXIT_FOUND,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    EXIT_UNDECIDED,
    Draft,
    Entry,
    EntryStatus,
)
from govern.core.wording import count_of
from govern.errors import CouldNotCheck, FailedMidway, GovernError, Refused
from govern.fleet.grouping import group_findings, group_problems, group_revisions, group_schemas
from govern.fleet.inventory import Target
from govern.fleet.job import WORST_FIRST, Outcome
from govern.fleet.order import Order
from govern.fleet.run import PAUSED
from govern.fleet.waves import Wave
from govern.reports.fleet import name_some

_WORDS = {
    EXIT_FAILED: "failed midway",
    EXIT_UNDECIDED: "could not be done",
    EXIT_REFUSED: "refused",
    EXIT_FOUND: "with findings",
    EXIT_CLEAN: "clean",
}


class Paused(GovernError):
    """Somebody asked a run to end before its time; what was under way has come to its end."""

    exit_code = EXIT_INTERRUPTED


def tell_verdict(
    draft: Draft,
    order: Order,
    waves: Sequence[Wave],
    outcomes: Mapping[str, Outcome],
    *,
    run: str,
    why_ended: str,
) -> None:
    """The entries and listings of the run's report. Raises GovernError where the worst of it is no finding.

    ``why_ended``: why not all targets were visited; empty where they were.
    """
    for wave in waves:
        draft.add(_entry_of(wave, outcomes, why_ended))
    # whoever comes to an end first: two runs that found the same say the same
    ordered = [outcomes[target.name] for wave in waves for target in wave.targets if target.name in outcomes]
    draft.data["fleet"] = {"run": run, "ended": why_ended or None}
    _tell_findings(draft, order, ordered)
    draft.data["problems"] = group_problems(ordered)
    draft.data["revisions"] = group_revisions(ordered)
    draft.data["schemas"] = group_schemas(ordered)
    draft.data["targets"] = [
        _target_row(target, wave, outcomes.get(target.name)) for wave in waves for target in wave.targets
    ]
    _raise_worst(order, ordered, total=sum(len(wave.targets) for wave in waves), why_ended=why_ended)


def _entry_of(wave: Wave, outcomes: Mapping[str, Outcome], why_ended: str) -> Entry:
    ended = Counter(outcomes[target.name].exit_code for target in wave.targets if target.name in outcomes)
    missing = len(wave.targets) - ended.total()
    status: EntryStatus = "skipped" if missing else "passed"
    if _find_worst(ended) != EXIT_CLEAN:
        status = "found"
    why = f": {why_ended}" if missing and why_ended else ""
    return Entry(
        name=wave.name,
        status=status,
        reason=f"{count_of(len(wave.targets), 'target')}: {_count_ends(ended, missing)}{why}",
    )


def _tell_findings(draft: Draft, order: Order, outcomes: Sequence[Outcome]) -> None:
    groups = group_findings(outcomes, all_rules())
    draft.data["groups"] = [group.to_json() for group in groups]
    if not outcomes:
        draft.add(Entry(name=order.command, status="skipped", reason="no target was visited"))
        return
    what = count_of(len(groups), "difference" if order.command == "drift" else "finding")
    found = tuple(group.told for group in groups)
    draft.add(Entry.of(order.command, found, f"{what} on {count_of(len(outcomes), 'target')}"))


def _target_row(target: Target, wave: Wave, outcome: Outcome | None) -> dict[str, Any]:
    row = {"name": target.name, "labels": dict(target.labels), "wave": wave.name}
    if outcome is None:
        return row | {"exit_code": None, "status": "undecided", "findings": [], "problem": None}
    return row | {
        "exit_code": outcome.exit_code,
        "status": outcome.status,
        "duration_ms": outcome.document["duration_ms"],
        "target": outcome.document.get("target"),
        "findings": outcome.findings,
        "problem": outcome.problem,
    }


def _raise_worst(order: Order, outcomes: Sequence[Outcome], *, total: int, why_ended: str) -> None:
    """Where all were visited and nothing worse than findings came of it, the report says so by itself."""
    ended = Counter(outcome.exit_code for outcome in outcomes)
    worst, missing = _find_worst(ended), total - len(outcomes)
    is_decided = worst in (EXIT_CLEAN, EXIT_FOUND)
    if is_decided and not missing:
        return
    state, again = _count_ends(ended, missing), order.command_line
    why_ended = why_ended if missing else ""
    if why_ended.startswith(PAUSED):
        raise Paused(f"the run was {why_ended}", next=f"go on: {again}", state=state)
    if is_decided:
        what = f"{missing} of {count_of(total, 'target')} were not visited"
        raise CouldNotCheck(what, why=why_ended, next=again, state=state)
    worst_ones = [outcome for outcome in outcomes if outcome.exit_code == worst]
    names = name_some([outcome.target for outcome in worst_ones])
    kinds: dict[int, type[GovernError]] = {EXIT_FAILED: FailedMidway, EXIT_REFUSED: Refused}
    raise kinds.get(worst, CouldNotCheck)(
        f"{len(worst_ones)} of {count_of(total, 'target')} {_WORDS[worst]}: {names}",
        why="; ".join(filter(None, (_say_problem(worst_ones[0]), why_ended))),
        next=f"see to them, then: {again}",
        state=state,
    )


def _find_worst(ended: Collection[int]) -> int:
    """5, 3, 4, 1, 0."""
    return next((code for code in WORST_FIRST if code in ended), EXIT_CLEAN)


def _count_ends(ended: Mapping[int, int], missing: int) -> str:
    """``3 clean, 1 refused, 2 not visited``."""
    counted = [f"{ended[code]} {_WORDS[code]}" for code in reversed(WORST_FIRST) if code in ended]
    return ", ".join([*counted, f"{missing} not visited"] if missing else counted)


def _say_problem(outcome: Outcome) -> str:
    problem = outcome.problem
    return f"{outcome.target}: {problem['what'] if problem else 'not everything could be looked at'}"
