"""What a pass looks at: functions of settings, each with a budget. They run in a child process, see ``worker``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from govern.api import drifting, repairing
from govern.api.examination import Examiner
from govern.api.project import find_chain_problems, read_applied, read_project
from govern.api.rows import integrity
from govern.config import Settings
from govern.core.finding import Finding
from govern.core.issue import Issue
from govern.core.report import Entry, Report
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import FailedMidway, GovernError
from govern.monitor.mark import read_drift_mark
from govern.reports.json import to_json

_MOST_FINDINGS = 1_000
"""Of one check: more would be one problem in many places."""
_SHARE_FOR_ROWS = 0.6
"""Of the budget of ``integrity`` for its own clock: the rest is for what it cannot stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one check has learned."""

    entry: Entry
    is_decided: bool
    """Whether all of it came to its end: what it does not find any more is gone."""
    is_reachable: bool = True
    """Whether there was a database to look at: else the rest of the pass is spared."""
    seconds: float = 0.0
    mark: str | None = None
    """What the answer hangs on: it stands as long as this is the same. None: it is to be found anew each time."""

    @classmethod
    def crashed(cls, name: str, reason: str, seconds: float = 0.0) -> Seen:
        return cls(entry=Entry(name=name, status="crashed", reason=reason), is_decided=False, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """How a fix, or its way back, ended."""

    problem: str = ""
    """Why it was not done; empty where it was."""
    run: str | None = None
    """Of the ledger."""
    backup: str | None = None
    is_partial: bool = False
    """Whether it broke off, and a part of it may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One family of checks."""

    name: str
    seconds: float
    """The child that looks is killed after so long."""
    look: Callable[[Settings, float], Seen]
    read_mark: Callable[[Settings], str | None] | None = None
    """See ``Seen.mark``."""


def look(name: str, settings: Settings, known: Seen | None = None) -> Seen:
    """Runs one check, unless what is ``known`` of it still stands; whatever happens to it is what it has learned."""
    check, started = CHECKS[name], time.monotonic()
    mark = _read_mark(check, settings)
    if known is not None and mark is not None and mark == known.mark:
        return replace(known, seconds=time.monotonic() - started)
    seen = _run(check, settings)
    if seen.is_decided and mark is not None and mark == _read_mark(check, settings):
        seen = replace(seen, mark=mark)
    return replace(seen, seconds=time.monotonic() - started)


def _read_mark(check: Check, settings: Settings) -> str | None:
    try:
        return check.read_mark(settings) if check.read_mark else None
    except Exception:  # whatever is wrong, the check itself meets it and says so
        return None


def _run(check: Check, settings: Settings) -> Seen:
    name = check.name
    try:
        seen = check.look(settings, check.seconds)
    except GovernError as error:
        reason = f"{error.what}: {error.why}" if error.why else error.what
        entry = Entry(name=name, status="skipped", reason=reason, findings=_gather(error.report))
        seen = Seen(entry=entry, is_decided=False)
    except Exception as error:  # a bug in a check must not end the others
        seen = Seen.crashed(name, f"{type(error).__name__}: {error}")
    findings = tuple(replace(finding, evidence=to_json(finding.evidence)) for finding in seen.entry.findings)
    entry = replace(seen.entry, findings=findings[:_MOST_FINDINGS])
    is_whole = len(findings) <= _MOST_FINDINGS
    return replace(seen, entry=entry, is_decided=seen.is_decided and is_whole)


def repair(issue: Issue, most_rows: int | None, settings: Settings) -> Repaired:
    """Applies the repair that the issue names, as the command does; or takes the one drift away.

    Either is backed up, and looked at before it is committed. More than ``most_rows`` rows are refused.
    """
    name = issue.repair
    if name is None:
        return _change(
            lambda: drifting.repair_apply(settings, only=frozenset({issue.key})), may_break_off=False
        )
    return _change(
        lambda: repairing.repair_apply(settings, names=(name,), most_rows=most_rows), may_break_off=True
    )


def take_back(run: str, settings: Settings) -> Repaired:
    """Rolls a run of the ledger back, as the command does."""
    return _change(lambda: repairing.repair_rollback(settings, run), may_break_off=True)


def _change(change: Callable[[], Report], *, may_break_off: bool) -> Repaired:
    try:
        report = change()
    except GovernError as error:
        told = f"{error.what}: {error.why}" if error.why else error.what
        is_partial = may_break_off and isinstance(error, FailedMidway)
        return replace(_read_run(error.report), problem=f"{told}; {error.state}", is_partial=is_partial)
    except Exception as error:  # a crash of a fix is a fix that failed
        return Repaired(problem=f"{type(error).__name__}: {error}")
    return _read_run(report)


def _look_at_health(settings: Settings, _seconds: float) -> Seen:
    """What ``validate_on_startup`` would say, and whether there is a backup to go back to."""
    examination = Examiner(settings, resolve_target(settings)).examine()
    findings = examination.condition.findings
    is_decided = not any(entry.is_undecided for entry in examination.entries)
    reason = examination.condition.message
    return Seen(
        entry=Entry.of("health", findings, reason),
        is_decided=is_decided,
        is_reachable=examination.error is None,
    )


def _look_at_chain(settings: Settings, _seconds: float) -> Seen:
    """The revision files, and the database's history of them."""
    project = read_project(settings)
    live = LiveDatabase(settings, resolve_target(settings))
    findings = find_chain_problems(project, live.read_only_stamp(), read_applied(live))
    reason = count_of(len(project.chain.files), "revision file")
    return Seen(entry=Entry.of("chain", findings, reason), is_decided=True)


def _look_at_drift(settings: Settings, _seconds: float) -> Seen:
    return _sum_up("drift", drifting.drift(settings))


def _look_at_rows(settings: Settings, seconds: float) -> Seen:
    return _sum_up("integrity", integrity(settings, budget_seconds=seconds * _SHARE_FOR_ROWS))


CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        Check(name="health", seconds=30.0, look=_look_at_health),
        Check(name="chain", seconds=30.0, look=_look_at_chain),
        Check(name="drift", seconds=180.0, look=_look_at_drift, read_mark=read_drift_mark),
        Check(name="integrity", seconds=180.0, look=_look_at_rows),
    )
}
"""In the order of a pass. The first one says whether there is a database at all."""


def _sum_up(name: str, report: Report) -> Seen:
    """One entry for all of a report's."""
    undecided = [entry for entry in report.entries if entry.is_undecided]
    said = undecided or report.entries
    reason = "; ".join(f"{entry.name}: {entry.reason}" for entry in said if entry.reason)
    findings = tuple(report.findings)
    entry = Entry.of(name, findings, reason)
    if undecided and not findings:
        entry = replace(entry, status="skipped")
    return Seen(entry=entry, is_decided=not undecided)


def _gather(report: Report | None) -> tuple[Finding, ...]:
    return tuple(report.findings) if report else ()


def _read_run(report: Report | None) -> Repaired:
    run = report.data.get("run", {}) if report else {}
    return Repaired(run=run.get("id"), backup=run.get("backup"))
