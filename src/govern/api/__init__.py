"""The front door: every command as a function of settings that returns a report.

A function raises GovernError where it could not do what it was asked; the error's ``report`` then says what was
checked and done before.
"""

from govern.api.backups import backup_create, backup_list, backup_show, backup_verify
from govern.api.checking import chain, check
from govern.api.drifting import drift, repair_apply, repair_plan, snapshot
from govern.api.looking import doctor, embedded_status, embedded_stop, health, init
from govern.api.migrating import history, lock, migrate, plan, revision, stamp

__all__ = [
    "backup_create",
    "backup_list",
    "backup_show",
    "backup_verify",
    "chain",
    "check",
    "doctor",
    "drift",
    "embedded_status",
    "embedded_stop",
    "health",
    "history",
    "init",
    "lock",
    "migrate",
    "plan",
    "repair_apply",
    "repair_plan",
    "revision",
    "snapshot",
    "stamp",
]
