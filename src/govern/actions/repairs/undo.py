"""Takes a repair of the schema back: the definitions before it, proven on a copy of today's schema, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.actions.repairs.aims.missing import empty_hazards, say_where_rows_are
from govern.actions.repairs.rows import Wanted, back_up, conclude, look_before
from govern.actions.repairs.schema import (
    guard_hazards,
    prove,
    recording_definitions,
    start_definitions,
    why_not_proven,
)
from govern.actions.repairs.stages import Undertaking, patiently, require_aim, working
from govern.core.changes import Change, accept, diff
from govern.core.hazard import Hazard, hazard_of
from govern.core.identifiers import quote, quote_place
from govern.core.report import Draft
from govern.core.row_repair import Undoable
from govern.core.schema_repair import Definitions, Stage
from govern.core.snapshot import (
    INSIDE_A_RELATION,
    ObjectKey,
    Snapshot,
    default_namespace,
    join_name,
    split_name,
)
from govern.core.wording import count_of
from govern.database.kept_schema import forget_schema, take_out_schema
from govern.database.live import LiveDatabase
from govern.database.row_copies import write_undoable
from govern.database.scratch import scratch_database, scratch_folder
from govern.declared import Declared, beside, copied, in_words_of
from govern.errors import CouldNotCheck, Refused
from govern.revisions.graph import Chain

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
_SHOWN = 20


def undo_definitions(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    undoable: Undoable,
    wanted: Wanted,
    *,
    narrate: Narrate,
) -> None:
    """Under the migration lock, which the caller holds. Raises Refused with a list of what is in the way."""
    with schema_before(live, undoable) as before:
        narrate("proving the way back on a copy of today's schema")
        undertaking, hazards = plan_way_back(live, undoable, before)
        guard_hazards(hazards, wanted.allow, hint=_say_what_else_helps(live, hazards))
        draft.passed(
            "rehearse",
            f"{count_of(len(undertaking.statements), 'statement')}, proven on a copy of the schema",
        )
        is_empty = not undertaking.stages
        backup = back_up(live, draft, narrate=narrate) if wanted.has_backup and not is_empty else None
        was = look_before(live, chain, manifest)
        run = start_definitions(live, undertaking, backup, command="repair rollback", undoes=undoable.run)
        draft.data["run"] = run.to_json()
        narrate(f"taking back {undoable.repair}")
        with recording_definitions(live, run):
            patiently(live, lambda: _run(live, undoable, undertaking, run.id), narrate=narrate)
        said = "it had changed nothing" if is_empty else f"the definitions are as before {undoable.run}"
        draft.passed("rollback", f"{undoable.repair}: {said}")
        conclude(live, draft, chain, manifest, was, [run], is_of_schema=True)


@contextmanager
def schema_before(live: LiveDatabase, undoable: Undoable) -> Iterator[Declared]:
    """A scratch database with the schema that the run found. Raises CouldNotCheck where it was not kept."""
    with (
        scratch_folder("before") as folder,
        scratch_database(live.settings, like=live.url, label="before") as url,
    ):
        with working(live) as work:
            is_kept = take_out_schema(work, undoable.run, folder)
        if not is_kept:
            raise CouldNotCheck(
                f"the schema before the run {undoable.run} is not kept any more",
                why="somebody dropped it from the tables of govern_backup",
                next="it is undone by its backup: govern history, then govern restore",
            )
        live.dialect.restore(folder, url, schema_only=True)
        yield Declared(url, LiveDatabase(live.settings, url).read_snapshot())


def plan_way_back(
    live: LiveDatabase, undoable: Undoable, before: Declared
) -> tuple[Undertaking, tuple[Hazard, ...]]:
    """What takes the run back, and what would be lost; no stages where it had changed nothing.

    Only objects that the run changed are looked at. Raises Refused where one of them is another since, and where the
    way back is not proven.
    """
    definitions = undoable.definitions or Definitions()
    today = live.read_snapshot()
    if undoable.is_finished:
        _refuse_newer(live, undoable, before.snapshot, today)
    expected = in_words_of(today, before.snapshot, live.dialect, beside(before))
    changes = diff(expected, today)
    chosen = [change for change in changes if change.key in definitions.changed]
    aim = accept(expected, today, [change for change in changes if change not in chosen])
    engine = live.dialect.schema_work()
    conversions = {
        ObjectKey("column", one.place[0], join_name(one.place[1], one.column)): engine.give_back(
            undoable.run, one
        )
        for one in (definitions.values if undoable.batches else ())
    }
    proof = prove(live, before.url, aim, today, conversions)
    if chosen and not proof.is_proven:
        raise _in_the_way(undoable, why_not_proven(proof))
    undertaking = Undertaking(
        repair=undoable.repair,
        kind=undoable.kind,
        stages=(Stage(statements=proof.statements),) if chosen else (),
        schema=today,
        aim=aim,
        beside=beside(before),
    )
    settled = {hazard_of("retypes-column", key.namespace, *split_name(key.name)) for key in conversions}
    lost = tuple(one for one in proof.hazards if one not in settled and _loses_something(live, one))
    empty = tuple(empty_hazards(change.key for change in chosen if change.action == "removed"))
    return undertaking, (*lost, *empty)


def _run(live: LiveDatabase, undoable: Undoable, undertaking: Undertaking, run: str) -> None:
    """One transaction, which also writes down that it is done; what was kept has served."""
    with working(live) as work:
        for statement in undertaking.statements:
            work.connection.execute(statement)
        require_aim(live, work.connection, undertaking)
        if undoable.definitions and undoable.batches:
            for kept in undoable.definitions.values:
                live.dialect.schema_work().forget_values(work, undoable.run, kept)
        forget_schema(work, undoable.run)
        write_undoable(*work, replace(undoable, undone_by=run))


def _refuse_newer(live: LiveDatabase, undoable: Undoable, before: Snapshot, today: Snapshot) -> None:
    """What was changed since, of the objects that the run changed, and what was put into tables that it made."""
    changed = (undoable.definitions or Definitions()).changed
    objects = {key: facts for key, facts in today.objects.items() if key not in changed}
    objects |= {key: facts for key, facts in changed.items() if facts is not None}
    left = in_words_of(today, replace(today, objects=objects), live.dialect, copied(live))
    newer = [f"{_say_newer(change)} since" for change in diff(left, today)]
    made = {
        (key.namespace, key.name)
        for key, facts in changed.items()
        if facts is not None and key.kind == "table" and key not in before.objects
    }
    newer += [
        f"{key} was made since"
        for key in sorted(today.objects.keys() - changed.keys())
        if key.kind in INSIDE_A_RELATION and (key.namespace, split_name(key.name)[0]) in made
    ]
    if newer:
        more = f"; and {len(newer) - _SHOWN} more" if len(newer) > _SHOWN else ""
        raise _in_the_way(undoable, "; ".join(newer[:_SHOWN]) + more)


def _say_newer(change: Change) -> str:
    done = {"added": "was made", "removed": "was dropped", "changed": "was changed"}[change.action]
    facts = f" ({', '.join(change.facts)})" if change.action == "changed" else ""
    return f"{change.key} {done}{facts}"


def _loses_something(live: LiveDatabase, hazard: Hazard) -> bool:
    """Whether there is a row, or a value, in what would be dropped."""
    parts = split_name(hazard.subject)
    is_column = hazard.name == "drops-column"
    if hazard.name != "drops-table" and not is_column:
        return True
    table = parts[:-1] if is_column else parts
    place = (table[0] if len(table) > 1 else default_namespace(live.dialect.name), table[-1])
    where = f" WHERE {quote(parts[-1])} IS NOT NULL" if is_column else ""
    with live.connect() as connection:
        return bool(connection.value(f"SELECT EXISTS (SELECT 1 FROM {quote_place(place)}{where})"))  # noqa: S608


def _say_what_else_helps(live: LiveDatabase, hazards: tuple[Hazard, ...]) -> str:
    """Of what comes back empty: where its rows are."""
    for hazard in hazards:
        if hazard.name == "empty":
            parts = split_name(hazard.subject)
            home = default_namespace(live.dialect.name)
            return "; its rows: " + " or ".join(
                dict.fromkeys(say_where_rows_are(live, (home, part)) for part in parts[:1])
            )
    return ""


def _in_the_way(undoable: Undoable, why: str) -> Refused:
    return Refused(
        f"the run {undoable.run} of {undoable.repair} cannot be rolled back",
        why=why,
        next="see to what is in the way, and run it again; what was kept stays where it is",
    )
