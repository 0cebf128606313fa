"""Where Alembic keeps the revisions that a database is stamped with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.config import Settings


@dataclass(frozen=True, slots=True)
class VersionTable:
    """Where Alembic keeps its version rows: ``version_table`` and ``version_table_schema``."""

    name: str = "alembic_version"
    namespace: str | None = None
    home: str | None = None
    """The one schema that its revisions are about; None: the whole database."""


def version_table(settings: Settings) -> VersionTable:
    """A schema that is governed by itself has a version table of its own."""
    alembic = settings.alembic
    return VersionTable(
        alembic.version_table, settings.schema or alembic.version_table_schema, home=settings.schema
    )
