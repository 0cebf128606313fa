"""Commands that look into rows: is what the schema and the manifest promise of them true?"""

from __future__ import annotations

from dataclasses import replace

from govern.api.attributed import Attributed, attribute_orphans, attribute_sequences
from govern.api.command import Narrate, command, silent
from govern.api.due_repairs import find_due
from govern.api.project import Project, open_database, read_project
from govern.checks.integrity import check_integrity
from govern.checks.orphans import OrphanCheck, check_orphans, find_references
from govern.checks.related_types import check_related_types
from govern.checks.rows import check_rows
from govern.checks.suggestions import suggest_relationships
from govern.config import Settings
from govern.core.report import Draft, Entry
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import Refused
from govern.source.lock import read_lock

_SECONDS_A_LOOK = 10.0


@command("integrity")
def integrity(
    draft: Draft,
    settings: Settings,
    *,
    budget_seconds: float = 300.0,
    suggest: bool = False,
    narrate: Narrate = silent,
) -> None:
    """Orphans of every reference; then the manifest's minimum rows, never-empty columns and invariants.

    Of one schema by itself no repairs are planned: they are of a whole database.

    ``budget_seconds``: for the orphans of all references together. What is not looked at until then is looked at in a
    sample, or skipped: the report says which. A third of it more is for planning the manifest's repairs. ``suggest``:
    only references that nobody declared.
    """
    project = read_project(settings)
    if settings.schema is not None:
        _refuse_suggestions(settings.schema, suggest=suggest)
        project = _without_repairs(project)
    live = open_database(project, draft)
    if suggest:
        narrate("looking for references that nobody declared")
        _suggest(draft, project, live)
        return
    narrate("reading the schema")
    schema = _as_rows_name_it(live)
    orphans = _look_for_orphans(draft, project, live, schema, budget_seconds, narrate)
    narrate("looking at sequences, duplicates, promises and files")
    rows = _look_at_rows(draft, project, live, schema, budget_seconds)
    _look_at_manifest(draft, project, live)
    narrate("looking at what repairs have to do")
    _look_at_repairs(draft, project, live, orphans.settled | rows.settled, budget_seconds / 3)


def _refuse_suggestions(schema: str, *, suggest: bool) -> None:
    if suggest:
        raise Refused(
            f"--suggest is for a whole database, and the target is its schema {schema}",
            why="what nobody declared is the same in all tenants, and is declared once",
            next="ask a development database, where the tables are in public",
        )


def _without_repairs(project: Project) -> Project:
    if project.manifest is None:
        return project
    return replace(project, manifest=project.manifest.model_copy(update={"repairs": ()}))


def _as_rows_name_it(live: LiveDatabase) -> Snapshot:
    """The schema; of one by itself its tables have no namespace, as places of rows have none."""
    schema = live.read_snapshot()
    if live.url.schema is None:
        return schema
    return replace(
        schema, objects={key._replace(namespace=""): facts for key, facts in schema.objects.items()}
    )


def _look_for_orphans(
    draft: Draft,
    project: Project,
    live: LiveDatabase,
    schema: Snapshot,
    budget_seconds: float,
    narrate: Narrate,
) -> Attributed:
    with live.connect() as connection:
        check = check_orphans(
            connection,
            live.dialect,
            project.manifest,
            path=_path(project),
            seconds=budget_seconds,
            narrate=narrate,
        )
    attributed = attribute_orphans(live, project.manifest, check)
    draft.add(Entry.of("references", attributed.findings, _describe(check)))
    draft.add(
        Entry.of("types", check_related_types(schema, check.references), "of columns that hold the same keys")
    )
    if check.not_counted:
        which = "; ".join(f"{one.reference}: {one.why}" for one in check.not_counted)
        draft.add(Entry(name="references not looked at", status="skipped", reason=which))
    return attributed


def _suggest(draft: Draft, project: Project, live: LiveDatabase) -> None:
    with live.connect() as connection:
        known = find_references(connection, live.dialect, project.manifest)
        findings = suggest_relationships(connection, live.dialect, live.table, known, seconds=_SECONDS_A_LOOK)
    draft.add(
        Entry.of("suggestions", findings, f"besides {count_of(len(known), 'reference')} that are known")
    )


def _describe(check: OrphanCheck) -> str:
    declared = sum(one.reference.name is not None for one in check.looked_at)
    implied = len(check.looked_at) - declared
    sampled = sum(one.sampled_percent is not None for one in check.looked_at)
    parts = [count_of(declared, "foreign key")]
    if implied:
        parts.append(f"{count_of(implied, 'relationship')} of the manifest")
    if sampled:
        parts.append(f"{sampled} of them in a sample of their rows alone")
    return ", ".join(parts)


def _look_at_rows(
    draft: Draft, project: Project, live: LiveDatabase, schema: Snapshot, budget_seconds: float
) -> Attributed:
    lost = live.dialect.find_lost_promises(_read_declared(project, schema), schema)
    with live.connect() as connection:
        check = check_rows(
            connection, live.dialect, project.manifest, lost, path=_path(project), seconds=budget_seconds
        )
    attributed = attribute_sequences(live, project.manifest, check.findings)
    draft.add(Entry.of("rows", attributed.findings, "sequences, duplicates, broken promises, damage"))
    if check.not_looked_at:
        which = "; ".join(f"{one.what}: {one.why}" for one in check.not_looked_at)
        draft.add(Entry(name="rows not looked at", status="skipped", reason=which))
    return attributed


def _read_declared(project: Project, schema: Snapshot) -> Snapshot | None:
    """The lock's; None where there is none of that engine and major version, whose texts would mean the same.

    Those of one schema by itself are not the lock's.
    """
    if project.settings.schema is not None:
        return None
    lock = read_lock(project.settings.lock, at_once=False)
    return lock.snapshot if lock is not None and lock.speaks_of(schema) else None


def _look_at_manifest(draft: Draft, project: Project, live: LiveDatabase) -> None:
    if project.manifest is None:
        draft.add(Entry(name="manifest", status="skipped", reason="there is none", is_optional=True))
        return
    with live.connect() as connection:
        findings = check_integrity(connection, live.dialect, project.manifest, path=_path(project) or "")
    draft.add(Entry.of("manifest", findings, _path(project) or ""))


def _look_at_repairs(
    draft: Draft, project: Project, live: LiveDatabase, settled: frozenset[str], seconds: float
) -> None:
    if project.manifest is None or not project.manifest.repairs:
        return
    check = find_due(live, project.manifest, settled=settled, seconds=seconds)
    draft.add(Entry.of("repairs", check.findings, count_of(len(project.manifest.repairs), "declared repair")))
    if check.not_looked_at:
        which = "; ".join(f"{name}: {why}" for name, why in check.not_looked_at.items())
        draft.add(Entry(name="repairs not looked at", status="skipped", reason=which))


def _path(project: Project) -> str | None:
    return project.settings.relative(project.manifest.path) if project.manifest else None
