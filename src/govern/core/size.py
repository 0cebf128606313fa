"""How large a table is, as its server estimates it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """Estimates: nobody counts rows to warn about them."""

    rows: int
    bytes: int
    """With indexes and what is stored out of line."""
