"""What a repair of rows would touch now: counted in a transaction that cannot write."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.actions.repairs.declared import read_references, resolve
from govern.core.row_repair import RowPlan, RowRepair
from govern.core.schema_repair import SchemaPlan
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.database.row_marks import MarkedRows
from govern.database.row_spelling import Spelling
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair


def plan_rows(
    live: LiveDatabase, manifest: Manifest, repair: Repair, *, seconds: float | None = None
) -> RowPlan:
    """Raises Refused, NotPermitted or ConfigurationError where it cannot be said, CouldNotCheck after ``seconds``."""
    with live.dialect.working_on_rows(live.url, live.table, read_only=True, seconds=seconds) as (
        connection,
        spelling,
    ):
        resolved, marked = prepare(connection, spelling, live, manifest, repair)
        if resolved.kind == "move_sequence":
            return _plan_sequence(resolved)
        marked.mark(resolved)
        return replace(marked.plan(resolved), allowed=repair.allow)


def prepare(
    connection: Connection, spelling: Spelling, live: LiveDatabase, manifest: Manifest, repair: Repair
) -> tuple[RowRepair, MarkedRows]:
    """The repair in the database's words, and the tables that its rows are marked in."""
    references = read_references(connection, live, manifest)
    path = live.settings.relative(manifest.path)
    return resolve(connection, live, repair, references, path), MarkedRows(connection, spelling, references)


def guard_plans(
    plans: Iterable[RowPlan | SchemaPlan], allow: tuple[str, ...], *, most_rows: int | None = None
) -> None:
    """Raises Refused for what cannot be applied, for too many rows, and for a harm that nobody allowed."""
    plans = tuple(plans)
    for plan in plans:
        if most_rows is not None and plan.rows > most_rows:
            raise Refused(
                f"the repair {plan.repair} would touch {plan.rows:,} rows",
                why=f"more than {most_rows:,} need a person: {plan.described()}",
                next=f"govern repair plan {plan.repair}, then govern repair apply {plan.repair}",
            )
    for plan in plans:
        if plan.obstacles:
            raise Refused(
                f"the repair {plan.repair} cannot be applied",
                why="; ".join(plan.obstacles),
                next="see to these first, in a repair of their own or by hand: govern repair plan",
            )
    forbidden = sorted({one for plan in plans for one in plan.find_forbidden(allow)})
    if forbidden:
        raise Refused(
            "the repair can do more than its plan says",
            why=", ".join(hazard.described for hazard in forbidden),
            next="allow each by name: "
            + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in forbidden)
            + "; or for good, with the key allow of the repair in the manifest",
        )


def _plan_sequence(repair: RowRepair) -> RowPlan:
    position = repair.sequence
    if position is None:
        named = ".".join((*filter(None, repair.place), *repair.columns))
        return RowPlan(
            repair=repair.name, kind=repair.kind, obstacles=(f"no sequence of its own numbers {named}",)
        )
    if not position.is_behind:
        return RowPlan(repair=repair.name, kind=repair.kind)
    name = ".".join(filter(None, position.sequence))
    return RowPlan(
        repair=repair.name,
        kind=repair.kind,
        statements=(
            f"ALTER SEQUENCE {name} RESTART behind {position.largest}, it is at {position.last or 0}",
        ),
        steps=1,
    )
