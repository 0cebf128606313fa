"""Rows from a folder of files: matched with the live tables, and staged in a scratch copy of the live schema."""

from govern.actions.exports.course import plan_files, restore_files
from govern.actions.exports.declared_tables import read_known_tables
from govern.actions.exports.matching import Matched, match_files
from govern.actions.exports.staging import Staging, staged

__all__ = ["Matched", "Staging", "match_files", "plan_files", "read_known_tables", "restore_files", "staged"]
