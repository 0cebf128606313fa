"""Looks at a database after it was changed, or where it should not need to be: is it what it was declared to be?"""

from __future__ import annotations

from govern.checks.drift import check_drift
from govern.checks.integrity import check_integrity
from govern.core.finding import Finding, Severity
from govern.core.report import Draft, Entry
from govern.database.live import LiveDatabase
from govern.declared import expected_at
from govern.source.manifest import Manifest


def validate(live: LiveDatabase, draft: Draft, manifest: Manifest | None) -> tuple[Finding, ...]:
    """Holds the schema against the declared one at the stamped revision and, if it is that, rows against the manifest.

    Two entries of the report. Raises ReplayFailed where the declared schema can only be had by a replay that breaks.
    """
    schema = live.read_snapshot()
    draft.unmodelled = schema.unmodelled
    declared, source = expected_at(live, live.read_stamped(), schema)
    critical = tuple(table.name for table in manifest.critical_tables) if manifest else ()
    findings = check_drift(declared, schema, critical_tables=critical)
    draft.add(Entry.of("validate", findings, f"compared with {source}"))
    if findings or manifest is None:
        return findings
    path = live.settings.relative(manifest.path)
    with live.connect() as connection:
        rows = check_integrity(connection, live.dialect, manifest, path=path)
    draft.add(Entry.of("manifest", rows, path))
    return rows


def serious(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that make a database unhealthy."""
    return tuple(finding for finding in findings if finding.severity >= Severity.ERROR)
