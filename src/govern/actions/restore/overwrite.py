"""Chosen tables that become what they are in another database: what that has not goes, if it is allowed by name."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from govern.actions.restore.merge import examine, guard_merge
from govern.actions.restore.tables import NOTHING_TO_MAKE, MakingTables, making_tables
from govern.core.merging import MergePlan, TableMerge
from govern.core.restoration import Place, name_place
from govern.core.table_shape import ForeignKey, TableShape
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.transfer import Transfer
from govern.errors import Refused


def plan_overwrite(live: LiveDatabase, source: LiveDatabase, tables: Sequence[Place]) -> MergePlan:
    """What would come, change and go in ``tables``; nothing is changed. Raises Refused for rows that others need."""
    with live.dialect.transferring(live.url, source.url, live.table, read_only=True) as transfer:
        return _examine(transfer, tables)


def apply_overwrite(
    live: LiveDatabase,
    source: LiveDatabase,
    tables: Sequence[Place],
    *,
    allow: tuple[str, ...] = (),
    making: MakingTables = NOTHING_TO_MAKE,
) -> MergePlan:
    """Gives ``tables`` the source's rows; the plan comes back with the numbers of rows inserted.

    ``making``: tables that are not there yet. Nobody else writes to the tables meanwhile. Raises Refused, NotPermitted
    or CouldNotCheck with nothing changed.
    """
    with (
        live.dialect.transferring(live.url, source.url, live.table, read_only=False) as transfer,
        making_tables(transfer, making),
    ):
        transfer.lock(tables)
        plan = _examine(transfer, tables)
        guard_merge(plan, allow=allow)
        guard_overwrite(plan, allow=allow)
        return _overwrite(transfer, plan)


def guard_overwrite(plan: MergePlan, *, allow: tuple[str, ...]) -> None:
    """Says no to rows that would go unnamed. Raises Refused."""
    forbidden = [table for table in plan.tables if table.overwrites and str(table.overwrites) not in allow]
    if forbidden:
        allowing = " ".join(f"--allow {shlex.quote(str(table.overwrites))}" for table in forbidden)
        raise Refused(
            "the live database has rows that the backup has not",
            why="; ".join(
                f"{table.name} has {count_of(table.surplus + table.staged.differing, 'row')} that the backup has not"
                for table in forbidden
            ),
            next=f"if they may go, allow each table by name: {allowing}; or only add what is missing: --merge",
        )


def _examine(transfer: Transfer, tables: Sequence[Place]) -> MergePlan:
    plan = examine(transfer, tables, replacing=True)
    named = [table.place for table in plan.tables if table.is_replaced]
    surplus = {place: transfer.mark_removed(place) for place in named}
    shapes = transfer.read_shapes()
    _mark_what_refers(transfer, named, shapes)
    _guard_children(transfer, named, shapes)
    return replace(
        plan,
        tables=tuple(replace(table, surplus=surplus.get(table.place, 0)) for table in plan.tables),
    )


def _mark_what_refers(transfer: Transfer, named: Sequence[Place], shapes: Mapping[Place, TableShape]) -> None:
    """A row that refers to one that goes, goes first; if the source has it, it comes again with other content."""
    references = [
        (place, reference)
        for place, reference in _references(shapes)
        if place in named and reference.parent in named
    ]
    while any(transfer.mark_referring(place, reference) for place, reference in references):
        pass


def _guard_children(transfer: Transfer, named: Sequence[Place], shapes: Mapping[Place, TableShape]) -> None:
    """Rows of tables that nobody named are neither removed nor left without their parents. Raises Refused."""
    orphaned = {
        place: rows
        for place, reference in _references(shapes)
        if place not in named
        and reference.parent in named
        and (rows := transfer.count_referring(place, reference))
    }
    if orphaned:
        raise Refused(
            "rows that would go have rows of other tables that refer to them",
            why="; ".join(
                f"{count_of(rows, 'row')} of {name_place(place)}" for place, rows in orphaned.items()
            ),
            next="name these tables as well: "
            + " ".join(f"--table {shlex.quote(name_place(place))}" for place in orphaned)
            + "; or only add what is missing: --merge",
        )


def _references(shapes: Mapping[Place, TableShape]) -> list[tuple[Place, ForeignKey]]:
    return [(place, reference) for place, shape in shapes.items() for reference in shape.foreign_keys]


def _overwrite(transfer: Transfer, plan: MergePlan) -> MergePlan:
    """Removes, children first; then changes and inserts, parents first."""
    for table in reversed(plan.tables):
        if table.is_replaced:
            transfer.remove(table.place)
    inserted = {}
    for table in plan.tables:
        if table.is_replaced:
            transfer.overwrite(table.place)
        waiting = plan.postponed.get(table.place, ())
        inserted[table.place] = transfer.insert(table.place, without=waiting)
    for place, waiting in plan.postponed.items():
        transfer.fill(place, waiting)
    transfer.check()
    for table in plan.tables:
        if table.is_replaced:
            _require_all(transfer, table)
    transfer.advance_sequences(list(inserted))
    return replace(
        plan, tables=tuple(replace(table, inserted=inserted[table.place]) for table in plan.tables)
    )


def _require_all(transfer: Transfer, table: TableMerge) -> None:
    """A row that could not be inserted beside another is one too few."""
    missing = transfer.stage(table.place, table.columns, table.key).missing
    if missing:
        raise Refused(
            f"{table.name} would not be what it is in the backup",
            why=f"{count_of(missing, 'row')} could not be inserted: a trigger or a rule of the table keeps them out, "
            "or another row has a value that must be unique",
            next="see to that, or only add what is missing: --merge",
        )
