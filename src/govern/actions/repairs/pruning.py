"""Removes what repairs keep for their way back: what was deleted for good must not live on for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from govern.actions.record import start_run
from govern.actions.repairs.rows import conclude, look_before, recording_failure
from govern.core.kept_copies import Fate, Kept, decide
from govern.core.report import Draft
from govern.core.row_repair import Undoable
from govern.core.wording import count_of, name_bytes
from govern.database.kept_schema import forget_schema
from govern.database.live import LiveDatabase
from govern.database.row_copies import measure_kept, read_undoable, write_undoable
from govern.database.row_spelling import RowTransaction
from govern.errors import ConfigurationError
from govern.revisions.graph import Chain

if TYPE_CHECKING:
    from govern.source.manifest import Manifest


def read_kept(live: LiveDatabase) -> tuple[Kept, ...]:
    """What each run that can be rolled back keeps, the newest first."""
    with live.dialect.working_on_rows(live.url, live.table, read_only=True) as work:
        return tuple(_measure(work, one) for one in read_undoable(*work) if one.has_way_back)


def prune_copies(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    older_than: timedelta | None,
    runs: tuple[str, ...],
    is_plan: bool,
    narrate: Callable[[str], None],
    now: datetime | None = None,
) -> None:
    """Says what stays and what goes; but for a plan it goes, in one transaction, as a run of the ledger.

    Raises ConfigurationError for a run that keeps nothing.
    """
    with live.dialect.hold_migration_lock(live.url, wait_seconds=live.settings.lock_wait_seconds):
        narrate("looking at what repairs keep")
        kept = read_kept(live)
        _require_known(runs, kept)
        moment = now or datetime.now(UTC)
        fates = [decide(one, older_than=older_than, named=runs, now=moment) for one in kept]
        going = [fate.kept for fate in fates if not fate.stays]
        draft.data["prune"] = list(_rows(fates, moment, is_plan=is_plan))
        draft.passed("prune", _describe(fates, is_plan=is_plan))
        if not going or is_plan:
            return
        before, stamped = look_before(live, chain, manifest), live.read_stamped()
        run = start_run(
            live,
            "repair prune",
            from_revision=stamped,
            to_revision=stamped,
            backup=None,
            repairs=tuple(sorted({one.undoable.repair for one in going})),
        )
        run = replace(run, rows={f"remove copies of {one.undoable.run}": one.rows for one in going})
        with (
            recording_failure(live, run),
            live.dialect.working_on_rows(live.url, live.table, read_only=False) as work,
        ):
            for one in going:
                _remove(live, work, one.undoable, run.id)
        conclude(live, draft, chain, manifest, before, [run])


def _measure(work: RowTransaction, undoable: Undoable) -> Kept:
    rows, size = measure_kept(work, undoable)
    return Kept(undoable=undoable, rows=rows, bytes=size)


def _require_known(runs: tuple[str, ...], kept: tuple[Kept, ...]) -> None:
    known = [one.undoable.run for one in kept]
    unknown = [run for run in runs if run not in known]
    if unknown:
        raise ConfigurationError(
            f"the run {unknown[0]} keeps nothing",
            why=f"there are: {', '.join(known)}" if known else "no repair keeps anything in this database",
            next="govern repair list",
        )


def _remove(live: LiveDatabase, work: RowTransaction, undoable: Undoable, run: str) -> None:
    connection, spelling = work
    if undoable.batches:
        for table in undoable.tables:
            connection.execute(f"DROP TABLE {spelling.copy_of(undoable.run, table.number)}")
        for values in undoable.definitions.values if undoable.definitions else ():
            live.dialect.schema_work().forget_values(work, undoable.run, values)
    if undoable.definitions is not None:
        forget_schema(work, undoable.run)
    write_undoable(*work, replace(undoable, pruned_by=run))


def _rows(fates: list[Fate], now: datetime, *, is_plan: bool) -> Iterator[dict[str, Any]]:
    for fate in fates:
        kept = fate.kept
        yield {
            "run": kept.undoable.run,
            "repair": kept.undoable.repair,
            "fate": "stays" if fate.stays else "goes" if is_plan else "removed",
            "rows": kept.rows,
            "bytes": kept.bytes,
            "age_seconds": int(kept.age(now).total_seconds()),
            "why": fate.why,
        }


def _describe(fates: list[Fate], *, is_plan: bool) -> str:
    going = [fate.kept for fate in fates if not fate.stays]
    stay = f"those of {count_of(len(fates) - len(going), 'run')} stay"
    if not going:
        return f"no copies go; {stay}"
    size = name_bytes(sum(one.bytes for one in going))
    rows = count_of(sum(one.rows for one in going), "row")
    verb = "would be removed" if is_plan else "removed"
    return f"copies of {count_of(len(going), 'run')} {verb}, {rows}, {size}; {stay}"
