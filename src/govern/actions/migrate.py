"""The guarded migration: lock, backup, verify, rehearse, apply, read back, validate, record.

The first statement runs only after every guard has said yes. What happened is decided by reading the database
back on another connection, never by an exit status or an exception's text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from govern.actions.precautions import Precautions, take_precautions
from govern.actions.record import finish_run, start_run
from govern.actions.saved_plan import describe_difference, guard_plan
from govern.actions.validate import serious, validate
from govern.checks.startup import find_unhealthy_run
from govern.core.changes import describe_change, diff
from govern.core.report import Draft, Entry
from govern.core.run import AppliedRevision, Run
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import declared_by_revisions
from govern.errors import FailedMidway, GovernError, Refused
from govern.revisions.explain import describe_failure
from govern.revisions.graph import Chain
from govern.revisions.protocol import ChildError, Event, RevisionDone, Statement
from govern.revisions.runner import Outcome, Runner
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]


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
    try:
        outcome = Runner(live.settings).upgrade(
            live.url,
            to,
            lock=live.dialect.migration_lock(live.url),
            wait_seconds=live.settings.lock_wait_seconds,
            on_locked=lambda: _prepare(prepared, live, draft, chain, manifest, to=to, narrate=narrate),
            on_event=lambda event: _follow(event, prepared, narrate),
        )
    except _NothingPending:
        _confirm(live, draft, chain, manifest)
        return
    except BaseException as error:
        _note_interruption(error, prepared, live)
        raise
    _conclude(prepared, outcome, live, draft, chain, manifest, narrate)


class _Prepared:
    """What was found and done while the lock was held and before the first statement."""

    run: Run | None = None
    fingerprint: str = ""

    def __init__(self, precautions: Precautions) -> None:
        self.precautions = precautions
        self.executed: list[tuple[str, str]] = []
        """Each statement with its revision."""


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
    if prepared.run is not None:
        _confirm_unchanged(prepared, live)
        return
    draft.passed("lock", "held by the connection that migrates")
    saved = take_precautions(live, draft, chain, manifest, prepared.precautions, to=to, narrate=narrate)
    prepared.fingerprint = live.read_fingerprint()
    reached = chain.heads_after(stamped, pending)
    prepared.run = start_run(live, "migrate", from_revision=stamped, to_revision=reached, backup=saved)
    narrate(f"applying {count_of(len(pending), 'revision')}")


def _confirm_unchanged(prepared: _Prepared, live: LiveDatabase) -> None:
    """env.py closed the connection that had the lock and opened another: somebody may have come in between."""
    if live.read_fingerprint() != prepared.fingerprint:
        raise Refused(
            "the database changed while env.py was between two connections",
            why="the lock ends with the connection that holds it",
            next="run again; let env.py migrate on the first connection it opens",
        )


def _note_interruption(error: BaseException, prepared: _Prepared, live: LiveDatabase) -> None:
    """What an interrupt or a lost child left is read back, recorded, and told with the exception."""
    if prepared.run is None:
        error.add_note("nothing was changed")
        return
    with contextlib.suppress(GovernError):
        run = replace(prepared.run, to_revision=live.read_stamped())
        error.add_note(f"{_describe_state(prepared, run, live)}; {_backup_sentence(run)}")
        finish_run(live, run, "interrupted", error=f"{type(error).__name__}: {error}")


def _follow(event: Event, prepared: _Prepared, narrate: Narrate) -> None:
    if isinstance(event, Statement) and event.revision is not None:
        prepared.executed.append((event.revision, event.sql))
    if isinstance(event, RevisionDone):
        narrate(f"applied {event.revision} in {event.seconds:.2f} s")


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
        raise _not_started(outcome.error, stamped)
    run = replace(run, revisions=_applied(outcome, chain, run, stamped))
    if set(stamped) != set(run.to_revision):
        _fail(prepared, replace(run, to_revision=stamped), outcome.error, live, draft)
    draft.passed("apply", f"{count_of(len(run.revisions), 'revision')}, now at {name_revisions(stamped)}")
    if plan := prepared.precautions.plan:
        difference = describe_difference(plan, prepared.executed)
        draft.replace(Entry(name="plan", status="passed", reason=f"{plan.path.name}: {difference}"))
    narrate("validating the schema")
    findings = serious(validate(live, draft, manifest))
    error = f"{count_of(len(findings), 'finding')}; the first: {findings[0].message}" if findings else None
    run = finish_run(live, run, "unhealthy" if findings else "applied", error=error)
    _tell_ledger(run, draft)
    if findings:
        raise FailedMidway(
            "the revisions were applied, but the database is not as declared",
            why=error or "",
            next=f"{findings[0].remedy}; then run again, which marks it healthy: govern migrate",
            state=f"the database is at {name_revisions(stamped)} and marked unhealthy; {_backup_sentence(run)}",
        )


def _confirm(live: LiveDatabase, draft: Draft, chain: Chain, manifest: Manifest | None) -> None:
    """A stamp is not enough: an emptied database that says head must not pass for migrated."""
    stamped = live.read_stamped()
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
    draft.add(Entry(name="apply", status="crashed", reason=_describe(error)))
    run = finish_run(live, run, "failed", error=_describe(error))
    _tell_ledger(run, draft)
    revision = error.revision if error else None
    raise FailedMidway(
        f"revision {revision} failed" if revision else "the migration failed",
        why=_describe(error),
        next=f"{_what_to_correct(error, live)}, then run again: govern migrate",
        state=f"{_describe_state(prepared, run, live)}; {_backup_sentence(run)}",
    )


def _tell_ledger(run: Run, draft: Draft) -> None:
    draft.data["run"] = run.to_json()
    draft.passed("ledger", f"run {run.id}, {run.result}")


def _describe_state(prepared: _Prepared, run: Run, live: LiveDatabase) -> str:
    where = name_revisions(run.to_revision)
    is_at_the_same = set(run.to_revision) == set(run.from_revision)
    if is_at_the_same and live.read_fingerprint() == prepared.fingerprint:
        return f"the database is as it was, at {where}"
    applied = "" if is_at_the_same else ", the revisions before the failed one are applied"
    return f"the database is at {where}{applied}{_describe_leftovers(live)}"


def _describe_leftovers(live: LiveDatabase) -> str:
    """What a revision left that committed in its middle, as ``autocommit_block`` does."""
    try:
        with declared_by_revisions(live.settings, live.read_stamped(), like=live.url) as declared:
            changes = diff(declared.snapshot, live.read_snapshot())
    except GovernError:
        return "; whether the failed one left a part of its work could not be checked: see govern drift"
    if not changes:
        return ""
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"; the failed one left a part of its work: {describe_change(changes[0])}{more}, see govern drift"


def _not_started(error: ChildError | None, stamped: tuple[str, ...]) -> FailedMidway:
    """Alembic ended without opening a connection: nothing was locked, so nothing was run."""
    return FailedMidway(
        "Alembic ended before it connected",
        why=_describe(error),
        next="correct what it names; env.py must run the migrations online",
        state=f"the database is as it was, at {name_revisions(stamped)}",
    )


def _applied(
    outcome: Outcome, chain: Chain, run: Run, stamped: tuple[str, ...]
) -> tuple[AppliedRevision, ...]:
    """Of the revisions that Alembic says it ran, those that the version table confirms."""
    confirmed = chain.ancestors(stamped) - chain.ancestors(run.from_revision)
    return tuple(
        AppliedRevision(
            revision=done.revision, checksum=chain.revisions[done.revision].checksum, seconds=done.seconds
        )
        for done in outcome.revisions
        if done.revision in confirmed
    )


def _what_to_correct(error: ChildError | None, live: LiveDatabase) -> str:
    if error is not None:
        return "correct the revision"
    env = live.settings.relative(live.settings.alembic.script_location / "env.py")
    return f"let {env} commit what it executes before context.configure(), and run the migrations online"


def _describe(error: ChildError | None) -> str:
    if error is None:
        return "Alembic ended without an error, but the version table does not say so: nothing was persisted"
    return describe_failure(error)


def _backup_sentence(run: Run) -> str:
    return f"backup {run.backup} is verified" if run.backup else "no backup was taken"
