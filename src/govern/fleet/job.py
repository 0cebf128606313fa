"""The work on one database, as a top-level function over small values: whoever runs it needs nothing else.

A job names where its URL is found and never has it; an outcome has what may be shown.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govern.core.finding import Severity
from govern.core.report import (
    EXIT_CLEAN,
    EXIT_FAILED,
    EXIT_FOUND,
    EXIT_REFUSED,
    EXIT_UNDECIDED,
    Problem,
    Report,
)
from govern.database.url import DatabaseUrl
from govern.errors import GovernError
from govern.fleet.grounds import grounds_of
from govern.fleet.inventory import Target
from govern.fleet.references import describe, resolve
from govern.fleet.work import FleetCommand, work_on
from govern.reports.json import KEYS, to_document
from govern.revisions.redaction import make_redactor

WORST_FIRST = (EXIT_FAILED, EXIT_UNDECIDED, EXIT_REFUSED, EXIT_FOUND, EXIT_CLEAN)
"""How a target may end; what nobody knows the state of outweighs what was refused."""
_KEPT = KEYS | {"fingerprint", "pending"}
"""Of a report that is kept for each of hundreds of databases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command on one target."""

    run: str
    command: FleetCommand
    folder: str
    """Where the configuration is looked for: the same on whichever machine does the work."""
    config: str | None
    target: Target
    fail_on: Severity
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended."""

    target: str
    exit_code: int
    document: Mapping[str, Any] = field(repr=False)
    """The command's report as JSON values, without what it was asked to list."""

    @property
    def status(self) -> str:
        return str(self.document["status"])

    @property
    def problem(self) -> Mapping[str, Any] | None:
        return self.document.get("problem")

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        return [finding for entry in self.document["entries"] for finding in entry["findings"]]


def run_job(job: Job) -> Outcome:
    """Never raises: what goes wrong with one database is its outcome, and no reason to leave out the others."""
    url: DatabaseUrl | None = None
    try:
        url = resolve(job.target.reference)
        grounds = grounds_of(job.run, Path(job.folder), Path(job.config) if job.config else None)
        project = grounds.project_of(job.target.name, url, job.target.schema)
        report = work_on(job.command, grounds, project, dict(job.options))
    except GovernError as error:
        report = _report_of(job, error)
    except Exception as error:
        report = _of_crash(job, error)
    return outcome_of(job, report, url)


def outcome_of(job: Job, report: Report, url: DatabaseUrl | None = None) -> Outcome:
    """The report as it is kept: no password of ``url`` is in it."""
    document = {name: value for name, value in to_document(report).items() if name in _KEPT}
    redacted = _map_texts(document, make_redactor(url))
    exit_code = report.exit_code(job.fail_on)
    # what is wrong with one entry of the targets file keeps nobody from the others: it could not be done
    known = exit_code if exit_code in WORST_FIRST else EXIT_UNDECIDED
    return Outcome(target=job.target.name, exit_code=known, document=redacted)


def unvisited(job: Job, *, what: str, why: str, next: str) -> Outcome:
    """Of a target whose job did not come to an end by itself."""
    problem = Problem(
        what=what, why=why, next=next, state="see its ledger: govern history", exit_code=EXIT_UNDECIDED
    )
    return outcome_of(job, _without_entries(job, problem))


def _report_of(job: Job, error: GovernError) -> Report:
    if error.report is not None:
        return replace(error.report, problem=error.problem)
    return _without_entries(job, error.problem)


def _of_crash(job: Job, error: Exception) -> Report:
    frames = traceback.extract_tb(error.__traceback__)
    origin = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    problem = Problem(
        what=f"govern {job.command} crashed: {type(error).__name__}: {' '.join(str(error).split())}",
        why=f"a bug in govern, raised in {origin}",
        next=f"run it on this database alone, {describe(job.target.reference)}, with -v",
        state="see its ledger: govern history",
        exit_code=EXIT_UNDECIDED,
    )
    return _without_entries(job, problem)


def _without_entries(job: Job, problem: Problem) -> Report:
    return Report(command=job.command, started_at=datetime.now(UTC), duration_ms=0, problem=problem)


def _map_texts(value: Any, change: Any) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _map_texts(one, change) for key, one in value.items()}
        case list():
            return [_map_texts(one, change) for one in value]
        case _:
            return value
