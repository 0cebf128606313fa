"""Puts a backup in the place of a database: proven beside it first, exchanged in one step, the old one kept."""

from govern.actions.restore.after_failure import fall_back
from govern.actions.restore.course import restore_database
from govern.actions.restore.fit import SAFETY, find_fitting
from govern.actions.restore.plan import plan_restore

__all__ = ["SAFETY", "fall_back", "find_fitting", "plan_restore", "restore_database"]
