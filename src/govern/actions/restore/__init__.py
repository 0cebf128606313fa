"""Puts a backup in the place of a database, or rows of it into one: proven beside it, done in one step."""

from govern.actions.restore.after_failure import fall_back
from govern.actions.restore.course import restore_database
from govern.actions.restore.fit import SAFETY, find_fitting
from govern.actions.restore.plan import plan_restore
from govern.actions.restore.rows import Wanted, plan_rows, restore_rows

__all__ = [
    "SAFETY",
    "Wanted",
    "fall_back",
    "find_fitting",
    "plan_restore",
    "plan_rows",
    "restore_database",
    "restore_rows",
]
