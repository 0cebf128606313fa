"""Is a live database what it is declared to be? And the repair that brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from govern.actions.files import write_text
from govern.actions.repair import apply_repair, plan_repair, prove_repair
from govern.api.command import Narrate, command, silent
from govern.api.project import Project, open_database, read_project
from govern.checks.chain import check_chain
from govern.checks.drift import check_drift
from govern.config import Settings
from govern.core.changes import describe_change
from govern.core.finding import Finding, Fix, Severity
from govern.core.plan import RepairPlan
from govern.core.report import Draft, Entry
from govern.core.snapshot import ObjectKey, Snapshot
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import Declared, declared_by_models, declared_by_revisions
from govern.errors import ConfigurationError, CouldNotCheck, Refused
from govern.source.lock import read_lock, render_lock

_LOCK_WAIT_SECONDS = 5.0


@command("drift")
def drift(
    draft: Draft,
    settings: Settings,
    *,
    against: str = "revision",
    sql_file: Path | None = None,
    narrate: Narrate = silent,
) -> None:
    """Holds the target against ``revision`` (the one it is stamped with), ``head``, ``models``, a snapshot file
    or another database's URL; ``sql_file`` receives the repair, proven on a copy.
    """
    project = read_project(settings)
    live = open_database(project, draft)
    with _no_migration_running(live):
        if against in ("revision", "head", "models"):
            narrate(f"building the schema declared by {_WORDS[against]}")
            with _declared(project, live, against) as declared:
                findings = _compare(draft, project, live, declared.snapshot)
                if findings:
                    narrate("looking for a repair and proving it on a copy")
                    findings = _with_repair(draft, findings, prove_repair(live, declared), sql_file)
        else:
            findings = _compare(draft, project, live, _read_other(settings, against))
    draft.add(Entry.of("drift", findings, f"held against {_WORDS.get(against, against)}"))


_WORDS = {"revision": "the stamped revision", "head": "the newest revision", "models": "the models"}


@command("snapshot")
def snapshot(draft: Draft, settings: Settings) -> None:
    """The live schema as text: what ``drift --against FILE`` reads."""
    live = open_database(read_project(settings), draft)
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    draft.data["snapshot"] = render_lock(schema, live.read_stamped())
    draft.passed("snapshot", f"{len(schema.objects)} objects")


@command("repair plan")
def repair_plan(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """What would bring the schema back to its stamped revision, proven on a copy; nothing is applied."""
    project = read_project(settings)
    live = open_database(project, draft)
    _require_replayable(project, live.read_stamped())
    narrate("planning the repair and proving it on a copy")
    plan = plan_repair(live)
    draft.data["repair"] = _repair_json(plan)
    draft.passed("repair", _describe_plan(plan))


@command("repair apply")
def repair_apply(
    draft: Draft, settings: Settings, *, allow: tuple[str, ...] = (), narrate: Narrate = silent
) -> None:
    """Backs up and brings the schema back to its stamped revision. ``allow`` names the hazards that may happen."""
    project = read_project(settings)
    live = open_database(project, draft)
    _require_replayable(project, live.read_stamped())
    apply_repair(live, draft, allow=allow, narrate=narrate)


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


@contextmanager
def _declared(project: Project, live: LiveDatabase, against: str) -> Iterator[Declared]:
    if against == "models":
        with declared_by_models(project.settings, like=live.url) as declared:
            yield declared
        return
    stamped = live.read_stamped()
    _require_replayable(project, stamped if against == "revision" else None)
    revisions = project.chain.effective_heads if against == "head" else stamped
    with declared_by_revisions(project.settings, revisions, like=live.url) as declared:
        yield declared


def _require_replayable(project: Project, stamped: tuple[str, ...] | None) -> None:
    """Raises CouldNotCheck, naming the file, for a chain that Alembic cannot walk up to ``stamped``."""
    for finding in check_chain(project.chain, root=project.settings.root, database_revisions=stamped):
        if finding.severity is Severity.CRITICAL or finding.rule.id == "chain.unknown-database-revision":
            place = f"{finding.subject.location}: " if finding.subject.location else ""
            raise CouldNotCheck(
                f"the revisions cannot be replayed: {finding.message}",
                why=place + finding.why,
                next=f"{finding.remedy}; meanwhile compare with the models: govern drift --against models",
            )


def _compare(draft: Draft, project: Project, live: LiveDatabase, declared: Snapshot) -> tuple[Finding, ...]:
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    return check_drift(declared, schema, critical_tables=project.critical_tables)


def _read_other(settings: Settings, against: str) -> Snapshot:
    """A snapshot file, or another database."""
    if "://" in against:
        return LiveDatabase(settings, DatabaseUrl.parse(against)).read_snapshot()
    path = Path(against)
    lock = read_lock(path)
    if lock is None:
        raise ConfigurationError(
            f"there is no snapshot file {against}",
            why="--against takes revision, head, models, a snapshot file or a URL",
            next="write one: govern snapshot --output FILE",
        )
    return lock.snapshot


def _with_repair(
    draft: Draft, findings: tuple[Finding, ...], plan: RepairPlan, sql_file: Path | None
) -> tuple[Finding, ...]:
    """Gives the whole script to the report, and to the findings it takes away if it is proven."""
    draft.data["repair"] = _repair_json(plan)
    if sql_file is not None:
        _write_script(sql_file, plan)
        draft.passed("sql", f"{sql_file}: {_describe_plan(plan)}")
    return tuple(replace(finding, fix=_fix_of(finding, plan)) for finding in findings)


def _fix_of(finding: Finding, plan: RepairPlan) -> Fix | None:
    """The statements that this finding needs, if there are some that work."""
    subject = finding.subject
    key = ObjectKey(subject.kind, subject.namespace or "", subject.name)
    statements = plan.statements_for(key)
    if not statements or any(change.key == key for change in plan.remaining):
        return None
    return Fix(
        sql=statements,
        loses_data=any(hazard.concerns(key) for hazard in plan.hazards),
        proven=plan.is_proven,
    )


def _write_script(path: Path, plan: RepairPlan) -> None:
    if not plan.is_proven:
        raise CouldNotCheck(
            "no repair was proven, so none was written",
            why=plan.problem or "; ".join(describe_change(change) for change in plan.remaining[:3]),
            next="write the repair as a revision",
        )
    warnings = "".join(f"-- loses data: {hazard}\n" for hazard in plan.hazards)
    statements = "\n".join(f"{statement.rstrip(';')};" for statement in plan.statements)
    write_text(path, f"-- proven on a scratch copy of the schema\n{warnings}BEGIN;\n{statements}\nCOMMIT;\n")


def _repair_json(plan: RepairPlan) -> dict[str, object]:
    return {
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
        return f"{statements} undo {count_of(len(plan.changes), 'difference')}, proven on a copy{doubts}"
    return f"no proven repair: {plan.problem or f'{len(plan.remaining)} differences would remain'}{doubts}"
