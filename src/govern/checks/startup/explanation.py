"""Why an application refuses to start, for whoever was woken by it: what it expects, and what the ledger knows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from govern.checks.startup.expectation import Expectation
from govern.core.finding import Finding, Severity
from govern.core.report import Entry
from govern.core.run import Run
from govern.core.wording import count_of, name_age, name_revisions

_SHOWN_RUNS = 5
_DIGITS = 12


def explain_startup(
    findings: tuple[Finding, ...],
    expected: Expectation,
    *,
    stamped: tuple[str, ...],
    lock_path: str,
    runs: Sequence[Run] | None,
    now: datetime,
) -> tuple[Entry, ...]:
    """What ``validate_on_startup`` would say and, where it would refuse, the story behind it.

    ``runs``: the ledger, newest first; None where the role may not read it. A database that nobody has migrated yet
    is no finding.
    """
    if not any(finding.severity >= Severity.ERROR for finding in findings):
        return (Entry.of("startup", findings, "an application starts on this database"),)
    if not stamped and runs == ():
        reason = f"an application refuses to start: {findings[0].message}; next: {findings[0].remedy}"
        return (Entry(name="startup", status="skipped", reason=reason, is_optional=True),)
    return (
        Entry.of("startup", findings, "an application refuses to start on this database"),
        Entry.of("expected", (), _name_expectation(expected, lock_path)),
        Entry.of("last validated", (), _name_last_validated(expected, runs, now)),
        Entry.of("since then", (), _name_later(runs, now)),
    )


def _name_expectation(expected: Expectation, lock_path: str) -> str:
    heads = name_revisions(expected.heads)
    if expected.lock is None:
        return f"{heads}, by the revision files; there is no {lock_path}"
    return f"{heads}, by {lock_path} ({expected.lock.digest[:_DIGITS]})"


def _name_last_validated(expected: Expectation, runs: Sequence[Run] | None, now: datetime) -> str:
    if runs is None:
        return "not known: the role may not read the ledger (GRANT USAGE ON SCHEMA govern, SELECT ON govern.runs)"
    run = _last_validated(runs)
    if run is None:
        return "never: no run of the ledger has ended validated"
    said = f"{_name_run(run, now)}, with govern {run.tool_version}"
    said += f": {name_revisions(run.from_revision)} → {name_revisions(run.to_revision)}"
    if run.lock_digest is None:
        return f"{said}, without a schema.lock"
    is_ours = expected.lock is not None and run.lock_digest == expected.lock.digest
    return f"{said}, against {'this' if is_ours else 'another'} schema.lock ({run.lock_digest[:_DIGITS]})"


def _name_later(runs: Sequence[Run] | None, now: datetime) -> str:
    if runs is None:
        return "not known"
    good = _last_validated(runs)
    later = list(itertools.takewhile(lambda run: run is not good, runs))
    if not later and good is not None:
        return (
            f"no run: what differs now was changed by other means, after {_moment(good):%Y-%m-%d %H:%M} UTC"
        )
    shown = [f"{_name_run(run, now)}: {run.result}" for run in later[:_SHOWN_RUNS]]
    rest = len(later) - len(shown)
    return "; ".join([*shown, *([f"and {count_of(rest, 'run')} before"] if rest else [])]) or "no run"


def _last_validated(runs: Sequence[Run]) -> Run | None:
    return next((run for run in runs if run.is_validated), None)


def _name_run(run: Run, now: datetime) -> str:
    age = name_age((now - _moment(run)).total_seconds())
    return f"{run.command} {run.id} by {run.actor} {age} ({_moment(run):%Y-%m-%d %H:%M} UTC)"


def _moment(run: Run) -> datetime:
    return run.finished_at or run.started_at
