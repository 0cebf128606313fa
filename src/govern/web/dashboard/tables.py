"""Whether the page knows how tables are."""

from __future__ import annotations

from govern.web.dashboard.record import Record


def was_looked_at(record: Record) -> bool:
    """Whether the monitor's last pass, or the one that is remembered, compared schemas to the end."""
    checks = record.status.checks if record.status else ()
    return any(check.name == "drift" and check.status in ("passed", "found") for check in checks)
