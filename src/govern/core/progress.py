"""What a revision has committed before its end, as the run that executed it noted it in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

ProgressState = Literal["begun", "failed", "committed"]

_CHANGES_SCHEMA_ALONE = re.compile(
    r"\s*(CREATE|ALTER(?!.*\bUSING\b)|DROP|COMMENT|GRANT|REVOKE|SET)\b", re.I | re.S
)
_CHANGES_ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|WITH|COPY|TRUNCATE|SELECT)\b", re.I)
_IS_REPEATABLE = re.compile(r"\s*(VACUUM|ANALYZE|REINDEX|REFRESH|CLUSTER|COMMENT)\b", re.I)


_DOWN = "downgrade of "


def name_step(direction: str, revision: str) -> str:
    """How the notes call a revision on its way up, or down: the child's journal writes the same."""
    return f"{_DOWN}{revision}" if direction == "downgrade" else revision


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedStatement:
    """One statement of a revision that commits midway."""

    step: str
    """As ``name_step`` has it."""
    position: int
    """From 1, among the revision's statements."""
    sql: str
    digest: str
    """Of the statement with its values."""
    state: ProgressState
    """``begun``: it commits by itself, and whether it has is not known."""
    has_rows: bool
    """Whether it answered something that the revision may have used."""

    @property
    def revision(self) -> str:
        return self.step.removeprefix(_DOWN)

    @property
    def is_downgrade(self) -> bool:
        return self.step.startswith(_DOWN)

    @property
    def named(self) -> str:
        """``revision 3f2a``, ``the downgrade of 3f2a``."""
        return f"the {self.step}" if self.is_downgrade else f"revision {self.step}"

    @property
    def changes_schema_alone(self) -> bool:
        """Whether to undo what it did to the schema is to undo it."""
        return _CHANGES_SCHEMA_ALONE.match(self.sql) is not None

    @property
    def changes_rows(self) -> bool:
        """Whether it can do nothing to a schema, or nothing on a copy without rows."""
        return _CHANGES_ROWS.match(self.sql) is not None

    @property
    def is_repeatable(self) -> bool:
        """Whether to execute it twice is to execute it once."""
        return _IS_REPEATABLE.match(self.sql) is not None

    def to_json(self) -> dict[str, Any]:
        return {"position": self.position, "sql": self.sql, "state": self.state}


@dataclass(frozen=True, slots=True, order=True)
class LeftoverIndex:
    """An invalid index that was not there before the statement that broke off."""

    namespace: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class BatchLeftover:
    """A table that Alembic's batch mode was filling when it broke off."""

    table: str
    is_copy: bool
    """Whether the table it was to replace is there still; if not, this one has its only rows."""
