"""What a migration would do: the pending revisions and their statements, run on a scratch database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from govern.core.plan import Plan, Step
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.declared import declared_by_revisions
from govern.errors import CouldNotCheck
from govern.revisions.graph import Chain
from govern.revisions.protocol import Event, RevisionDone, Statement
from govern.revisions.runner import Runner


def make_plan(live: LiveDatabase, chain: Chain, *, to: str, narrate: Callable[[str], None]) -> Plan:
    """Runs the pending revisions on an empty copy at the same revision, and notes each statement.

    A data migration finds no rows there: statements that depend on rows are not seen.
    Raises ReplayFailed, and CouldNotCheck where a pending revision fails on the copy.
    """
    stamped = live.read_stamped()
    pending = chain.pending(stamped, to)
    if not pending:
        return Plan(from_revision=stamped, to_revision=stamped, steps=())
    narrate(f"running {count_of(len(pending), 'pending revision')} on a scratch database")
    events: list[Event] = []
    with declared_by_revisions(live.settings, stamped, like=live.url) as declared:
        outcome = Runner(live.settings).upgrade(declared.url, to, on_event=events.append)
    if outcome.error is not None:
        raise CouldNotCheck(
            f"revision {outcome.error.revision} fails on a scratch database",
            why=f"{outcome.error.type}: {outcome.error.message}",
            next="correct the revision; a migration would fail the same way",
        )
    seconds = {event.revision: event.seconds for event in events if isinstance(event, RevisionDone)}
    steps = tuple(
        Step(
            revision=revision.revision,
            message=revision.doc,
            path=live.settings.relative(revision.path),
            statements=tuple(
                event.sql
                for event in events
                if isinstance(event, Statement) and event.revision == revision.revision
            ),
            seconds=seconds.get(revision.revision, 0.0),
        )
        for revision in pending
    )
    return Plan(from_revision=stamped, to_revision=chain.heads_after(stamped, pending), steps=steps)


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as reports carry it."""
    return {
        "from": list(plan.from_revision),
        "to": list(plan.to_revision),
        "revisions": [
            {
                "revision": step.revision,
                "message": step.message,
                "path": step.path,
                "statements": list(step.statements),
                "seconds": round(step.seconds, 3),
            }
            for step in plan.steps
        ],
    }
