"""What the child says of its versions and statements, kept for the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.run import AppliedStatement
from govern.revisions.protocol import Event, Hello, RevisionStarted, Statement

_MOST_STATEMENTS = 1000
_LONGEST_STATEMENT = 10_000


class Account:
    """Of the last try of each revision: one that met a lock was taken back."""

    def __init__(self) -> None:
        self.versions: Mapping[str, str] = {}
        self._statements: dict[str, list[AppliedStatement]] = {}

    def note(self, event: Event) -> None:
        if isinstance(event, Hello):
            self.versions = {
                "python": event.python,
                "alembic": event.alembic,
                "sqlalchemy": event.sqlalchemy,
            }
        elif isinstance(event, RevisionStarted):
            self._statements[event.revision] = []
        elif isinstance(event, Statement) and event.revision is not None:
            noted = self._statements.setdefault(event.revision, [])
            if len(noted) < _MOST_STATEMENTS:
                noted.append(AppliedStatement(sql=event.sql[:_LONGEST_STATEMENT], seconds=event.seconds))

    def statements_of(self, revision: str) -> tuple[AppliedStatement, ...]:
        return tuple(self._statements.get(revision, ()))
