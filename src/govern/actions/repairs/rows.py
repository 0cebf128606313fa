"""Applies repairs of rows: planned again, backed up, each in one transaction with copies of what it changes.

With batches each of them is a transaction; how far the run came is written down by the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govern.actions import record
from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, start_run
from govern.actions.repairs.plan import prepare
from govern.actions.restore.soundness import describe_wrong, find_wrong
from govern.core.report import Draft
from govern.core.restoration import Place, name_place
from govern.core.row_repair import Action, RowPlan, RowRepair, Undoable
from govern.core.run import Run
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.row_copies import RowCopies
from govern.database.row_marks import MarkedRows
from govern.errors import Refused
from govern.revisions.graph import Chain

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair

Narrate = Callable[[str], None]
Counts = Mapping[tuple[Place, Action], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How repairs are applied."""

    allow: tuple[str, ...] = ()
    batch: int | None = None
    """Rows that a transaction begins with; those that go with them are not counted."""
    has_backup: bool = True
    most_rows: int | None = None
    """More than that are refused, those included that go with them."""


def back_up(live: LiveDatabase, draft: Draft, *, narrate: Narrate) -> str:
    """The id of a verified backup. One with orphans under a foreign key may not be restorable: Refused says so."""
    try:
        return create_verified_backup(live, draft, reason="repair", narrate=narrate).id
    except Refused as refusal:
        raise Refused(
            refusal.what,
            why=refusal.why,
            next="if it is what the repair takes away, repair without: --backup off; "
            "the rows that it changes are copied in the database all the same",
        ) from refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How the database was before a repair."""

    fingerprint: str
    wrong: frozenset[str]
    """The keys of what was not as declared: that is no repair's doing."""
    is_unhealthy: bool
    """Whether the run before left it so: then it stays marked for as long as anything is wrong."""


def look_before(live: LiveDatabase, chain: Chain, manifest: Manifest | None) -> Before:
    """What ``conclude`` compares with."""
    wrong = find_wrong(live, Draft("repair", datetime.now(UTC)), chain, manifest)
    with live.connect() as connection:
        newest = live.dialect.read_runs(connection, 1)
    return Before(
        fingerprint=live.read_fingerprint(),
        wrong=frozenset(one.key for one in wrong),
        is_unhealthy=any(run.result == "unhealthy" for run in newest),
    )


def conclude(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    before: Before,
    runs: list[Run],
    *,
    is_of_schema: bool = False,
) -> None:
    """Validates the database, and finishes the runs with what was found.

    What was wrong before and still is, is not their doing: the database is just not as declared as a whole.
    """
    wrong = find_wrong(live, draft, chain, manifest)
    mine = tuple(one for one in wrong if before.is_unhealthy or one.key not in before.wrong)
    problem = describe_wrong(mine)
    if not is_of_schema and live.read_fingerprint() != before.fingerprint:
        problem = "the schema is not the one that it was before the repair"
    ended = [
        finish_run(live, run, "unhealthy" if problem else "applied", error=problem, is_whole=not wrong)
        for run in runs
    ]
    draft.data["finished_runs"] = [run.to_json() for run in ended]
    draft.passed("ledger", ", ".join(f"run {run.id}, {run.result}" for run in ended))


def apply_planned(
    live: LiveDatabase,
    draft: Draft,
    manifest: Manifest,
    repair: Repair,
    plan: RowPlan,
    backup: str | None,
    wanted: Wanted,
) -> Run:
    """Applies one repair as it was planned; returns its run, whose end is not written down yet."""
    stamped = live.read_stamped()
    run = start_run(
        live,
        "repair",
        from_revision=stamped,
        to_revision=stamped,
        backup=backup,
        statements=plan.statements,
        repairs=(repair.name,),
    )
    draft.data["run"] = run.to_json()
    undoable = Undoable(
        run=run.id,
        repair=repair.name,
        kind=repair.kind,
        made_at=datetime.now(UTC),
        planned=plan.touched[0].rows if plan.touched else plan.steps,
    )
    with recording_failure(live, run):
        while not undoable.is_finished:
            undoable, run = _apply_batch(live, manifest, repair, plan, undoable, run, wanted.batch)
    draft.passed(
        f"repair {repair.name}", f"{_describe(run, undoable)}; back: govern repair rollback {run.id}"
    )
    return run


