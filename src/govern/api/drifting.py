"""Is a live database what it is declared to be? And the repair that brings it back."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.files import write_text
from govern.api.command import Narrate, command, local_today, silent
from govern.api.declaring import DECLARATIONS, declared_as, require_replayable
from govern.api.project import Project, open_database, read_project
from govern.checks.drift import (
    Verdict,
    check_refused,
    check_scope,
    judge_drift,
    key_of,
    with_fixes,
)
from govern.core.changes import describe_change, diff, with_column_order
from govern.core.report import Draft, Entry
from govern.core.restoration import name_place
from govern.core.snapshot import ColumnOrder, Snapshot
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.scratch import dropping_meanwhile
from govern.database.target import target_dialect
from govern.database.url import DatabaseUrl
from govern.declared import (
    Declared,
    beside,
    copied,
    heed_env,
    in_words_of,
)
from govern.errors import ConfigurationError, CouldNotCheck, NoSuchName, Refused
from govern.source.baseline import render_baseline
from govern.source.lock import read_lock, render_lock
from govern.source.scope import read_scope

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.finding import Finding
    from govern.core.repair import RepairPlan
    from govern.core.snapshot import ColumnOrder, Snapshot
    from govern.database.dialect import OpenScratch

_LOCK_WAIT_SECONDS = 5.0
Declare = Callable[[Project, LiveDatabase, str], AbstractContextManager[Declared]]
"""Brings the schema that a word of ``DECLARATIONS`` stands for into being, for as long as its context lasts."""


@command("drift")
@dropping_meanwhile()
def drift(
    draft: Draft,
    settings: Settings,
    *,
    against: str = "revision",
    sql_file: Path | None = None,
    column_order: bool = False,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    today: date | None = None,
    narrate: Narrate = silent,
) -> None:
    """Holds the target against ``revision`` (the one it is stamped with), ``head``, ``models``, a snapshot file
    or another database's URL; ``sql_file`` receives the repair, proven on a copy.

    ``baseline`` lists the differences that are known, in place of the manifest's file; ``write_baseline``
    receives them, and what it lists is no finding. ``today`` decides which ignored differences have expired.
    ``column_order`` also compares the order of columns; a snapshot file does not know it.
    """
    hold_against(
        draft,
        read_project(settings),
        against=against,
        sql_file=sql_file,
        column_order=column_order,
        baseline=baseline,
        write_baseline=write_baseline,
        today=today or local_today(),
        declare=partial(declared_as, narrate=narrate),
        narrate=narrate,
    )


def hold_against(
    draft: Draft,
    project: Project,
    *,
    against: str,
    today: date,
    sql_file: Path | None = None,
    column_order: bool = False,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    declare: Declare = declared_as,
    repairs: bool = True,
    narrate: Narrate = silent,
) -> Snapshot:
    """The entries of ``drift``; returns the live schema. Scratch databases are dropped by whoever calls it.

    ``declare`` brings the declared schema into being. ``repairs``: whether one is looked for and proven.
    """
    settings = project.settings
    if settings.schema is not None:
        _refuse_repair(settings.schema, sql_file, column_order=column_order)
        repairs = False
    scope = read_scope(settings, project.manifest, baseline=baseline, with_known=write_baseline is None)
    judge = partial(judge_drift, today=today, critical_tables=project.critical_tables)
    live = open_database(project, draft)
    with _no_migration_running(live), live.reading_snapshot() as read_live:
        if against in ("revision", "head", "models"):
            with declare(project, live, against) as declared:
                scope = declared.narrow(scope)
                order = LiveDatabase(settings, declared.url).read_column_order() if column_order else None
                expected, schema = _align(live, read_live(), declared.snapshot, order, beside(declared))
                scope = heed_env(scope, live, diff(expected, schema))
                verdict = judge(expected, schema, scope=scope)
                findings = verdict.findings
                if repairs and (findings or sql_file is not None) and write_baseline is None:
                    from govern.actions.repairs.schema import prove_repair  # with all that a backup needs

                    narrate("looking for a repair and proving it on a copy")
                    plan = prove_repair(live, declared, scope, today)
                    findings = _with_repair(draft, findings, plan, sql_file)
                    if against == "revision":
                        from govern.api.attributed import attribute_drift  # with all that repairs need

                        open_changes = tuple(verdict.sorted.open)
                        findings = attribute_drift(
                            live, project.manifest, findings, expected, schema, open_changes
                        )
                findings = check_refused(declared.refused) + findings
        else:
            snapshot, order = _read_other(settings, against, with_order=column_order)
            expected, schema = _align(live, read_live(), snapshot, order, copied(live))
            scope = heed_env(scope, live, diff(expected, schema))
            verdict = judge(expected, schema, scope=scope)
            findings = verdict.findings
    draft.unmodelled = schema.unmodelled
    remark = f"; {verdict.remark}" if verdict.remark else ""
    if write_baseline is not None:
        _write_baseline(draft, write_baseline, verdict)
        findings = ()
    findings += check_scope(verdict.sorted, scope)
    draft.add(Entry.of("drift", findings, f"held against {DECLARATIONS.get(against, against)}{remark}"))
    return schema


def _refuse_repair(schema: str, sql_file: Path | None, *, column_order: bool) -> None:
    """Raises ConfigurationError for what is looked for in a whole database alone."""
    if sql_file is None and not column_order:
        return
    option = "--column-order" if column_order else "--sql"
    raise ConfigurationError(
        f"{option} is for a whole database, and the target is its schema {schema}",
        why="a repair is proven on a copy of a whole database, and the order of columns is read from one",
        next="leave the option out; the difference itself is found, and told with both definitions",
    )


@command("drift")
def drift_coverage(draft: Draft, settings: Settings) -> None:
    """Which kinds of objects a drift check sees on the target's engine, and which it does not; asks no database."""
    kinds = target_dialect(settings).read_coverage()
    draft.data["coverage"] = [
        {"kind": kind.kind, "covered": kind.is_covered, "why_not": kind.why, "read_from": list(kind.sources)}
        for kind in kinds
    ]
    covered = sum(kind.is_covered for kind in kinds)
    draft.passed("coverage", f"{covered} of {count_of(len(kinds), 'kind')} of objects are covered")


