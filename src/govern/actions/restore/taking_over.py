"""Rows taken over into a live database, wherever they come from: backed up before, recorded, validated after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, recording_failure, start_run
from govern.actions.restore.fit import SAFETY
from govern.actions.restore.soundness import find_problem
from govern.core.merging import MergePlan
from govern.core.report import Draft
from govern.core.run import Run
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck, FailedMidway
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest


def take_over(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    apply: Callable[[], MergePlan],
    *,
    origin: str,
    statements: tuple[str, ...] = (),
    narrate: Callable[[str], None],
) -> Run:
    """Runs ``apply``, which is one transaction, as a run of the ledger; returns the run as it ended.

    ``origin``: what is restored from, for the ledger. ``statements``: those that make tables first. The caller holds
    the migration lock. Raises what ``apply`` raised where that left nothing, FailedMidway where nobody knows what is
    there.
    """
    safety = create_verified_backup(live, draft, reason=SAFETY, narrate=narrate, entry="safety")
    stamped = live.read_stamped()
    run = start_run(
        live,
        "restore",
        from_revision=stamped,
        to_revision=stamped,
        backup=safety.id,
        statements=statements,
        restored_from=origin,
    )
    narrate("taking the rows over")
    with recording_failure(
        live,
        run,
        what="the restore broke off",
        next="when the server answers, run it again: what has come does not come twice",
        state=f"it is one transaction: all of its rows are there, or none; backup {run.backup} is verified",
    ):
        done = apply()
    run = replace(run, rows=dict(_count_rows(done)))
    draft.data["tables"] = done.to_json()
    draft.passed("restore", _describe_done(done))
    return _conclude(live, draft, chain, manifest, run, narrate)


def _conclude(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    run: Run,
    narrate: Callable[[str], None],
) -> Run:
    """Looks at what it is now, and writes the end into the ledger."""
    try:
        problem = find_problem(live, draft, chain, manifest, narrate=narrate)
        run = finish_run(live, run, "unhealthy" if problem else "applied", error=problem)
    except CouldNotCheck as error:
        raise FailedMidway(
            "the rows were restored, but what the database is now could not be checked",
            why=f"{error.what}: {error.why}",
            next="govern health",
            state=f"the rows of {run.restored_from} are in the database; backup {run.backup} is of what it was before",
        ) from error
    draft.data["run"] = run.to_json()
    draft.passed("ledger", f"run {run.id}, {run.result}")
    return run


def _count_rows(done: MergePlan) -> Iterator[tuple[str, int]]:
    """As the ledger has them: what was done, with its table, and to how many."""
    for table in done.tables:
        counts = {"insert": table.inserted or 0}
        if table.is_replaced:
            counts |= {"overwrite": table.staged.differing, "remove": table.surplus}
        yield from ((f"{what} {table.name}", rows) for what, rows in counts.items() if rows)


def _describe_done(plan: MergePlan) -> str:
    inserted = {table.name: table.inserted for table in plan.tables if table.inserted}
    rows = sum(filter(None, inserted.values()))
    return f"{count_of(rows, 'row')} inserted into {count_of(len(inserted), 'table')}, in one transaction"
