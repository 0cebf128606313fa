"""The front door: every command as a function of settings that returns a report.

A function raises GovernError where it could not do what it was asked; the error's ``report`` then says what was
checked and done before. Each is imported when it is first used: ``chain`` must not pay for ``migrate``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govern.api.backups import (
        backup_copy,
        backup_create,
        backup_list,
        backup_pin,
        backup_prune,
        backup_show,
        backup_sign,
        backup_unpin,
        backup_verify,
    )
    from govern.api.chaining import chain
    from govern.api.checking import check
    from govern.api.diagrams import diagram
    from govern.api.drifting import drift, drift_coverage, snapshot
    from govern.api.examination import health
    from govern.api.exports import backup_adopt, backup_search, restore_files
    from govern.api.linting import lint
    from govern.api.looking import doctor, embedded_status, embedded_stop, init
    from govern.api.migrating import (
        baseline,
        downgrade,
        history,
        list_guards,
        lock,
        migrate,
        plan,
        revision,
        stamp,
    )
    from govern.api.probing import probe
    from govern.api.repairing import repair_apply, repair_list, repair_plan, repair_prune, repair_rollback
    from govern.api.reporting import report_health, report_migration, report_restoration
    from govern.api.restoring import backup_drill, backup_verify_many, restore
    from govern.api.reviewing import report_pull_request
    from govern.api.rows import integrity
    from govern.api.scanning import scan

_HOMES = {
    "backups": (
        "backup_copy",
        "backup_create",
        "backup_list",
        "backup_pin",
        "backup_prune",
        "backup_show",
        "backup_sign",
        "backup_unpin",
        "backup_verify",
    ),
    "chaining": ("chain",),
    "checking": ("check",),
    "diagrams": ("diagram",),
    "drifting": ("drift", "drift_coverage", "snapshot"),
    "examination": ("health",),
    "exports": ("backup_adopt", "backup_search", "restore_files"),
    "linting": ("lint",),
    "looking": ("doctor", "embedded_status", "embedded_stop", "init"),
    "migrating": (
        "baseline",
        "downgrade",
        "history",
        "list_guards",
        "lock",
        "migrate",
        "plan",
        "revision",
        "stamp",
    ),
    "probing": ("probe",),
    "repairing": ("repair_apply", "repair_list", "repair_plan", "repair_prune", "repair_rollback"),
    "reporting": ("report_health", "report_migration", "report_restoration"),
    "restoring": ("backup_drill", "backup_verify_many", "restore"),
    "reviewing": ("report_pull_request",),
    "rows": ("integrity",),
    "scanning": ("scan",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "backup_adopt",
    "backup_copy",
    "backup_create",
    "backup_drill",
    "backup_list",
    "backup_pin",
    "backup_prune",
    "backup_search",
    "backup_show",
    "backup_sign",
    "backup_unpin",
    "backup_verify",
    "backup_verify_many",
    "baseline",
    "chain",
    "check",
    "diagram",
    "doctor",
    "downgrade",
    "drift",
    "drift_coverage",
    "embedded_status",
    "embedded_stop",
    "health",
    "history",
    "init",
    "integrity",
    "lint",
    "list_guards",
    "lock",
    "migrate",
    "plan",
    "probe",
    "repair_apply",
    "repair_list",
    "repair_plan",
    "repair_prune",
    "repair_rollback",
    "report_health",
    "report_migration",
    "report_pull_request",
    "report_restoration",
    "restore",
    "restore_files",
    "revision",
    "scan",
    "snapshot",
    "stamp",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
