"""Takes a repair back: the very rows or definitions, also days later; nothing where something newer is in the way."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from govern.actions.record import start_run
from govern.actions.repairs.declared import read_references
from govern.actions.repairs.rows import Wanted, back_up, conclude, look_before, recording_failure
from govern.actions.repairs.undo import undo_definitions
from govern.core.hazard import hazard_of
from govern.core.report import Draft
from govern.core.row_repair import Undoable
from govern.core.schema_repair import REBUILD_KIND
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.row_copies import read_undoable
from govern.database.row_marks import MarkedRows
from govern.database.row_return import RowReturn
from govern.errors import NoSuchName, Refused
from govern.revisions.graph import Chain

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

LATEST = "latest"
"""Stands for the newest run that was not rolled back."""
_SHOWN = 20


class TriedOut(Exception):
    """Raised to take back what was done to see whether it can be done."""


def roll_back(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    run_id: str,
    wanted: Wanted,
    *,
    narrate: Callable[[str], None],
) -> None:
    """Puts the rows, or the definitions, back in one transaction, in which it was tried before the backup.

    Raises Refused with a list of what is in the way, and ConfigurationError for a run that there is not.
    """
    wait = live.settings.lock_wait_seconds
    with live.dialect.hold_migration_lock(live.url, wait_seconds=wait):
        undoable = _find(live, run_id)
        if undoable.kind == REBUILD_KIND:
            draft.passed(
                "rollback", f"{undoable.repair} rebuilt what was defined: there is nothing to take back"
            )
            return
        if undoable.definitions is not None:
            undo_definitions(live, draft, chain, manifest, undoable, wanted, narrate=narrate)
            return
        narrate("trying whether everything can come back")
        with contextlib.suppress(TriedOut):
            take_back(live, manifest, undoable, wanted, run=None)
        backup = back_up(live, draft, narrate=narrate) if wanted.has_backup else None
        before, stamped = look_before(live, chain, manifest), live.read_stamped()
        run = start_run(
            live,
            "repair rollback",
            from_revision=stamped,
            to_revision=stamped,
            backup=backup,
            repairs=(undoable.repair,),
            undoes=undoable.run,
        )
        draft.data["run"] = run.to_json()
        narrate(f"taking back {undoable.repair}")
        with recording_failure(live, run):
            take_back(live, manifest, undoable, wanted, run=run.id)
        draft.passed("rollback", _describe(undoable))
        conclude(live, draft, chain, manifest, before, [run])


def list_undoable(live: LiveDatabase) -> tuple[Undoable, ...]:
    """Runs that can be rolled back, or were, the newest first."""
    with live.dialect.working_on_rows(live.url, live.table, read_only=True) as (connection, spelling):
        return read_undoable(connection, spelling)


def _find(live: LiveDatabase, run_id: str) -> Undoable:
    known = list_undoable(live)
    standing = [one for one in known if one.has_way_back]
    found = standing[:1] if run_id == LATEST else [one for one in known if one.run == run_id]
    if not found:
        listed = ", ".join(one.run for one in standing)
        raise NoSuchName(
            f"there is no run {run_id} that could be rolled back",
            wanted=run_id,
            known=[one.run for one in standing],
            why=f"there are: {listed}" if listed else "no repair stands in this database",
            next="govern repair list",
        )
    if found[0].undone_by:
        raise Refused(
            f"the run {run_id} was rolled back already",
            why=f"by the run {found[0].undone_by}",
            next="apply the repair again, if it is wanted: govern repair apply",
        )
    if found[0].pruned_by:
        raise Refused(
            f"what the run {run_id} kept is not there any more",
            why=f"it was removed by the run {found[0].pruned_by}",
            next="what it changed is in a backup from before it, if anywhere: govern history",
        )
    return found[0]


def take_back(
    live: LiveDatabase, manifest: Manifest | None, undoable: Undoable, wanted: Wanted, *, run: str | None
) -> None:
    """One transaction; with ``run`` None it is only tried, and TriedOut raised."""
    with live.dialect.working_on_rows(live.url, live.table, read_only=False) as (connection, spelling):
        references = read_references(connection, live, manifest)
        marked = MarkedRows(connection, spelling, references)
        back = RowReturn(connection, spelling, undoable, marked.tables)
        _refuse(undoable, tuple(back.find_changed_tables()))
        places = {table.place for table in undoable.tables}
        near = {one.parent for one in references if one.child in places}
        near |= {one.child for one in references if one.parent in places}
        spelling.lock(connection, tuple(sorted((places | near) & set(marked.tables))))
        triggers = tuple(back.find_triggers())
        if (triggers or undoable.orphans) and not spelling.silence_triggers(connection):
            _guard_triggers(triggers, {*wanted.allow, *_find_allowed(manifest, undoable.repair)})
        _refuse(undoable, back.undo(marked))
        declared = [one for one in references if one.name]
        _refuse(undoable, tuple(back.find_new_orphans(declared)))
        if undoable.moved is not None and not spelling.move_back(connection, undoable.moved):
            _refuse(undoable, (f"the sequence {'.'.join(undoable.moved.sequence)} has given values since",))
        if run is None:
            raise TriedOut
        back.finish(run)


def _refuse(undoable: Undoable, conflicts: tuple[str, ...]) -> None:
    if conflicts:
        more = f"; and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
        raise Refused(
            f"the run {undoable.run} of {undoable.repair} cannot be rolled back",
            why="; ".join(conflicts[:_SHOWN]) + more,
            next="see to what is in the way, and run it again; the copied rows stay where they are",
        )


def _find_allowed(manifest: Manifest | None, repair: str) -> tuple[str, ...]:
    """What the manifest lets a repair do, it lets its way back do, too."""
    declared = manifest.repairs if manifest else ()
    return next((one.allow for one in declared if one.name == repair), ())


def _guard_triggers(triggers: tuple[tuple[tuple[str, str], str], ...], allow: Collection[str]) -> None:
    hazards = [hazard_of("fires-trigger", *place, name) for place, name in triggers]
    forbidden = [hazard for hazard in hazards if str(hazard) not in allow]
    if forbidden:
        raise Refused(
            "triggers fire when the rows come back",
            why=", ".join(hazard.described for hazard in forbidden),
            next="in PostgreSQL a role that may set session_replication_role lets them be silent; or allow each by "
            "name: " + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in forbidden),
        )


def _describe(undoable: Undoable) -> str:
    if undoable.moved is not None:
        return f"{'.'.join(undoable.moved.sequence)} goes on with {undoable.moved.before} again"
    return f"{undoable.repair}: {count_of(undoable.rows, 'row')} and what went with them are as before {undoable.run}"
