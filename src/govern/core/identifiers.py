"""Names as standard SQL writes them: the same in PostgreSQL and SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.core.restoration import Place


def quote(name: str) -> str:
    """One identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_place(place: Place) -> str:
    """A table, with its namespace if it has one."""
    return ".".join(quote(part) for part in place if part)
