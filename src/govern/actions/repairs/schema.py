"""Brings a drifted schema back to what is declared: proposed, proven on a copy, backed up, applied, recorded."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING

from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, start_run
from govern.actions.validate import serious, validate
from govern.core.changes import Change, accept, describe_change, diff
from govern.core.repair import RepairPlan
from govern.core.report import Draft
from govern.core.run import Run, RunResult
from govern.core.scope import Scope, sort_changes
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import Declared, beside, declared_by_revisions, in_words_of, schema_copy
from govern.errors import FailedMidway, Refused

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
Choose = Callable[[Change], bool]
"""Whether a difference is to be taken away."""


def every(_: Change) -> bool:
    """Chooses all differences that the project does not live with."""
    return True


def plan_repair(live: LiveDatabase, scope: Scope, today: date, *, choose: Choose = every) -> RepairPlan:
    """Proposes statements for the drift from the stamped revision, and proves them on a scratch copy.

    What ``scope`` ignores or knows is not undone, nor what is not chosen. The copy has the live schema and none of its
    rows: made-up ones stand for them. Nothing is written to the live database.
    """
    with declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared:
        return prove_repair(live, declared, scope, today, choose=choose)


def prove_repair(
    live: LiveDatabase, declared: Declared, scope: Scope, today: date, *, choose: Choose = every
) -> RepairPlan:
    """The same, against a declared schema that stands in a scratch database already."""
    schema = live.read_snapshot()
    return prove(live, declared.url, _accepted(live, declared, schema, scope, today, choose), schema)


def prove(live: LiveDatabase, declared: DatabaseUrl, accepted: Snapshot, schema: Snapshot) -> RepairPlan:
    """Statements from ``schema``, which the live database has, to ``accepted``: of ``declared`` what is to be had."""
    changes = diff(accepted, schema)
    if not changes:
        return RepairPlan(steps=(), changes=(), hazards=(), remaining=())
    with schema_copy(live) as copy:
        copied = copy.read_snapshot()
        expected = _in_words_of_copy(copy, copied, accepted)
        proposal = live.dialect.propose_repair(live.url, copy.url, declared, expected, live.table)
        problem = _run(copy, tuple(step.sql for step in proposal.steps)) or _other_versions(schema, copied)
        repaired = copy.read_snapshot()
        remaining = diff(_in_words_of_copy(copy, repaired, accepted), repaired)
    return RepairPlan(
        steps=proposal.steps,
        changes=changes,
        hazards=proposal.hazards,
        remaining=remaining,
        doubts=proposal.doubts,
        problem=problem,
    )


def _accepted(
    live: LiveDatabase, declared: Declared, schema: Snapshot, scope: Scope, today: date, choose: Choose
) -> Snapshot:
    """The declared schema in the live one's words, with the differences in it that are to stay."""
    expected = in_words_of(schema, declared.snapshot, live.dialect, beside(declared))
    sorted_changes = sort_changes(diff(expected, schema), scope, today)
    left = tuple(change for change in sorted_changes.open if not choose(change))
    return accept(expected, schema, (*sorted_changes.ignored, *sorted_changes.known, *left))


def _in_words_of_copy(copy: LiveDatabase, copied: Snapshot, declared: Snapshot) -> Snapshot:
    return in_words_of(copied, declared, copy.dialect, lambda: nullcontext(copy.url))


def _other_versions(live: Snapshot, copied: Snapshot) -> str:
    """What makes the copy unlike the live schema, if anything: an extension of a version that is not to be had."""
    return "; ".join(
        f"the copy has version {copied.objects[key]['version']} of the extension {key.name}: "
        f"the server cannot install the live {facts['version']} any more"
        for key, facts in sorted(live.objects.items())
        if key.kind == "extension" and copied.objects.get(key, facts) != facts
    )


