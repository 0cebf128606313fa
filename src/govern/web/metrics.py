"""Health as Prometheus reads it (https://prometheus.io/docs/practices/naming/), in a registry of its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from govern.core.finding import Severity
from govern.core.health import Condition, Status
from govern.errors import ToolMissing

if TYPE_CHECKING:
    from govern.core.health import Looked
    from govern.core.probed import Probed

try:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST as MEDIA_TYPE
except ImportError as error:
    raise ToolMissing(
        "metrics need the package prometheus-client",
        why="it is not installed",
        next="pip install 'govern[web]'",
    ) from error

__all__ = ["MEDIA_TYPE", "render_metrics"]

STATUSES = get_args(Status)
FAMILIES = ("startup", "drift", "integrity", "backup")


def render_metrics(looked: Looked) -> bytes:
    """The last look as text, made anew: what is not known any more is not told."""
    condition = looked.condition
    registry = CollectorRegistry()

    def tell(name: str, documentation: str, value: float | bool | None) -> None:
        if value is not None:
            Gauge(f"govern_{name}", documentation, registry=registry).set(value)

    status = Gauge("govern_health_status", "1 for what the database is.", ("status",), registry=registry)
    for one in STATUSES:
        status.labels(one).set(condition.status == one)
    tell("schema_valid", "Whether an application would start on this schema.", condition.is_schema_valid)
    tell("migration_pending", "Whether revisions are to be applied.", condition.is_pending)
    if condition.exists:
        tell("missing_tables", "Tables that should be there.", len(condition.missing_tables))
    tell("look_duration_seconds", "How long the last look took.", looked.seconds)
    tell("last_look_timestamp_seconds", "When the last look ended.", looked.at)
    if backup := condition.backup:
        tell("backup_age_seconds", "Since the newest backup was made.", backup.age_seconds)
        tell("backup_verified", "Whether the newest backup was proven.", backup.is_proven)
    if condition.probed is not None:
        _tell_probes(condition.probed, registry)
    _tell_findings(condition, registry)
    _tell_rows(condition, registry)
    return generate_latest(registry)


def _tell_probes(probed: Probed, registry: CollectorRegistry) -> None:
    labels = ("sequence",)
    up = Gauge("govern_probe_up", "Whether the application answered as it must.", labels, registry=registry)
    name = "govern_probe_duration_seconds"
    took = Gauge(name, "How long it took to ask all of a sequence.", labels, registry=registry)
    for one in probed.sequences:
        up.labels(one.name).set(one.is_up)
        took.labels(one.name).set(one.seconds)
    at = Gauge("govern_probe_timestamp_seconds", "When the application was last asked.", registry=registry)
    at.set(probed.at.timestamp())


def _tell_findings(condition: Condition, registry: CollectorRegistry) -> None:
    labels = ("family", "severity")
    findings = Gauge("govern_findings", "What was found.", labels, registry=registry)
    found = Counter((one.rule.family, one.severity) for one in condition.findings)
    for family in FAMILIES:
        for severity in Severity:
            findings.labels(family, severity.label).set(found[family, severity])


def _tell_rows(condition: Condition, registry: CollectorRegistry) -> None:
    name = "govern_critical_table_rows"
    rows = Gauge(name, "Rows of a critical table.", ("table",), registry=registry)
    estimated = Gauge(f"{name}_estimated", "Whether that is an estimate.", ("table",), registry=registry)
    for table, count in condition.counts.items():
        if count.rows is not None:
            rows.labels(table).set(count.rows)
            estimated.labels(table).set(count.is_estimate)
