"""The guarded migration: lock, precautions, apply, read back, validate, record.

The first statement runs only after every guard has said yes; ``precautions`` has their order. What happened is
decided by reading the database back on another connection, never by an exit status or an exception's text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from govern.actions import resume, tidy
from govern.actions.account import Account
from govern.actions.precautions import Precautions, take_precautions
from govern.actions.record import finish_run, note_unread, start_run
from govern.actions.saved_plan import describe_difference, guard_plan
from govern.actions.settle import settle
from govern.actions.standing import (
    Before,
    blocked,
    describe_backup,
    describe_error,
    describe_state,
    not_started,
    out_of_sight,
    unchecked,
    what_to_correct,
)
from govern.actions.validate import serious, validate
from govern.actions.watch import watching
from govern.checks.integrity import ORPHAN
from govern.checks.startup import find_unhealthy_run
from govern.core.finding import Finding, Subject
from govern.core.report import Draft, Entry
from govern.core.run import AppliedRevision, Run
from govern.core.wording import count_of, name_revisions
from govern.database.dialect import MigratingSession
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck, FailedMidway, GovernError, Refused
from govern.revisions.graph import Chain
from govern.revisions.protocol import ChildError, Committed, Event, Orders
from govern.revisions.runner import Outcome, Runner
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
_INTERRUPTED_SECONDS = 5.0
"""How long whoever interrupts is kept waiting for a server that does not answer."""


class _NothingPending(Exception):
    """Another process applied everything while this one waited for the lock."""


def migrate(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: str,
    precautions: Precautions,
    narrate: Narrate,
) -> None:
    """Brings the database to ``to``: ``heads`` or a revision; with a saved plan to where that ends.

    Raises Refused where a guard says no (nothing was changed) and FailedMidway where a revision or the validation
    fails (its ``state`` says where the database stands).
    """
    if precautions.plan is not None:
        guard_plan(precautions.plan, live, chain)
        to = precautions.plan.target
    if not chain.pending(live.read_stamped(), to):
        _confirm(live, draft, chain, manifest)
        return
    prepared = _Prepared(precautions)

    def prepare() -> Orders:
        _prepare(prepared, live, draft, chain, manifest, to=to, narrate=narrate)
        watch.begin()
        return resume.orders(live, prepared.run.id if prepared.run else "", prepared.committed)

    def hear(event: Event) -> None:
        watch.tell(event)
        prepared.account.note(event)

    try:
        with watching(live, narrate) as watch:
            outcome = Runner(live.settings).upgrade(
                live.url,
                to,
                lock=live.dialect.migration_lock(live.url),
                wait_seconds=live.settings.lock_wait_seconds,
                on_locked=prepare,
                on_event=hear,
            )
    except _NothingPending:
        _confirm(live, draft, chain, manifest)
        return
    except BaseException as error:
        _note_interruption(error, prepared, live, narrate)
        raise
    prepared.blockers, prepared.waited_seconds = watch.blockers, watch.waited_seconds
    try:
        _settle(prepared, outcome, live, narrate)
        _conclude(prepared, outcome, live, draft, chain, manifest, narrate)
    except CouldNotCheck as problem:
        raise _lose_sight(prepared, outcome, problem, live, draft) from problem


class _Prepared:
    """What was found and done while the lock was held, before the first statement and during the run."""

    def __init__(self, precautions: Precautions) -> None:
        self.precautions = precautions
        self.account = Account()
        self.committed: Committed = {}
        """What an earlier run has committed of the revisions."""

    session: MigratingSession | None = None
    run: Run | None = None
    before = Before()
    broken_references: Mapping[str, int] = {}
    """Rows whose parent was gone before."""
    blockers: tuple[str, ...] = ()
    """Sessions that were in the way of a lock, the last that were seen."""
    waited_seconds: float = 0.0
    reached: tuple[str, ...] | None = None
    """Where the database stands, read back; None before that."""


def _prepare(
    prepared: _Prepared,
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: str,
    narrate: Narrate,
) -> None:
    """Runs while the connection that migrates holds the lock and waits; raising leaves the database as it was."""
    stamped = live.read_stamped()
    pending = chain.pending(stamped, to)
    if not pending:
        raise _NothingPending
    with live.connect() as connection:
        prepared.session = live.dialect.find_migrating_session(connection)
    if prepared.run is not None:
        _confirm_unchanged(prepared, live)
        return
    draft.passed("lock", "held by the connection that migrates")
    resume.forget(live, chain.ancestors(stamped))
    ready = take_precautions(live, draft, chain, manifest, prepared.precautions, to=to, narrate=narrate)
    prepared.committed = ready.committed
    _tidy(live, draft)
    prepared.broken_references = tidy.read_broken_references(live)
    prepared.before = Before(
        fingerprint=live.read_fingerprint(), pending=tuple(file.revision for file in pending)
    )
    reached = chain.heads_after(stamped, pending)
    plan = prepared.precautions.plan
    prepared.run = start_run(
        live,
        "migrate",
        from_revision=stamped,
        to_revision=reached,
        backup=ready.backup,
        plan_digest=plan.digest if plan else None,
    )
    narrate(f"applying {count_of(len(pending), 'revision')}")


def _tidy(live: LiveDatabase, draft: Draft) -> None:
    if dropped := tidy.drop_batch_leftovers(live):
        draft.passed(
            "tidy", f"dropped {', '.join(dropped)}, an interrupted batch operation's unfinished copy"
        )


def _confirm_unchanged(prepared: _Prepared, live: LiveDatabase) -> None:
    """env.py closed the connection that had the lock and opened another: somebody may have come in between."""
    if live.read_fingerprint() != prepared.before.fingerprint:
        raise Refused(
            "the database changed while env.py was between two connections",
            why="the lock ends with the connection that holds it",
            next="run again; let env.py migrate on the first connection it opens",
        )


def _note_interruption(
    error: BaseException, prepared: _Prepared, live: LiveDatabase, narrate: Narrate
) -> None:
    """What an interrupt or a lost child left is read back, recorded, and told with the exception."""
    if prepared.run is None:
        error.add_note("nothing was changed")
        return
    with contextlib.suppress(GovernError):
        settle(live, prepared.session, wait_seconds=_INTERRUPTED_SECONDS, narrate=narrate)
        run = replace(prepared.run, to_revision=live.read_stamped())
        error.add_note(f"{describe_state(run, live, prepared.before)}; {describe_backup(run)}")
        finish_run(live, run, "interrupted", error=f"{type(error).__name__}: {error}")


def _settle(prepared: _Prepared, outcome: Outcome, live: LiveDatabase, narrate: Narrate) -> None:
    """What went well is over; what broke off may still be at work on the server, or have taken the server along."""
    if prepared.run is not None and outcome.error is not None:
        settle(live, prepared.session, wait_seconds=live.settings.read_back_seconds, narrate=narrate)


def _lose_sight(
    prepared: _Prepared, outcome: Outcome, problem: CouldNotCheck, live: LiveDatabase, draft: Draft
) -> GovernError:
    """The error for a database that could not be read back, or not looked at further."""
    if prepared.run is None:
        return problem
    if prepared.reached is None:
        executed = tuple(done.revision for done in outcome.revisions)
        lost = out_of_sight(prepared.run, outcome.error, problem, executed)
    else:
        lost = unchecked(prepared.run, problem, prepared.reached)
    draft.replace(Entry(name="apply", status="crashed", reason=lost.why))
    note_unread(live, prepared.run, lost.why)
    return lost


def _conclude(
    prepared: _Prepared,
    outcome: Outcome,
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    narrate: Narrate,
) -> None:
    run, stamped = prepared.run, live.read_stamped()
    if run is None:
        raise not_started(outcome.error, stamped)
    prepared.reached = stamped
    run = replace(
        run,
        revisions=_applied(prepared, outcome, chain, run, stamped),
        versions=prepared.account.versions,
        waited_seconds=prepared.waited_seconds,
    )
    if set(stamped) != set(run.to_revision):
        _fail(prepared, replace(run, to_revision=stamped), outcome.error, live, draft)
    resume.forget(live, chain.ancestors(stamped))
    remark = (
        f"; Alembic ended with {describe_error(outcome.error)}, but it is committed" if outcome.error else ""
    )
    draft.passed(
        "apply", f"{count_of(len(run.revisions), 'revision')}, now at {name_revisions(stamped)}{remark}"
    )
    if plan := prepared.precautions.plan:
        difference = describe_difference(plan, prepared.account.executed)
        draft.replace(Entry(name="plan", status="passed", reason=f"{plan.path.name}: {difference}"))
    narrate("validating the schema")
    findings = serious(validate(live, draft, manifest))
    findings += _find_newly_broken(prepared, live, draft)
    error = f"{count_of(len(findings), 'finding')}; the first: {findings[0].message}" if findings else None
    run = finish_run(live, run, "unhealthy" if findings else "applied", error=error)
    _tell_ledger(run, draft)
    if findings:
        raise FailedMidway(
            "the revisions were applied, but the database is not as declared",
            why=error or "",
            next=f"{findings[0].remedy}; then run again, which marks it healthy: govern migrate",
            state=f"the database is at {name_revisions(stamped)} and marked unhealthy; {describe_backup(run)}",
        )


def _find_newly_broken(prepared: _Prepared, live: LiveDatabase, draft: Draft) -> tuple[Finding, ...]:
    """Children whose parents a revision took away, where the engine does not look itself."""
    broken = tidy.describe_newly_broken(prepared.broken_references, tidy.read_broken_references(live))
    if not broken:
        return ()
    about = Subject(kind="database", name=live.url.redacted)
    finding = Finding.of(ORPHAN, about, f"rows have lost what they refer to: {broken}")
    draft.add(Entry.of("references", (finding,)))
    return (finding,)


def _confirm(live: LiveDatabase, draft: Draft, chain: Chain, manifest: Manifest | None) -> None:
    """A stamp is not enough: an emptied database that says head must not pass for migrated."""
    stamped = live.read_stamped()
    resume.forget_finished(live, chain.ancestors(stamped))
    findings = serious(validate(live, draft, manifest))
    here = "already at head:" if set(stamped) == set(chain.effective_heads) else "already at"
    draft.passed("apply", f"{here} {name_revisions(stamped)}; nothing is pending")
    if not findings and _is_marked_unhealthy(live):
        run = start_run(live, "migrate", from_revision=stamped, to_revision=stamped, backup=None)
        _tell_ledger(finish_run(live, run, "applied"), draft)


def _is_marked_unhealthy(live: LiveDatabase) -> bool:
    """Whether applications refuse to start for what an earlier run's validation found."""
    with live.connect() as connection:
        return find_unhealthy_run(connection, live.dialect) is not None


