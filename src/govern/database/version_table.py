"""Where Alembic keeps the revisions that a database is stamped with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VersionTable:
    """Where Alembic keeps its version rows: ``version_table`` and ``version_table_schema``."""

    name: str = "alembic_version"
    namespace: str | None = None
