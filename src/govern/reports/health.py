"""Health as the JSON documents of the HTTP contract. Keys are added, never renamed; no address, role or row is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from govern.core.health import Condition, Figures, NewestBackup, RowCount, Storage
from govern.core.probed import Probed

_SIGNS = {True: "✓", False: "✗"}
_DEFAULT_NAMESPACE = "public."
PONG: Mapping[str, Any] = {"status": "ok", "message": "pong"}


def describe_condition(condition: Condition) -> dict[str, Any]:
    """``GET /health``."""
    counts = {_short(name): count for name, count in sorted(condition.counts.items())}
    estimated = [name for name, count in counts.items() if count.is_estimate]
    return {
        "status": condition.status,
        "database": {
            "exists": condition.exists,
            "schema_valid": condition.is_schema_valid,
            "missing_tables": [_short(name) for name in condition.missing_tables],
            "table_counts": {name: count.rows for name, count in counts.items()},
            **({"estimated_counts": estimated} if estimated else {}),
            "revision": ", ".join(condition.revision) or None,
            "heads": list(condition.heads),
        },
        "checks": {name: _SIGNS[passed] for name, passed in _checks(condition).items()},
        **({} if condition.probed is None else {"probes": describe_probed(condition.probed)}),
        "message": condition.message,
    }


def describe_probed(probed: Probed) -> dict[str, Any]:
    """How the application last answered, without what it said."""
    return {
        "at": _timestamp(probed.at),
        "by": probed.by,
        "sequences": {
            one.name: {"status": one.status, "findings": one.findings, "ms": round(one.seconds * 1000)}
            for one in probed.sequences
        },
    }


def describe_figures(figures: Figures) -> dict[str, Any]:
    """``GET /health/database``."""
    missing = [_short(name) for name in figures.missing_tables]
    return {
        "status": "critical" if missing else "ok",
        "tables": {
            _short(name): _describe_table(count, figures.storage.get(name))
            for name, count in sorted(figures.counts.items())
        },
        "missing_tables": missing,
        "bytes": figures.load.bytes,
        "connections": {"used": figures.load.connections, "max": figures.load.most_connections},
        "locks_waiting": figures.load.locks_waiting,
        "backup": _describe_backup(figures.backup),
        "message": f"critical tables are missing: {', '.join(missing)}; next: govern drift"
        if missing
        else "the database answers",
    }


def _checks(condition: Condition) -> Mapping[str, bool]:
    rows = {f"has_{_short(name)}": condition.has_rows(name) for name in sorted(condition.minimum_rows)}
    return {
        "database_exists": condition.exists is True,
        "schema_valid": condition.is_schema_valid,
        **rows,
        **({} if condition.is_backed_up is None else {"backed_up": condition.is_backed_up}),
    }


def _describe_table(count: RowCount, storage: Storage | None) -> dict[str, Any]:
    return {
        "rows": count.rows,
        "estimated": count.is_estimate,
        "bytes": storage.bytes if storage else None,
        "last_analysed": _timestamp(storage.analysed_at if storage else None),
    }


def _describe_backup(backup: NewestBackup | None) -> dict[str, Any] | None:
    return (
        None
        if backup is None
        else {
            "id": backup.id,
            "age_seconds": round(backup.age_seconds),
            "verified": backup.is_proven,
        }
    )


def _timestamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _short(name: str) -> str:
    """As the manifest names it: without the schema that needs no naming."""
    return name.removeprefix(_DEFAULT_NAMESPACE)