def apply_repair(
    live: LiveDatabase,
    draft: Draft,
    manifest: Manifest | None,
    scope: Scope,
    today: date,
    *,
    choose: Choose = every,
    allow: tuple[str, ...] = (),
    narrate: Narrate,
) -> None:
    """Plans again under the migration lock, backs up, applies in one transaction, and looks before it commits.

    The revision's schema is the aim, but for what is not chosen: whatever else the statements bring about, as an event
    trigger may, is rolled back with them. Where ``schema.lock`` or the manifest still disagree, the entries say so
    and the ledger says unhealthy.

    ``allow`` names the hazards that may happen: ``drops-column:users.nick``. Raises Refused where one is not
    named or the repair is not proven, and FailedMidway where it was rolled back.
    """
    wait = live.settings.lock_wait_seconds
    with (
        live.dialect.hold_migration_lock(live.url, wait_seconds=wait),
        declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared,
    ):
        narrate("planning the repair and proving it on a copy")
        schema = live.read_snapshot()
        accepted = _accepted(live, declared, schema, scope, today, choose)
        plan = prove(live, declared.url, accepted, schema)
        if not plan.changes:
            draft.passed("repair", "the schema is as declared; there is nothing to repair")
            return
        _guard(plan, allow)
        draft.passed(
            "rehearse", f"{count_of(len(plan.statements), 'statement')}, proven on a copy of the schema"
        )
        backup = create_verified_backup(live, draft, reason="repair", narrate=narrate).id
        stamped = live.read_stamped()
        run = start_run(
            live,
            "repair",
            from_revision=stamped,
            to_revision=stamped,
            backup=backup,
            statements=plan.statements,
        )
        narrate(f"applying {count_of(len(plan.statements), 'statement')}")
        problem = _run(
            live, plan.statements, judge=lambda now: _require_schema(live, declared, accepted, now)
        )
        _write_down(live, draft, manifest, run, problem, is_whole=choose is every)
    if problem:
        raise FailedMidway(
            "the repair was rolled back",
            why=problem,
            next="govern drift shows what differs now",
            state=f"the statements are one transaction, nothing was changed; backup {backup} is verified",
        )
    draft.passed("repair", f"gone: {count_of(len(plan.changes), 'difference')}")


def _write_down(
    live: LiveDatabase, draft: Draft, manifest: Manifest | None, run: Run, problem: str, *, is_whole: bool
) -> None:
    """Looks at the database, and writes into the ledger how the run ended.

    Of one that is not the whole repair: what was not chosen is not its affair.
    """
    findings = () if problem else serious(validate(live, draft, manifest))
    is_left = bool(findings) and not is_whole
    result: RunResult = "failed" if problem else "unhealthy" if findings and not is_left else "applied"
    ended = finish_run(live, run, result, error=problem or None, is_whole=not is_left)
    draft.data["run"] = ended.to_json()


def _require_schema(
    live: LiveDatabase, declared: Declared, accepted: Snapshot, connection: Connection
) -> None:
    """Raises _NotAsPlanned where the schema, before it is committed, is not the one that is aimed at."""
    schema = live.dialect.read_snapshot(connection, live.table)
    if remaining := diff(in_words_of(schema, accepted, live.dialect, beside(declared)), schema):
        raise _NotAsPlanned("; ".join(map(describe_change, remaining)))


def _guard(plan: RepairPlan, allow: tuple[str, ...]) -> None:
    if not plan.is_proven:
        rest = "; ".join(describe_change(change) for change in plan.remaining[:3])
        raise Refused(
            "the repair is not proven",
            why=plan.problem or f"on a copy of the schema it leaves: {rest}",
            next="write the repair as a revision; govern repair plan shows the statements so far",
        )
    forbidden = [hazard for hazard in plan.hazards if str(hazard) not in allow]
    if forbidden:
        raise Refused(
            "the repair can lose data",
            why=", ".join(hazard.described for hazard in forbidden),
            next="allow each by name: "
            + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in forbidden),
        )


def _run(
    database: LiveDatabase,
    statements: tuple[str, ...],
    *,
    judge: Callable[[Connection], None] = lambda _: None,
) -> str:
    """Runs all statements in one transaction; returns what the database or ``judge`` has against it, else nothing.

    ``judge`` looks at what they have done before it is committed, and raises _NotAsPlanned.
    """
    with database.connect(read_only=False) as connection:
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
                judge(connection)
        except _NotAsPlanned as error:
            return f"the statements ran, and this would have been left: {error}"
        except database.dialect.errors() as error:
            return f"{type(error).__name__}: {str(error).strip()}"
    return ""


class _NotAsPlanned(Exception):
    """The statements ran, and the schema is another than was aimed at."""
