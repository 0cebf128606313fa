"""Carries out what was decided about a live schema: the schema before is kept, then stage after stage is committed.

How far it came is written down by each commit, or right after a statement that commits by itself: whatever breaks off
can be run again, or taken back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from govern.core.changes import describe_change, diff
from govern.core.conversion import Conversion
from govern.core.row_repair import Undoable
from govern.core.run import Run
from govern.core.schema_repair import REBUILD_KIND, Definitions, KeptValues, Stage
from govern.core.snapshot import Facts, ObjectKey, Snapshot
from govern.database.connection import Connection
from govern.database.dialect import OpenScratch
from govern.database.kept_schema import keep_schema
from govern.database.live import LiveDatabase
from govern.database.row_copies import write_undoable
from govern.database.row_spelling import RowTransaction
from govern.database.scratch import scratch_folder
from govern.declared import in_words_of
from govern.errors import FailedMidway, GovernError, HeldUp

Narrate = Callable[[str], None]
Answer = TypeVar("Answer")
_PAUSE_SECONDS = (0.2, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """What is to be done to a live schema."""

    repair: str
    kind: str
    stages: tuple[Stage, ...]
    schema: Snapshot
    """As it is before."""
    aim: Snapshot
    """As it is to be, in the same words."""
    beside: OpenScratch
    """Where is asked whether two texts mean the same."""
    conversions: tuple[Conversion, ...] = ()
    kept: tuple[KeptValues, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(statement for stage in self.stages for statement in stage.statements)


def carry_out(live: LiveDatabase, undertaking: Undertaking, run: Run, *, narrate: Narrate) -> Undoable:
    """Raises HeldUp, NotPermitted or FailedMidway; each stage is there as a whole, or not at all."""
    undoable = Undoable(
        run=run.id,
        repair=undertaking.repair,
        kind=undertaking.kind,
        made_at=datetime.now(UTC),
        planned=len(undertaking.stages),
        definitions=Definitions(
            changed=find_changed(undertaking.schema, undertaking.aim), values=undertaking.kept
        ),
    )
    _keep(live, undoable)
    for number, stage in enumerate(undertaking.stages, 1):
        is_last = number == len(undertaking.stages)
        reached = replace(undoable, batches=number, is_finished=is_last)
        narrate(stage.why or f"running the statements of {undertaking.repair}")
        if stage.is_transaction:
            undoable = _run_together(live, undertaking, stage, reached, narrate)
        else:
            undoable = _run_alone(live, undertaking, stage, reached, narrate)
    return undoable


def _keep(live: LiveDatabase, undoable: Undoable) -> None:
    """The schema before, and the record of the run: committed before anything is changed."""
    with scratch_folder("before") as folder:
        if undoable.kind != REBUILD_KIND:
            live.dialect.dump(live.url, folder, schema_only=True)
        with working(live) as work:
            keep_schema(work, undoable.run, folder)
            write_undoable(*work, undoable)


def _run_together(
    live: LiveDatabase, undertaking: Undertaking, stage: Stage, reached: Undoable, narrate: Narrate
) -> Undoable:
    def once() -> Undoable:
        with working(live) as work:
            if reached.batches == 1:
                for kept in undertaking.kept:
                    live.dialect.schema_work().keep_values(work, reached.run, kept, undertaking.conversions)
            for statement in stage.statements:
                work.connection.execute(statement)
            undoable = _look(live, work.connection, undertaking, reached)
            write_undoable(*work, undoable)
            return undoable

    return patiently(live, once, narrate=narrate)


def _run_alone(
    live: LiveDatabase, undertaking: Undertaking, stage: Stage, reached: Undoable, narrate: Narrate
) -> Undoable:
    def once() -> None:
        for statement in stage.statements:
            _execute_alone(live, statement)

    patiently(live, once, narrate=narrate)
    with working(live) as work:
        undoable = _look(live, work.connection, undertaking, reached)
        write_undoable(*work, undoable)
        return undoable


def _execute_alone(live: LiveDatabase, statement: str) -> None:
    """What a failure leaves of it is dropped at once, where the server lets us.

    It may wait as long as all tries of a transaction together: nobody waits for it meanwhile.
    """
    engine, seconds = live.dialect.schema_work(), live.settings.lock_retry_seconds
    try:
        with engine.working_alone(live.url, lock_timeout_seconds=seconds) as connection:
            engine.drop_leftovers(connection, statement)
            connection.execute(statement)
    except (HeldUp, FailedMidway) as error:
        error.state = f"{error.state}; {_clean_up(live, statement)}"
        raise


def _clean_up(live: LiveDatabase, statement: str) -> str:
    """Says what became of what a statement left that failed."""
    engine, seconds = live.dialect.schema_work(), live.settings.lock_retry_seconds
    try:
        with engine.working_alone(live.url, lock_timeout_seconds=seconds) as connection:
            gone = engine.drop_leftovers(connection, statement)
    except GovernError:
        return "it may have left an invalid index, which nobody uses and the next run drops"
    return f"what it left was dropped: {', '.join(gone)}" if gone else "it left nothing"


def patiently(
    live: LiveDatabase,
    once: Callable[[], Answer],
    *,
    narrate: Narrate,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Answer:
    """Tries again as long as ``lock_retry_seconds`` of the settings; nobody queues behind a try for long."""
    until = monotonic() + live.settings.lock_retry_seconds
    is_told = False
    while True:
        try:
            return once()
        except HeldUp as error:
            if monotonic() >= until:
                raise
            if not is_told:
                narrate(f"waiting for a lock: {error.why}")
            is_told = True
            sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - jitter


def working(live: LiveDatabase) -> AbstractContextManager[RowTransaction]:
    return live.dialect.schema_work().working(
        live.url, live.table, lock_timeout_seconds=live.settings.lock_timeout_seconds
    )


def _look(
    live: LiveDatabase, connection: Connection, undertaking: Undertaking, reached: Undoable
) -> Undoable:
    """After the last stage: the schema is the one that was aimed at, and what is another is written down."""
    if not reached.is_finished or undertaking.kind == REBUILD_KIND:
        return reached
    now = require_aim(live, connection, undertaking)
    changed = find_changed(undertaking.schema, now)
    return replace(reached, definitions=Definitions(changed=changed, values=undertaking.kept))


def require_aim(live: LiveDatabase, connection: Connection, undertaking: Undertaking) -> Snapshot:
    """The schema as it is in the caller's transaction. Raises FailedMidway where that is not what was aimed at."""
    now = live.dialect.read_snapshot(connection, live.table)
    aim = in_words_of(now, undertaking.aim, live.dialect, undertaking.beside)
    if remaining := diff(aim, now):
        raise FailedMidway(
            "the repair did not do what it was proven to do",
            why="this would have been left: " + "; ".join(map(describe_change, remaining)),
            next="govern drift shows what differs now",
            state="the stage was rolled back, if it was a transaction; govern repair list says how far the run came",
        )
    return now


def find_changed(before: Snapshot, after: Snapshot) -> dict[ObjectKey, Facts | None]:
    """Every single object that came, went or changed, with its facts afterwards."""
    return {
        key: after.objects.get(key)
        for key in before.objects.keys() | after.objects.keys()
        if before.objects.get(key) != after.objects.get(key)
    }