def _fail(prepared: _Prepared, run: Run, error: ChildError | None, live: LiveDatabase, draft: Draft) -> None:
    draft.add(Entry(name="apply", status="crashed", reason=describe_error(error)))
    run = finish_run(live, run, "failed", error=describe_error(error))
    _tell_ledger(run, draft)
    revision = error.revision if error else None
    if error is not None and error.is_of_lock:
        raise blocked(run, error, live, prepared.before, prepared.blockers)
    raise FailedMidway(
        f"revision {revision} failed" if revision else "the migration failed",
        why=describe_error(error),
        next=f"{what_to_correct(error, live)}, then run again: govern migrate",
        state=f"{describe_state(run, live, prepared.before)}; {describe_backup(run)}",
    )


def _tell_ledger(run: Run, draft: Draft) -> None:
    draft.data["run"] = run.to_json()
    draft.passed("ledger", f"run {run.id}, {run.result}")


def _applied(
    prepared: _Prepared, outcome: Outcome, chain: Chain, run: Run, stamped: tuple[str, ...]
) -> tuple[AppliedRevision, ...]:
    """Of the revisions that Alembic says it ran, those that the version table confirms."""
    confirmed = chain.ancestors(stamped) - chain.ancestors(run.from_revision)
    return tuple(
        AppliedRevision(
            revision=done.revision,
            checksum=chain.revisions[done.revision].checksum,
            seconds=done.seconds,
            parents={parent: chain.revisions[parent].checksum for parent in chain.down[done.revision]},
            statements=prepared.account.statements_of(done.revision),
        )
        for done in outcome.revisions
        if done.revision in confirmed
    )
