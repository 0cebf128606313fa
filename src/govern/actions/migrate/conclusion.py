"""What became of a migration: read back on another connection, validated, recorded, told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from govern.actions import resume, tidy
from govern.actions.migrate.undertaking import Undertaking
from govern.actions.migrate.verdict import lacks_verdict
from govern.actions.proof import prove
from govern.actions.record import finish_run, note_unread, start_run
from govern.actions.saved_plan import describe_difference
from govern.actions.settle import settle
from govern.actions.standing import (
    blocked,
    describe_backup,
    describe_end,
    describe_error,
    describe_state,
    not_started,
    out_of_sight,
    unchecked,
    what_to_correct,
)
from govern.actions.validate import serious, validate
from govern.checks.orphans import ORPHAN
from govern.core.finding import Finding, Subject
from govern.core.report import Draft, Entry
from govern.core.run import AppliedRevision, Run
from govern.core.wording import count_of, name_revisions
from govern.errors import CouldNotCheck, FailedMidway, GovernError
from govern.revisions.counting import count_revisions
from govern.revisions.graph import Chain
from govern.revisions.protocol import ChildError
from govern.revisions.runner import Outcome

_INTERRUPTED_SECONDS = 5.0
"""How long whoever interrupts is kept waiting for a server that does not answer."""


def conclude(undertaking: Undertaking, outcome: Outcome) -> None:
    """Raises FailedMidway, or Refused where nothing was changed, for anything but a healthy database at its end."""
    live, chain, to = undertaking.live, undertaking.chain, undertaking.to
    run, stamped = undertaking.run, live.read_stamped()
    if run is None:
        raise not_started(outcome.error, stamped)
    undertaking.reached = stamped
    confirmed = to.list_run(chain, run.from_revision, stamped)
    run = replace(
        run,
        revisions=tuple(_list_run(undertaking, outcome, confirmed)),
        versions=undertaking.account.versions,
        waited_seconds=undertaking.waited_seconds,
        **_tell_rehearsal(undertaking),
    )
    if set(stamped) != set(run.to_revision):
        raise _failed(undertaking, replace(run, to_revision=stamped), outcome.error)
    resume.forget(live, to.list_ended(chain, stamped))
    _tell_applied(undertaking, run, outcome)
    findings = _validate(undertaking, stamped)
    error = f"{count_of(len(findings), 'finding')}; the first: {findings[0].message}" if findings else None
    run = finish_run(live, run, "unhealthy" if findings else "applied", error=error)
    run, problem = prove(live, undertaking.draft, run, undertaking.probing, narrate=undertaking.narrate)
    _tell_ledger(run, undertaking.draft)
    if findings:
        raise undertaking.fall_back(_not_as_declared(undertaking, run, findings[0]), run)
    if problem is not None:
        raise undertaking.fall_back(_not_working(undertaking, run), run)


def confirm(undertaking: Undertaking) -> None:
    """Nothing is pending. A stamp is not enough: an emptied database that says head must not pass for migrated."""
    live, draft = undertaking.live, undertaking.draft
    stamped = live.read_stamped()
    resume.forget_finished(live, undertaking.to.list_ended(undertaking.chain, stamped))
    is_at_head = _is_at_head(undertaking.chain, stamped)
    findings = serious(validate(live, draft, undertaking.manifest, is_at_head=is_at_head))
    here = "already at head:" if is_at_head else "already at"
    draft.passed("apply", f"{here} {name_revisions(stamped)}; nothing is pending")
    if not findings and lacks_verdict(live, narrate=undertaking.narrate):
        run = start_run(live, undertaking.to.command, from_revision=stamped, to_revision=stamped, backup=None)
        run = finish_run(live, run, "applied")
        run, _ = prove(live, draft, run, undertaking.probing, narrate=undertaking.narrate)
        _tell_ledger(run, draft)


def note_interruption(error: BaseException, undertaking: Undertaking) -> None:
    """What an interrupt or a lost child left is read back, recorded, and told with the exception."""
    live = undertaking.live
    if undertaking.run is None:
        error.add_note("nothing was changed")
        return
    with contextlib.suppress(GovernError):
        settle(live, undertaking.session, wait_seconds=_INTERRUPTED_SECONDS, narrate=undertaking.narrate)
        run = replace(undertaking.run, to_revision=live.read_stamped())
        error.add_note(f"{describe_state(run, live, undertaking.before)}; {describe_backup(run)}")
        finish_run(live, run, "interrupted", error=f"{type(error).__name__}: {error}")


def settle_broken(undertaking: Undertaking, outcome: Outcome) -> None:
    """What went well is over; what broke off may still be at work on the server, or have taken the server along."""
    if undertaking.run is not None and outcome.error is not None:
        seconds = undertaking.live.settings.read_back_seconds
        settle(undertaking.live, undertaking.session, wait_seconds=seconds, narrate=undertaking.narrate)


def lose_sight(undertaking: Undertaking, outcome: Outcome, problem: CouldNotCheck) -> GovernError:
    """The error for a database that could not be read back, or not looked at further."""
    run = undertaking.run
    if run is None:
        return problem
    if undertaking.reached is None:
        executed = tuple(done.revision for done in outcome.revisions)
        lost = out_of_sight(run, outcome.error, problem, executed)
    else:
        lost = unchecked(run, problem, undertaking.reached)
    undertaking.draft.replace(Entry(name="apply", status="crashed", reason=lost.why))
    note_unread(undertaking.live, run, lost.why)
    return lost


def _failed(undertaking: Undertaking, run: Run, error: ChildError | None) -> GovernError:
    live, draft, to = undertaking.live, undertaking.draft, undertaking.to
    draft.add(Entry(name="apply", status="crashed", reason=describe_error(error)))
    run = finish_run(live, run, "failed", error=describe_error(error))
    _tell_ledger(run, draft)
    if error is not None and error.is_of_lock:
        return undertaking.fall_back(blocked(run, error, live, undertaking.before, undertaking.blockers), run)
    failure = FailedMidway(
        describe_end(error, to.direction),
        why=describe_error(error),
        next=f"{what_to_correct(error, live)}, then run again: {to.command_line}",
        state=f"{describe_state(run, live, undertaking.before)}; {describe_backup(run)}",
    )
    return undertaking.fall_back(failure, run)


def _not_as_declared(undertaking: Undertaking, run: Run, first: Finding) -> FailedMidway:
    to = undertaking.to
    return FailedMidway(
        "the revisions were applied, but the database is not as declared"
        if to.direction == "upgrade"
        else "the revisions were taken back, but the database is not as declared",
        why=run.error or "",
        next=f"{first.remedy}; then run again, which marks it healthy: {to.command_line}",
        state=_describe_unhealthy(run),
    )


def _not_working(undertaking: Undertaking, run: Run) -> FailedMidway:
    to = undertaking.to
    return FailedMidway(
        "the revisions were applied, but the application does not work"
        if to.direction == "upgrade"
        else "the revisions were taken back, but the application does not work",
        why=run.error or "",
        next=f"correct what the probes found; then run again, which asks once more: {to.command_line}",
        state=_describe_unhealthy(run),
    )


def _describe_unhealthy(run: Run) -> str:
    return (
        f"the database is at {name_revisions(run.to_revision)} and marked unhealthy; {describe_backup(run)}"
    )


def _tell_rehearsal(undertaking: Undertaking) -> dict[str, Any]:
    """What the ledger keeps of it beside the locks of each statement."""
    rehearsed = undertaking.rehearsed
    if rehearsed is None:
        return {}
    lost = sorted({str(hazard) for hazards in rehearsed.hazards.values() for hazard in hazards})
    return {"rehearsal": rehearsed.how, "allowed": tuple(lost)}


def _list_run(
    undertaking: Undertaking, outcome: Outcome, confirmed: frozenset[str]
) -> Iterator[AppliedRevision]:
    """Of the revisions that Alembic says it ran, those that the version table confirms."""
    chain = undertaking.chain
    rehearsed = undertaking.rehearsed.observations if undertaking.rehearsed else ()
    for done in outcome.revisions:
        if done.revision in confirmed:
            yield AppliedRevision(
                revision=done.revision,
                checksum=chain.revisions[done.revision].checksum,
                seconds=done.seconds,
                parents={parent: chain.revisions[parent].checksum for parent in chain.down[done.revision]},
                statements=undertaking.account.statements_of(done.revision, rehearsed),
            )


def _tell_applied(undertaking: Undertaking, run: Run, outcome: Outcome) -> None:
    back = "" if undertaking.to.direction == "upgrade" else " taken back"
    ended = describe_error(outcome.error) if outcome.error else ""
    remark = f"; Alembic ended with {ended}, but it is committed" if ended else ""
    done, reached = count_of(len(run.revisions), "revision"), name_revisions(run.to_revision)
    undertaking.draft.passed("apply", f"{done}{back}, now at {reached}{remark}")
    if plan := undertaking.precautions.plan:
        difference = describe_difference(plan, undertaking.account.executed)
        undertaking.draft.replace(
            Entry(name="plan", status="passed", reason=f"{plan.path.name}: {difference}")
        )


def _validate(undertaking: Undertaking, stamped: tuple[str, ...]) -> tuple[Finding, ...]:
    """What makes the database unhealthy."""
    total = len(undertaking.chain.ancestors(stamped))
    findings = validate(
        undertaking.live,
        undertaking.draft,
        undertaking.manifest,
        is_at_head=_is_at_head(undertaking.chain, stamped),
        known=undertaking.judgement,
        on_event=count_revisions(undertaking.narrate, "validating the schema", total),
    )
    return serious(findings) + _find_newly_broken(undertaking)


def _find_newly_broken(undertaking: Undertaking) -> tuple[Finding, ...]:
    """Children whose parents a revision took away, where the engine does not look itself."""
    live = undertaking.live
    broken = tidy.describe_newly_broken(undertaking.broken_references, tidy.read_broken_references(live))
    if not broken:
        return ()
    about = Subject(kind="database", name=live.url.redacted)
    finding = Finding.of(ORPHAN, about, f"rows have lost what they refer to: {broken}")
    undertaking.draft.add(Entry.of("references", (finding,)))
    return (finding,)


def _is_at_head(chain: Chain, stamped: tuple[str, ...]) -> bool:
    return set(stamped) == set(chain.effective_heads)


def _tell_ledger(run: Run, draft: Draft) -> None:
    draft.data["run"] = run.to_json()
    draft.passed("ledger", f"run {run.id}, {run.result}")
