"""Folders of rows: one JSON, JSON lines or CSV file a table, as people export them by hand. Read, never executed."""

from govern.source.exports.files import ExportFile, Passed, find_export_files, recognize
from govern.source.exports.naming import find_table, suggest_tables
from govern.source.exports.series import BrokenExport, Series, read_series

__all__ = [
    "BrokenExport",
    "ExportFile",
    "Passed",
    "Series",
    "find_export_files",
    "find_table",
    "read_series",
    "recognize",
    "suggest_tables",
]
