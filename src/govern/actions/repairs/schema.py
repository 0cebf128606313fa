"""Brings a drifted schema back to what is declared: proposed, proven on a copy, backed up, applied, recorded."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, recording_failure, start_run
from govern.actions.repairs.stages import Undertaking, carry_out
from govern.actions.validate import serious, validate
from govern.core.changes import Change, accept, describe_change, diff
from govern.core.hazard import Hazard
from govern.core.repair import RepairPlan
from govern.core.report import Draft
from govern.core.row_repair import SCHEMA_REPAIR
from govern.core.run import Run, RunResult
from govern.core.schema_repair import Stage
from govern.core.scope import Scope, sort_changes
from govern.core.snapshot import ObjectKey, Snapshot
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import Declared, beside, declared_by_revisions, heed_env, in_words_of, schema_copy
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
Choose = Callable[[Change], bool]
"""Whether a difference is to be taken away."""
NO_CONVERSIONS: Mapping[ObjectKey, str] = MappingProxyType({})


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
    differences = find_differences(live, declared, scope, today)
    return prove(live, declared.url, differences.accept_all_but(choose), differences.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How a live schema differs from the declared one, which is in its words."""

    schema: Snapshot
    expected: Snapshot
    open: tuple[Change, ...]
    """Those that somebody has to do something about."""
    accepted: tuple[Change, ...]

    def accept_all_but(self, choose: Choose) -> Snapshot:
        """The declared schema with the differences in it that are to stay."""
        left = tuple(change for change in self.open if not choose(change))
        return accept(self.expected, self.schema, (*self.accepted, *left))


def find_differences(live: LiveDatabase, declared: Declared, scope: Scope, today: date) -> Differences:
    schema = live.read_snapshot()
    expected = in_words_of(schema, declared.snapshot, live.dialect, beside(declared))
    changes = diff(expected, schema)
    sorted_changes = sort_changes(changes, heed_env(scope, live, changes), today)
    return Differences(
        schema=schema,
        expected=expected,
        open=tuple(sorted_changes.open),
        accepted=(*sorted_changes.ignored, *sorted_changes.known),
    )


