"""The course of a guarded migration: lock, precautions, apply, read back, validate, record.

The first statement runs only after every guard has said yes; ``precautions`` has their order. What happened is
decided by reading the database back on another connection, never by an exit status or an exception's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from govern.actions import resume, tidy
from govern.actions.guards import POOLER_PASSED
from govern.actions.migrate.conclusion import conclude, confirm, lose_sight, note_interruption, settle_broken
from govern.actions.migrate.undertaking import Undertaking
from govern.actions.own_version_table import guard_version_table
from govern.actions.precautions import Precautions, take_precautions
from govern.actions.record import start_run
from govern.actions.saved_plan import guard_plan
from govern.actions.standing import Before
from govern.actions.watch import watching
from govern.actions.way_back import guard_way_back
from govern.core import guard as guards
from govern.core.report import Draft
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck, Refused
from govern.revisions.graph import Chain
from govern.revisions.graph.destination import Destination
from govern.revisions.protocol import Event, Orders
from govern.revisions.runner import Runner

if TYPE_CHECKING:
    from govern.checks.probes import Probing
    from govern.source.manifest import Manifest


class _NothingPending(Exception):
    """Another process applied everything while this one waited for the lock."""


def migrate(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    to: Destination,
    precautions: Precautions,
    probing: Probing | None = None,
    narrate: Callable[[str], None],
) -> None:
    """Brings the database to ``to``, up or down; with a saved plan to where that ends. ``probing``: what asks the
    application afterwards.

    Raises Refused where a guard says no (nothing was changed) and FailedMidway where a revision or the validation
    fails (its ``state`` says where the database stands).
    """
    guard_version_table(live)
    if precautions.plan is not None:
        guard_plan(precautions.plan, live, chain)
        to = Destination(target=precautions.plan.target)
    way = to.find_way(chain, live.read_stamped())
    undertaking = Undertaking(
        live=live,
        draft=draft,
        chain=chain,
        manifest=manifest,
        to=Destination(target=way.target, direction=way.direction),
        precautions=precautions,
        narrate=narrate,
        probing=probing,
    )
    if not way.revisions:
        confirm(undertaking)
        return
    guard_way_back(way, precautions.allow, draft, live.settings)
    _apply(undertaking)


def _apply(undertaking: Undertaking) -> None:
    live = undertaking.live

    def prepare() -> Orders:
        _prepare(undertaking)
        watch.begin(_describe(undertaking), revisions=len(undertaking.before.steps))
        return resume.orders(live, undertaking.run.id if undertaking.run else "", undertaking.committed)

    def hear(event: Event) -> None:
        watch.tell(event)
        undertaking.account.note(event)

    lock = live.dialect.migration_lock(live.url)
    if live.dialect.is_server:
        undertaking.draft.passed(guards.POOLER.name, POOLER_PASSED)
    try:
        with watching(live, undertaking.narrate) as watch:
            outcome = Runner(live.settings).going(undertaking.to.direction)(
                live.url,
                undertaking.to.target,
                lock=lock,
                wait_seconds=live.settings.lock_wait_seconds,
                on_locked=prepare,
                on_event=hear,
            )
    except _NothingPending:
        confirm(undertaking)
        return
    except BaseException as error:
        note_interruption(error, undertaking)
        raise
    undertaking.blockers, undertaking.waited_seconds = watch.blockers, watch.waited_seconds
    try:
        settle_broken(undertaking, outcome)
        conclude(undertaking, outcome)
    except CouldNotCheck as problem:
        raise lose_sight(undertaking, outcome, problem) from problem


def _prepare(undertaking: Undertaking) -> None:
    """Runs while the connection that migrates holds the lock and waits; raising leaves the database as it was."""
    live, draft, chain, to = undertaking.live, undertaking.draft, undertaking.chain, undertaking.to
    stamped = live.read_stamped()
    way = to.find_way(chain, stamped)
    if not way.revisions:
        raise _NothingPending
    with live.connect() as connection:
        undertaking.session = live.dialect.find_migrating_session(connection)
    if undertaking.run is not None:
        _confirm_unchanged(undertaking)
        return
    draft.passed(guards.LOCK.name, "held by the connection that migrates")
    resume.forget(live, to.list_ended(chain, stamped))
    ready = take_precautions(
        live,
        draft,
        chain,
        undertaking.manifest,
        undertaking.precautions,
        to=to,
        narrate=undertaking.narrate,
    )
    undertaking.committed, undertaking.judgement = ready.committed, ready.judgement
    undertaking.rehearsed = ready.rehearsal
    is_tidied = _tidy(live, draft)
    undertaking.broken_references = tidy.read_broken_references(live)
    undertaking.before = Before(
        fingerprint=live.read_fingerprint() if is_tidied else ready.fingerprint,
        steps=way.steps,
        command_line=to.command_line,
    )
    plan = undertaking.precautions.plan
    undertaking.run = start_run(
        live,
        to.command,
        from_revision=stamped,
        to_revision=way.reached,
        backup=ready.backup,
        plan_digest=plan.digest if plan else None,
    )


def _describe(undertaking: Undertaking) -> str:
    doing = "applying" if undertaking.to.direction == "upgrade" else "taking back"
    return f"{doing} {count_of(len(undertaking.before.steps), 'revision')}"


def _tidy(live: LiveDatabase, draft: Draft) -> bool:
    """Whether there was something to drop."""
    if dropped := tidy.drop_batch_leftovers(live):
        draft.passed(
            "tidy", f"dropped {', '.join(dropped)}, an interrupted batch operation's unfinished copy"
        )
    return bool(dropped)


def _confirm_unchanged(undertaking: Undertaking) -> None:
    """env.py closed the connection that had the lock and opened another: somebody may have come in between."""
    if undertaking.live.read_fingerprint() != undertaking.before.fingerprint:
        raise Refused(
            "the database changed while env.py was between two connections",
            why="the lock ends with the connection that holds it",
            next="run again; let env.py migrate on the first connection it opens",
        )
