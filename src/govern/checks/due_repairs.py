"""Has a repair of the manifest something to do? Judges plans that others made; asks no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.row_repair import RowPlan
from govern.core.snapshot import default_namespace

if TYPE_CHECKING:  # with pydantic, which is slow to import
    from govern.source.manifest import Repair

REPAIR_DUE = Rule(
    id="integrity.repair-due",
    name="a declared repair has something to do",
    severity=Severity.WARNING,
    condition="a repair of the manifest, planned now, would change something",
    effect="what the team has decided to clean up is there again: expired rows stay, defaults are missing",
    remedy="look at it and apply it: govern repair plan NAME, govern repair apply NAME; or let the monitor do it",
)
RULES = (REPAIR_DUE,)


def judge_plan(plan: RowPlan, repair: Repair, *, dialect: str, path: str) -> Finding | None:
    """None where there is nothing to do. ``path`` is the manifest's, for the finding."""
    if plan.is_empty and not plan.obstacles:
        return None
    table, column = _place_of(repair, plan, dialect)
    return Finding.of(
        REPAIR_DUE,
        Subject(kind="repair", name=repair.name, path=path, line=repair.line),
        f"the repair {repair.name} is due: {plan.described()}",
        severity=repair.severity,
        why=repair.reason,
        remedy=f"govern repair plan {repair.name}; then govern repair apply {repair.name}",
        evidence={
            "rows": plan.rows,
            "table": table,
            "column": column,
            "tables": [one.to_json() for one in plan.touched if one.rows],
            "obstacles": list(plan.obstacles),
        },
        fix=None if plan.obstacles else fix_by(repair),
    )


def fix_by(repair: Repair) -> Fix:
    """The repair as what takes a finding away."""
    return Fix(sql=(), repair=repair.name, kind=repair.kind)


def _place_of(repair: Repair, plan: RowPlan, dialect: str) -> tuple[str | None, str | None]:
    """The table, by full name, whose rows it is about, and the column where it is about one."""
    from govern.source.manifest import split_column, split_table

    home = default_namespace(dialect)
    column = None
    if repair.column is not None:
        namespace, table, column = split_column(repair.column)
    elif repair.table is not None:
        namespace, table = split_table(repair.table)
    elif plan.touched:
        namespace, table = plan.touched[0].place
    else:
        return None, None
    return ".".join(part for part in (namespace or home, table) if part), column
