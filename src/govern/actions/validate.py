"""Looks at a database after it was changed, or where it should not need to be: is it what it was declared to be?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from govern.checks.drift import Verdict, judge_drift
from govern.checks.integrity import check_integrity
from govern.core.changes import diff
from govern.core.finding import Finding, Severity
from govern.core.report import Draft, Entry
from govern.core.snapshot import Snapshot
from govern.database.live import LiveDatabase
from govern.declared import expected_at, heed_env, ignore
from govern.revisions.protocol import Event
from govern.source.scope import read_scope

if TYPE_CHECKING:
    from govern.source.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a schema differs from the declared one at a revision: the same wherever both are the same."""

    schema: Snapshot
    revision: tuple[str, ...]
    verdict: Verdict
    source: str
    """Where the declared schema comes from."""


def validate(
    live: LiveDatabase,
    draft: Draft,
    manifest: Manifest | None,
    *,
    is_at_head: bool = True,
    known: Judgement | None = None,
    on_event: Callable[[Event], None] = ignore,
) -> tuple[Finding, ...]:
    """Holds the schema against the declared one at the stamped revision and, if it is that, rows against the manifest.

    The manifest speaks of the newest revision: its rows are looked at where the database is there. Two entries of the
    report. ``known`` is a judgement of a moment ago; ``on_event`` is told of a replay. Raises ReplayFailed where the
    declared schema can only be had by a replay that breaks.
    """
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    judgement = judge_schema(live, schema, manifest, known=known, on_event=on_event)
    verdict, source = judgement.verdict, judgement.source
    remark = f"; {verdict.remark}" if verdict.remark else ""
    draft.add(Entry.of("validate", verdict.findings, f"compared with {source}{remark}"))
    if serious(verdict.findings) or manifest is None:
        return verdict.findings
    path = live.settings.relative(manifest.path)
    if not is_at_head:
        reason = f"{path} speaks of the newest revision, and the database is not there"
        draft.add(Entry(name="manifest", status="skipped", reason=reason, is_optional=True))
        return verdict.findings
    with live.connect() as connection:
        rows = check_integrity(connection, live.dialect, manifest, path=path)
    draft.add(Entry.of("manifest", rows, path))
    return verdict.findings + rows


def judge_schema(
    database: LiveDatabase,
    schema: Snapshot,
    manifest: Manifest | None,
    *,
    known: Judgement | None = None,
    on_event: Callable[[Event], None] = ignore,
) -> Judgement:
    """How ``schema``, the database's, differs from the declared one at its revision.

    If it is what was judged before, at that revision, no declared schema is made once more.
    """
    revision = database.read_stamped()
    if known is not None and (known.revision, known.schema) == (revision, schema):
        return known
    declared, source = expected_at(database, revision, schema, on_event=on_event)
    critical = tuple(table.name for table in manifest.critical_tables) if manifest else ()
    scope, today = read_scope(database.settings, manifest), datetime.now().astimezone().date()
    scope = heed_env(scope, database, diff(declared, schema))
    verdict = judge_drift(declared, schema, scope=scope, today=today, critical_tables=critical)
    return Judgement(schema=schema, revision=revision, verdict=verdict, source=source)


def serious(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that make a database unhealthy."""
    return tuple(finding for finding in findings if finding.severity >= Severity.ERROR)
