"""What each command of a fleet does with one database: what it does alone, on grounds that are shared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from govern import api
from govern.api.command import command, local_today
from govern.api.drifting import hold_against
from govern.api.project import Project, find_chain_problems, open_database
from govern.core.report import Draft, Entry, Report
from govern.core.run import AppliedRevision, Run
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.database.look import open_look
from govern.database.scratch import dropping_meanwhile
from govern.database.target import resolve_target
from govern.errors import CouldNotCheck
from govern.fleet.grounds import Grounds
from govern.startup import Question

FleetCommand = Literal["status", "check", "drift", "integrity", "backup", "migrate"]
Options = Mapping[str, Any]
CHANGING: frozenset[FleetCommand] = frozenset({"backup", "migrate"})
"""Those that change databases, or make backups of them."""
DEFAULTS: Options = {
    "against": "revision",
    "budget_seconds": 300.0,
    "to": "heads",
    "backup": "auto",
    "rehearse": None,
    "allow": (),
    "on_failure": "stop",
    "dry_run": False,
}
"""What of the single command's options goes without saying."""
_MANY_RUNS = 1000


def work_on(name: FleetCommand, grounds: Grounds, project: Project, options: Options) -> Report:
    """The command's report. Raises GovernError, whose ``report`` has what was done before."""
    return _WORK[name](grounds, project, options)


@command("status")
def _status(draft: Draft, grounds: Grounds, project: Project, options: Options) -> None:
    """Where it stands in the chain, and who changed it last; finds nothing wrong."""
    del grounds, options
    live = LiveDatabase(project.settings, resolve_target(project.settings))
    with live.connect() as connection:
        draft.target = live.describe(connection, project.chain.effective_heads)
        runs = live.dialect.read_runs(connection, 1)
    stamped = draft.target.revision or ()
    pending = project.chain.pending(stamped, "heads")
    draft.data["pending"] = len(pending)
    last = f"; last run {_describe_run(runs[0])}" if runs else "; no run of govern yet"
    draft.passed(
        "status", f"at {name_revisions(stamped)}, {count_of(len(pending), 'revision')} pending{last}"
    )


def _describe_run(run: Run) -> str:
    return f"{run.id}, {run.command}, {run.result}"


@command("check")
def _check(draft: Draft, grounds: Grounds, project: Project, options: Options) -> None:
    """Whether the code knows the database's history, and would start on its schema."""
    del options
    live = LiveDatabase(project.settings, resolve_target(project.settings))
    with live.connect() as connection:
        draft.target = live.describe(connection, project.chain.effective_heads)
        runs = live.dialect.read_runs(connection, _MANY_RUNS)
    applied: dict[str, AppliedRevision] = {
        one.revision: one for run in reversed(runs) for one in run.revisions
    }
    findings = find_chain_problems(project, draft.target.revision or (), applied)
    draft.add(Entry.of("chain", findings, "the revisions, as the database and its ledger know them"))
    question = Question(project.settings, live.url, grounds.expectation_of(project), "warn")
    draft.entries += question.look().entries


@command("drift")
@dropping_meanwhile()
def _drift(draft: Draft, grounds: Grounds, project: Project, options: Options) -> None:
    """Without repairs: one is proven for a database by itself, govern drift."""
    schema = hold_against(
        draft,
        project,
        against=options["against"],
        today=local_today(),
        declare=grounds.declared_as,
        repairs=False,
    )
    draft.data["fingerprint"] = _digest(schema)


def _digest(schema: Snapshot) -> str:
    """Of a whole schema: databases of one engine and major version have the same one if they have the same."""
    facts = sorted((tuple(key), sorted(facts.items())) for key, facts in schema.objects.items())
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]


def _integrity(_grounds: Grounds, project: Project, options: Options) -> Report:
    return api.integrity(project.settings, budget_seconds=options["budget_seconds"])


def _backup(_grounds: Grounds, project: Project, _options: Options) -> Report:
    return api.backup_create(project.settings)


def _migrate(grounds: Grounds, project: Project, options: Options) -> Report:
    """What is where it should be, as its last migration left it, costs a glance: most of a fleet often is."""
    if options["to"] == "heads" and not options["dry_run"] and _stands_as_validated(grounds, project):
        return _pass_by(project)
    return api.migrate(project.settings, **options, tells_prunable=False)  # the fleet does, once


def _stands_as_validated(grounds: Grounds, project: Project) -> bool:
    """By the revision files: a lock that was not written again knows nothing of the newest."""
    if not grounds.is_walkable(project):
        return False  # the migration itself will say what is the matter
    url = resolve_target(project.settings)
    question = Question(project.settings, url, grounds.expectation_of(project))
    try:
        with open_look(url) as look:
            seen = question.glance_over(look)
    except CouldNotCheck:
        return False  # here, too
    if seen is None or seen.target is None:
        return False
    return set(seen.target.revision or ()) == set(project.chain.effective_heads)


@command("migrate")
def _pass_by(draft: Draft, project: Project) -> None:
    open_database(project, draft)
    draft.passed("migrate", "nothing is pending, and the schema is as its last migration left it")


_WORK: Mapping[FleetCommand, Callable[[Grounds, Project, Options], Report]] = {
    "status": _status,
    "check": _check,
    "drift": _drift,
    "integrity": _integrity,
    "backup": _backup,
    "migrate": _migrate,
}