@command("snapshot")
def snapshot(draft: Draft, settings: Settings) -> None:
    """The live schema as text: what ``drift --against FILE`` reads."""
    live = open_database(read_project(settings), draft)
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    draft.data["snapshot"] = render_lock(schema, live.read_stamped())
    draft.passed("snapshot", f"{len(schema.objects)} objects")


@command("repair plan")
@dropping_meanwhile()
def repair_plan(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """What would bring the schema back to its stamped revision, proven on a copy; nothing is applied."""
    from govern.actions.repairs.schema import plan_repair

    project = read_project(settings)
    live = open_database(project, draft)
    require_replayable(project, live.read_stamped())
    narrate("planning the repair and proving it on a copy")
    plan = plan_repair(live, read_scope(settings, project.manifest), local_today())
    draft.data["repair"] = _repair_json(plan)
    if plan.statements and plan.is_proven:
        allowed = "".join(f" --allow {shlex.quote(str(hazard))}" for hazard in plan.hazards)
        draft.data["next"] = [*_restores(plan), f"govern repair apply{allowed}"]
    draft.passed("repair", _describe_plan(plan))


def _restores(plan: RepairPlan) -> Iterator[str]:
    """Repair makes a table that is gone anew, and empty: its rows are in a backup."""
    for change in plan.changes:
        if (change.key.kind, change.action) == ("table", "removed"):
            name = shlex.quote(name_place((change.key.namespace, change.key.name)))
            yield f"govern restore --table {name} --merge   # with the rows of a backup; without it the table is empty"


@command("repair apply")
def repair_apply(
    draft: Draft,
    settings: Settings,
    *,
    only: frozenset[str] = frozenset(),
    allow: tuple[str, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """Backs up and brings the schema back to its stamped revision. ``allow`` names the hazards that may happen.

    ``only``: the keys of the findings that are to go; none: all of them.
    """
    from govern.actions.repairs.schema import apply_repair, every

    project = read_project(settings)
    live = open_database(project, draft)
    require_replayable(project, live.read_stamped())
    scope = read_scope(settings, project.manifest)
    choose = (lambda change: key_of(change) in only) if only else every
    apply_repair(
        live, draft, project.manifest, scope, local_today(), choose=choose, allow=allow, narrate=narrate
    )


@contextmanager
def _no_migration_running(live: LiveDatabase) -> Iterator[None]:
    """A schema in the middle of a migration is not drift."""
    try:
        with live.dialect.hold_migration_lock(live.url, wait_seconds=_LOCK_WAIT_SECONDS, shared=True):
            yield
    except Refused as refusal:
        raise CouldNotCheck(
            "a migration is in progress", why=refusal.why, next="wait until it is done and run again"
        ) from refusal


def _align(
    live: LiveDatabase,
    schema: Snapshot,
    declared: Snapshot,
    order: ColumnOrder | None,
    scratch: OpenScratch,
) -> tuple[Snapshot, Snapshot]:
    """The declared and the live schema in the same words; with the order of columns where one is given."""
    expected = in_words_of(schema, declared, live.dialect, scratch)
    if order is None:
        return expected, schema
    standing = live.read_column_order()
    return with_column_order(expected, order, standing), with_column_order(schema, standing, order)


def _write_baseline(draft: Draft, path: Path, verdict: Verdict) -> None:
    write_text(path, render_baseline(verdict.sorted.open))
    draft.passed("baseline", f"{path}: {count_of(len(verdict.sorted.open), 'known difference')}")


def _read_other(settings: Settings, against: str, *, with_order: bool) -> tuple[Snapshot, ColumnOrder | None]:
    """A snapshot file, or another database."""
    if "://" in against:
        other = LiveDatabase(settings, DatabaseUrl.parse(against))
        return other.read_snapshot(), other.read_column_order() if with_order else None
    lock = read_lock(Path(against))
    if lock is None:
        raise NoSuchName(
            f"there is no snapshot file {against}",
            wanted=against,
            known=DECLARATIONS,
            why="--against takes revision, head, models, a snapshot file or a URL",
            next="write one: govern snapshot --output FILE",
        )
    if with_order:
        raise ConfigurationError(
            f"{against} does not say in which order columns stand",
            why="--column-order needs two databases; a snapshot file is the same whatever the order",
            next="hold the database against revision, head, models or another database's URL",
        )
    return lock.snapshot, None


def _with_repair(
    draft: Draft, findings: tuple[Finding, ...], plan: RepairPlan, sql_file: Path | None
) -> tuple[Finding, ...]:
    """Gives the whole script to the report, and to each finding the statements that take it away."""
    draft.data["repair"] = _repair_json(plan)
    if sql_file is not None:
        draft.add(_write_script(sql_file, plan))
    return with_fixes(findings, plan)


def _write_script(path: Path, plan: RepairPlan) -> Entry:
    if not plan.changes:
        write_text(path, "-- the schema is as declared; there is nothing to repair\n")
        return Entry.of("sql", (), f"{path}: {_describe_plan(plan)}")
    if not plan.is_proven:
        return Entry(name="sql", status="skipped", reason=f"{path} was not written: {_describe_plan(plan)}")
    warnings = "".join(f"-- loses data: {hazard}\n" for hazard in plan.hazards)
    statements = "\n".join(f"{statement.rstrip(';')};" for statement in plan.statements)
    write_text(path, f"-- proven on a scratch copy of the schema\n{warnings}BEGIN;\n{statements}\nCOMMIT;\n")
    return Entry.of("sql", (), f"{path}: {_describe_plan(plan)}")


def _repair_json(plan: RepairPlan) -> dict[str, object]:
    from govern.core.row_repair import SCHEMA_REPAIR  # with all kinds of repairs

    return {
        "repair": SCHEMA_REPAIR,
        "kind": SCHEMA_REPAIR,
        "rows": 0,
        "tables": [],
        "undoes": [describe_change(change) for change in plan.changes],
        "notes": list(plan.doubts),
        "locks": list(plan.locks),
        "obstacles": [plan.problem] if plan.problem else [],
        "statements": list(plan.statements),
        "proven": plan.is_proven,
        "hazards": [str(hazard) for hazard in plan.hazards],
        "remaining": [describe_change(change) for change in plan.remaining],
        "doubts": list(plan.doubts),
        "problem": plan.problem,
    }


def _describe_plan(plan: RepairPlan) -> str:
    if not plan.changes:
        return "the schema is as declared; there is nothing to repair"
    doubts = "".join(f"; {doubt}" for doubt in plan.doubts)
    if plan.is_proven:
        statements = count_of(len(plan.statements), "statement")
        return f"{statements} for {count_of(len(plan.changes), 'difference')}, proven on a copy{doubts}"
    problem = plan.problem or count_of(len(plan.remaining), "difference") + " would remain"
    return f"no proven repair: {problem}{doubts}"
