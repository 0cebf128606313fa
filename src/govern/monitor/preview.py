"""What a fix, or taking one back, would do now: for the person who is about to decide. Only reads, and ends in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govern.api.due_repairs import plan_within
from govern.api.project import read_project
from govern.config import Settings
from govern.core.fixing import refuse_fix
from govern.core.issue import Issue
from govern.core.monitoring import Event, refuse_rollback
from govern.core.restoration import Place, name_place
from govern.core.row_repair import RowPlan, Undoable
from govern.core.schema_repair import Definitions, SchemaPlan
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import GovernError

SECONDS = 10.0
_COPIED = "the rows are copied first, and come back when the fix is rolled back"
_BACKED_UP = "a verified backup is taken before"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPreview:
    """What would be done, and what a person has to know and to type before it is."""

    statements: tuple[str, ...] = ()
    rows: int | None = None
    """How many are touched; None where it is no repair of rows."""
    loses_data: bool = False
    """Whether something would go that nothing brings back."""
    touches_data: bool = False
    confirmation: str = ""
    """What a person has to type: the table's name. Empty where no rows are touched."""
    refusal: str = ""
    """Why it would not be done; empty where it would."""
    notes: tuple[str, ...] = ()


def preview_fix(settings: Settings, issue: Issue, *, seconds: float = SECONDS) -> FixPreview:
    """Plans the repair that the issue names, for at most ``seconds``; of drift it has what was proven on a copy.

    Raises ConfigurationError for a manifest that cannot be read, and what ``resolve_target`` does.
    """
    refusal = refuse_fix(issue) or ""
    if issue.repair is None:
        return FixPreview(
            statements=issue.sql,
            loses_data=issue.loses_data,
            refusal=refusal,
            notes=(_BACKED_UP, "one transaction, which is looked at before it is committed")
            if not refusal
            else (),
        )
    project = read_project(settings)
    manifest = project.manifest
    declared = {one.name: one for one in manifest.repairs} if manifest else {}
    if manifest is None or issue.repair not in declared:
        return FixPreview(refusal=f"the manifest has no repair {issue.repair} any more")
    live = LiveDatabase(settings, resolve_target(settings))
    [(_, plan)] = plan_within(live, manifest, (declared[issue.repair],), seconds=seconds)
    if isinstance(plan, str):
        return FixPreview(refusal=f"it cannot be planned: {plan}")
    if isinstance(plan, SchemaPlan):
        return _describe_schema_plan(plan, refusal)
    return _describe_plan(plan, refusal)


def preview_rollback(settings: Settings, event: Event) -> FixPreview:
    """What taking the event's run back would bring. What is in its way is only known when it is tried."""
    if refusal := refuse_rollback(event, ()):
        return FixPreview(refusal=refusal)
    try:
        undoable = _find_undoable(settings, event.run or "")
    except GovernError as error:
        return FixPreview(refusal=": ".join(filter(None, (error.what, error.why))))
    if undoable is None:
        return FixPreview(refusal=name_way_back(event))
    if undoable.definitions is not None:
        return _describe_definitions(undoable, undoable.definitions)
    tables = tuple(name_place(table.place) for table in undoable.tables)
    return FixPreview(
        statements=tuple(f"-- rows of {table} as they were before {undoable.repair}" for table in tables),
        rows=undoable.rows,
        touches_data=bool(tables),
        confirmation=tables[0] if tables else "",
        refusal="" if undoable.has_way_back else undoable.state,
        notes=(
            "the rows come back as they were, with what went with them",
            "what is newer and in the way is listed then, and nothing is changed",
            _BACKED_UP,
        ),
    )


def _describe_definitions(undoable: Undoable, definitions: Definitions) -> FixPreview:
    places = tuple(name_place(one.place) for one in definitions.values)
    return FixPreview(
        statements=tuple(f"-- {key} as it was before {undoable.repair}" for key in definitions.changed),
        touches_data=bool(places),
        confirmation=places[0] if places else "",
        refusal="" if undoable.has_way_back else undoable.state,
        notes=(
            "the statements are proven on a copy of today's schema first",
            "what was changed since, and rows that would be lost, are listed then, and nothing is changed",
            _BACKED_UP,
        ),
    )


def name_way_back(event: Event) -> str:
    """Of a run that is not kept for taking back."""
    how = f"; next: govern restore {event.backup} --plan" if event.backup else ""
    return f"what the run {event.run} changed is not kept in the database: it is undone by its backup{how}"


def _describe_plan(plan: RowPlan, refusal: str) -> FixPreview:
    touched = [one for one in plan.touched if one.rows]
    notes = (*(one.described for one in touched), *((_COPIED,) if touched else ()))
    return _preview(plan, [one.place for one in touched], notes, refusal)


def _describe_schema_plan(plan: SchemaPlan, refusal: str) -> FixPreview:
    rewritten = [table.place for table in plan.tables if table.is_rewritten]
    return _preview(plan, rewritten, (*plan.undoes, *plan.notes), refusal)


def _preview(
    plan: RowPlan | SchemaPlan, touched: Sequence[Place], notes: tuple[str, ...], refusal: str
) -> FixPreview:
    """``touched``: tables whose rows are changed or written again."""
    hazards = [hazard.described for hazard in plan.find_forbidden(())]
    if plan.is_empty and not plan.obstacles:
        refusal = refusal or "there is nothing left to do"
    return FixPreview(
        statements=plan.statements,
        rows=plan.rows,
        touches_data=bool(touched),
        confirmation=name_place(touched[0]) if touched else "",
        refusal=refusal or "; ".join((*plan.obstacles, *hazards)),
        notes=(*notes, _BACKED_UP),
    )


def _find_undoable(settings: Settings, run: str) -> Undoable | None:
    from govern.actions.repairs.back import list_undoable

    live = LiveDatabase(settings, resolve_target(settings))
    return next((one for one in list_undoable(live) if one.run == run), None)
