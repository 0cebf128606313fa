"""Rows that a live database lacks, taken over from another one: looked for, planned, inserted in one transaction.

The source is any database of the same engine with tables of the same names: a restored backup, or a scratch database
that somebody filled. What is there is never overwritten here.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from govern.actions.restore.tables import NOTHING_TO_MAKE, MakingTables, making_tables
from govern.core.merging import MergePlan, TableMerge
from govern.core.restoration import Place, name_place
from govern.core.table_shape import CircleOfTables, ForeignKey, TableShape, order_parents_first
from govern.database.live import LiveDatabase
from govern.database.transfer import Reference, Transfer
from govern.errors import Refused


def plan_merge(live: LiveDatabase, source: LiveDatabase, tables: Sequence[Place] | None = None) -> MergePlan:
    """What of ``tables``, or of all that both have, the live database lacks; nothing is changed.

    Of other tables come the rows that missing ones refer to. A table that is in one of them alone is left out.
    """
    with live.dialect.transferring(live.url, source.url, live.table, read_only=True) as transfer:
        return examine(transfer, tables)


def apply_merge(
    live: LiveDatabase,
    source: LiveDatabase,
    tables: Sequence[Place] | None = None,
    *,
    allow: tuple[str, ...] = (),
    making: MakingTables = NOTHING_TO_MAKE,
) -> MergePlan:
    """Plans again, and inserts what is missing; the plan comes back with the numbers of rows inserted.

    ``making``: tables that are not there yet. Rows that others insert meanwhile win. Raises Refused, NotPermitted or
    CouldNotCheck with nothing changed.
    """
    with (
        live.dialect.transferring(live.url, source.url, live.table, read_only=False) as transfer,
        making_tables(transfer, making),
    ):
        plan = examine(transfer, tables)
        guard_merge(plan, allow=allow)
        return insert_missing(transfer, plan)


def examine(transfer: Transfer, tables: Sequence[Place] | None, *, replacing: bool = False) -> MergePlan:
    """Stages the tables and those that they refer to; what is found is the plan. Raises Refused for a circle.

    ``replacing``: no live row is in the way of a missing one.
    """
    shapes, columns = transfer.read_shapes(), transfer.read_source()
    wanted = [place for place in (tables if tables is not None else sorted(shapes)) if place in shapes]
    found = {
        place: _stage(transfer, shapes[place], columns[place])
        for place in wanted
        if place in columns and set(columns[place]) & set(shapes[place].columns)
    }
    found |= _pull_in_parents(transfer, shapes, columns, found)
    found = {
        place: table
        if replacing and not table.is_pulled_in
        else _leave_out_collisions(transfer, shapes[place], table)
        for place, table in found.items()
    }
    found = {place: _find_orphans(transfer, shapes[place], table) for place, table in found.items()}
    if replacing:
        found = {place: replace(table, is_replaced=not table.is_pulled_in) for place, table in found.items()}
    return put_in_order(found, shapes)


def guard_merge(plan: MergePlan, *, allow: tuple[str, ...]) -> None:
    """Says no to what cannot come over whole. Raises Refused."""
    orphans = [one.described(table.name) for table in plan.tables for one in table.orphans]
    if orphans:
        raise Refused(
            "there are rows whose parents are in neither database",
            why="; ".join(orphans),
            next="take the parents over first, or leave these tables out: name the others with --table",
        )
    unfilled = [
        f"{table.name}.{column}" for table in plan.tables if table.to_add for column in table.unfilled
    ]
    if unfilled:
        raise Refused(
            "the live database wants values that the rows have not",
            why=f"{', '.join(unfilled)}: takes no NULL, has no default, and is not in what is restored",
            next="give the column a default, in a revision or for as long as the restore takes",
        )
    lost = [hazard for table in plan.tables for hazard in table.lost_columns if str(hazard) not in allow]
    if lost:
        raise Refused(
            "there are values that the live database has no column for",
            why=", ".join(hazard.subject for hazard in lost),
            next="bring the live schema to what is declared (govern drift), or leave them out by name: "
            + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in lost),
        )


def insert_missing(transfer: Transfer, plan: MergePlan) -> MergePlan:
    """Inserts the missing rows, parents first, and moves what numbers them."""
    inserted = {}
    for table in plan.tables:
        waiting = plan.postponed.get(table.place, ())
        inserted[table.place] = transfer.insert(table.place, without=waiting) if table.to_add else 0
    for place, waiting in plan.postponed.items():
        if inserted.get(place):
            transfer.fill(place, waiting)
    transfer.check()
    transfer.advance_sequences([place for place, rows in inserted.items() if rows])
    return replace(
        plan, tables=tuple(replace(table, inserted=inserted[table.place]) for table in plan.tables)
    )


def put_in_order(tables: Mapping[Place, TableMerge], shapes: Mapping[Place, TableShape]) -> MergePlan:
    """The plan of these tables, parents first. Raises Refused for a circle that nothing can be inserted into."""
    filled = {place: shapes[place] for place, table in tables.items() if table.to_add or table.is_replaced}
    try:
        order, postponed = order_parents_first(filled)
    except CircleOfTables as circle:
        raise Refused(
            f"no row can be the first: {', '.join(map(name_place, circle.tables))} refer to each other",
            why="none of these foreign keys is deferrable, or may be NULL at first",
            next="restore the whole database (govern restore), or make one of them deferrable: "
            "ALTER TABLE … ALTER CONSTRAINT … DEFERRABLE",
        ) from circle
    rest = sorted(tables.keys() - set(order))
    return MergePlan(
        tables=tuple(tables[place] for place in (*order, *rest)),
        postponed={place: _waiting(shapes[place], references) for place, references in postponed.items()},
    )


def _stage(
    transfer: Transfer, shape: TableShape, source: tuple[str, ...], *, on_demand: bool = False
) -> TableMerge:
    columns = tuple(name for name in shape.columns if name in set(source))
    key = shape.key_within(columns)
    return TableMerge(
        place=shape.place,
        columns=columns,
        key=key,
        staged=transfer.stage(shape.place, columns, key, on_demand=on_demand),
        is_pulled_in=on_demand,
        only_in_source=tuple(name for name in source if name not in shape.columns),
        unfilled=tuple(sorted(shape.required - set(columns))),
        triggers=shape.triggers,
    )


def _pull_in_parents(
    transfer: Transfer,
    shapes: Mapping[Place, TableShape],
    columns: Mapping[Place, tuple[str, ...]],
    named: Mapping[Place, TableMerge],
) -> dict[Place, TableMerge]:
    """Tables that nobody named, with the rows that missing ones refer to, and those that these refer to."""
    pulled: dict[Place, TableMerge] = {}
    rows: Counter[Place] = Counter()
    while True:
        for parent in _find_parents_in_need(transfer, shapes, {**named, **pulled}):
            if parent in columns and parent in shapes:
                pulled[parent] = _stage(transfer, shapes[parent], columns[parent], on_demand=True)
        found = {
            parent: transfer.pull_in(parent, _references_to(parent, shapes, {**named, **pulled}))
            for parent in pulled
        }
        rows.update(found)
        if not any(found.values()):
            return {place: _with_missing(table, rows[place]) for place, table in pulled.items()}


def _find_parents_in_need(
    transfer: Transfer, shapes: Mapping[Place, TableShape], staged: Mapping[Place, TableMerge]
) -> set[Place]:
    """Tables that are not staged, and of which missing rows need more than is live."""
    return {
        reference.parent
        for place, table in staged.items()
        for reference in _references_of(shapes[place], table)
        if reference.parent not in staged and table.staged.missing and transfer.find_orphans(place, reference)
    }


def _references_of(shape: TableShape, table: TableMerge) -> tuple[ForeignKey, ...]:
    """Those whose columns come over: a reference in a column that the source has not stays as its default is."""
    return tuple(one for one in shape.foreign_keys if set(one.columns) <= set(table.columns))


def _references_to(
    parent: Place, shapes: Mapping[Place, TableShape], staged: Mapping[Place, TableMerge]
) -> tuple[Reference, ...]:
    return tuple(
        (place, reference)
        for place, table in staged.items()
        for reference in _references_of(shapes[place], table)
        if reference.parent == parent and table.staged.missing
    )


def _leave_out_collisions(transfer: Transfer, shape: TableShape, table: TableMerge) -> TableMerge:
    """Two rows cannot have one value of a unique column: the one that is there stays."""
    colliding = {
        ", ".join(unique): transfer.leave_out_collisions(table.place, unique)
        for unique in shape.uniques
        if table.staged.missing and unique != table.key and set(unique) <= set(table.columns)
    }
    return replace(table, colliding={unique: rows for unique, rows in colliding.items() if rows})


def _find_orphans(transfer: Transfer, shape: TableShape, table: TableMerge) -> TableMerge:
    if not table.to_add:
        return table
    found = (transfer.find_orphans(table.place, one) for one in _references_of(shape, table))
    return replace(table, orphans=tuple(orphans for orphans in found if orphans is not None))


def _with_missing(table: TableMerge, rows: int) -> TableMerge:
    return replace(table, staged=replace(table.staged, missing=rows))


def _waiting(shape: TableShape, references: Sequence[ForeignKey]) -> tuple[str, ...]:
    """The columns of these references that may be NULL at first."""
    named = {column for reference in references for column in reference.columns}
    return tuple(column for column in shape.columns if column in named & shape.nullable)
