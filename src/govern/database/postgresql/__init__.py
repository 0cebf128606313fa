"""PostgreSQL 13 to 18, over psycopg and PostgreSQL's own client programs. ``engine`` has all that is asked of it.

A module that not every command needs is imported when it is first named, as in ``postgresql.orphans``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govern.database.postgresql import (
        asking,
        canonical,
        contents,
        dump,
        judging,
        kept,
        ledger,
        orphans,
        progress,
        promises,
        references,
        repair,
        replacement,
        replicas,
        rights,
        row_checks,
        row_repairs,
        schema_repairs,
        sizes,
        staging,
        table_shapes,
        transactions,
        transfer,
        vitals,
    )

__all__ = [
    "asking",
    "canonical",
    "contents",
    "dump",
    "judging",
    "kept",
    "ledger",
    "orphans",
    "progress",
    "promises",
    "references",
    "repair",
    "replacement",
    "replicas",
    "rights",
    "row_checks",
    "row_repairs",
    "schema_repairs",
    "sizes",
    "staging",
    "table_shapes",
    "transactions",
    "transfer",
    "vitals",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