def prove(
    live: LiveDatabase,
    declared: DatabaseUrl,
    accepted: Snapshot,
    schema: Snapshot,
    conversions: Mapping[ObjectKey, str] = NO_CONVERSIONS,
) -> RepairPlan:
    """Statements from ``schema``, which the live database has, to ``accepted``: of ``declared`` what is to be had.

    ``conversions`` are expressions, proven on the live rows, for columns that are retyped.
    """
    changes = diff(accepted, schema)
    if not changes:
        return RepairPlan(steps=(), changes=(), hazards=(), remaining=())
    with schema_copy(live) as copy:
        copied = copy.read_snapshot()
        expected = _in_words_of_copy(copy, copied, accepted)
        proposal = live.dialect.propose_repair(
            live.url, copy.url, declared, expected, live.table, conversions
        )
        locks: list[str] = []
        problem = _try(copy, tuple(step.sql for step in proposal.steps), locks)
        problem = problem or _other_versions(schema, copied)
        repaired = copy.read_snapshot()
        remaining = diff(_in_words_of_copy(copy, repaired, accepted), repaired)
    return RepairPlan(
        steps=proposal.steps,
        changes=changes,
        hazards=proposal.hazards,
        remaining=remaining,
        doubts=proposal.doubts,
        locks=tuple(locks),
        problem=problem,
    )


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
    and the ledger says unhealthy. The schema before is kept for the way back.

    ``allow`` names the hazards that may happen: ``drops-column:users.nick``. Raises Refused where one is not
    named or the repair is not proven, and FailedMidway where it was rolled back.
    """
    wait = live.settings.lock_wait_seconds
    with (
        live.dialect.hold_migration_lock(live.url, wait_seconds=wait),
        declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared,
    ):
        narrate("planning the repair and proving it on a copy")
        differences = find_differences(live, declared, scope, today)
        aim = differences.accept_all_but(choose)
        plan = prove(live, declared.url, aim, differences.schema)
        if not plan.changes:
            draft.passed("repair", "the schema is as declared; there is nothing to repair")
            return
        guard_proof(plan)
        guard_hazards(plan.hazards, allow)
        statements = count_of(len(plan.statements), "statement")
        draft.passed("rehearse", f"{statements}, proven on a copy of the schema")
        undertaking = Undertaking(
            repair=SCHEMA_REPAIR,
            kind=SCHEMA_REPAIR,
            stages=(Stage(statements=plan.statements),),
            schema=differences.schema,
            aim=aim,
            beside=beside(declared),
        )
        backup = create_verified_backup(live, draft, reason="repair", narrate=narrate).id
        run = start_definitions(live, undertaking, backup)
        draft.data["run"] = run.to_json()
        draft.data["run"] = run.to_json()
        narrate(f"applying {statements}")
        with recording_definitions(live, run):
            carry_out(live, undertaking, run, narrate=narrate)
        ended = conclude_definitions(live, draft, manifest, run, is_whole=choose is every)
        draft.data["run"] = ended.to_json()
    differences_gone = count_of(len(plan.changes), "difference")
    draft.passed("repair", f"gone: {differences_gone}; back: govern repair rollback {run.id}")


def start_definitions(
    live: LiveDatabase,
    undertaking: Undertaking,
    backup: str | None,
    *,
    command: str = "repair",
    undoes: str | None = None,
) -> Run:
    stamped = live.read_stamped()
    return start_run(
        live,
        command,
        from_revision=stamped,
        to_revision=stamped,
        backup=backup,
        statements=undertaking.statements,
        repairs=() if undertaking.repair == SCHEMA_REPAIR else (undertaking.repair,),
        undoes=undoes,
    )


def recording_definitions(live: LiveDatabase, run: Run) -> AbstractContextManager[None]:
    """Writes into the ledger how a run failed. What it had committed before can be rolled back by its id."""
    return recording_failure(
        live,
        run,
        what="the repair broke off",
        next="when the server answers, govern repair list says how far it came; run it again, or roll it back",
        state=f"each stage is there as a whole, or not at all; run {run.id}",
    )


def conclude_definitions(
    live: LiveDatabase, draft: Draft, manifest: Manifest | None, run: Run, *, is_whole: bool
) -> Run:
    """Looks at the database, and writes into the ledger how the run ended.

    Of one that is not the whole repair: what was not chosen is not its affair.
    """
    findings = serious(validate(live, draft, manifest))
    is_left = bool(findings) and not is_whole
    result: RunResult = "unhealthy" if findings and not is_left else "applied"
    return finish_run(live, run, result, is_whole=not is_left)


def guard_proof(plan: RepairPlan) -> None:
    """Raises Refused for what was not proven on a copy."""
    if not plan.is_proven:
        raise Refused(
            "the repair is not proven",
            why=why_not_proven(plan),
            next="write the repair as a revision; govern repair plan shows the statements so far",
        )


def why_not_proven(plan: RepairPlan) -> str:
    rest = "; ".join(describe_change(change) for change in plan.remaining[:3])
    return plan.problem or f"on a copy of the schema it leaves: {rest}"


def guard_hazards(hazards: Iterable[Hazard], allow: tuple[str, ...], *, hint: str = "") -> None:
    """Raises Refused for a harm that nobody allowed; ``hint``: what else may help."""
    forbidden = [hazard for hazard in hazards if str(hazard) not in allow]
    if forbidden:
        raise Refused(
            "the repair can lose data",
            why=", ".join(hazard.described for hazard in forbidden),
            next="allow each by name: "
            + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in forbidden)
            + hint,
        )


def _try(copy: LiveDatabase, statements: tuple[str, ...], locks: list[str]) -> str:
    """Runs all statements in one transaction; returns what the database has against it, else nothing.

    ``locks`` receives what the transaction holds that others wait for.
    """
    with copy.connect(read_only=False) as connection:
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
                locks += copy.dialect.schema_work().read_locks(connection)
        except copy.dialect.errors() as error:
            return f"{type(error).__name__}: {str(error).strip()}"
    return ""