def _apply_batch(
    live: LiveDatabase,
    manifest: Manifest,
    repair: Repair,
    plan: RowPlan,
    undoable: Undoable,
    run: Run,
    batch: int | None,
) -> tuple[Undoable, Run]:
    """One transaction: marks, copies, changes, compares, writes down."""
    with live.dialect.working_on_rows(live.url, live.table, read_only=False) as (connection, spelling):
        resolved, marked = prepare(connection, spelling, live, manifest, repair)
        copies = RowCopies(connection, spelling, undoable)
        if resolved.sequence is not None:
            moved = spelling.move_sequence(connection, resolved.sequence)
            return copies.finish(rows=1, orphans={}, is_finished=True, moved=moved), run
        spelling.lock(connection, marked.find_places(resolved))
        left = undoable.planned - undoable.rows
        limit = min(batch, left) if batch else None
        orphans = _change(marked, copies, resolved, limit)
        counts = copies.count()
        if batch is None and counts != plan.counts:
            raise _other_counts(repair.name, plan.counts, counts)
        if mistake := copies.find_mistake():
            raise Refused(
                f"the repair {repair.name} could not be rolled back", why=mistake, next="repair it by hand"
            )
        rows = marked.count_roots()
        is_finished = batch is None or rows >= left or rows < (limit or 0)
        if is_finished and batch is None:
            _require_repaired(marked, resolved)
        run = replace(run, rows=_add(run.rows, counts))
        live.dialect.record_run(connection, run)
        return copies.finish(rows=rows, orphans=orphans, is_finished=is_finished), run


def _change(marked: MarkedRows, copies: RowCopies, repair: RowRepair, limit: int | None) -> Mapping[str, int]:
    """Copies and changes; returns how many of the rows had no parents before, by reference."""
    marked.mark(repair, limit=limit)
    if marked.obstacles:
        raise Refused(
            f"the repair {repair.name} cannot be applied",
            why="; ".join(marked.obstacles),
            next="somebody wrote since it was planned: govern repair plan",
        )
    if repair.action == "insert":
        marked.insert(repair, limit=limit)
        copies.copy_marked(marked, "insert")
        return {}
    orphans = marked.count_orphans_before()
    copies.copy_marked(marked, "delete", "update")
    marked.change()
    copies.copy_after(marked)
    return orphans


def _require_repaired(marked: MarkedRows, repair: RowRepair) -> None:
    marked.clear()
    marked.mark(repair, limit=1)
    if marked.plan(repair).rows:
        raise Refused(
            f"the repair {repair.name} leaves rows that it is about",
            why="they were there once more after it: its own SQL, or a trigger, makes them anew",
            next="look at the table's triggers and at the SQL of the repair",
        )


def _other_counts(name: str, planned: Counts, found: Counts) -> Refused:
    def say(counts: Counts) -> str:
        return (
            ", ".join(f"{rows} of {name_place(place)}" for (place, _), rows in sorted(counts.items()))
            or "none"
        )

    return Refused(
        f"the repair {name} met other rows than it was planned for",
        why=f"planned: {say(planned)}; there are: {say(found)}; somebody wrote in between",
        next="run it again; where the rows never stand still: --batch, which takes no more than planned",
    )


def _add(rows: Mapping[str, int], counts: Counts) -> Mapping[str, int]:
    total = dict(rows)
    for (place, action), number in counts.items():
        key = f"{action} {name_place(place)}"
        total[key] = total.get(key, 0) + number
    return total


def _describe(run: Run, undoable: Undoable) -> str:
    if undoable.moved is not None:
        return f"{'.'.join(undoable.moved.sequence)} goes on with {undoable.moved.after}"
    parts = [f"{key}: {count_of(rows, 'row')}" for key, rows in run.rows.items()]
    batches = f", in {count_of(undoable.batches, 'batch')}" if undoable.batches > 1 else ""
    return "; ".join(parts) + batches


def recording_failure(live: LiveDatabase, run: Run) -> AbstractContextManager[None]:
    """Writes into the ledger how a run failed. What it had committed before can be rolled back by its id."""
    return record.recording_failure(
        live,
        run,
        what="the repair broke off",
        next="when the server answers, govern repair list says how far it came; run it again for the rest",
        state=f"each transaction is there as a whole, or not at all; run {run.id}",
    )
