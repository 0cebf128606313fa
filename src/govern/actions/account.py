"""What the child says of its versions and statements, kept for the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from govern.core.observation import Observation
from govern.core.run import AppliedStatement
from govern.revisions.protocol import Event, Hello, RevisionStarted, Statement

_MOST_STATEMENTS = 1000
_LONGEST_STATEMENT = 10_000


class Account:
    """Of the last try of each revision: one that met a lock was taken back, but for what it had committed."""

    def __init__(self) -> None:
        self.versions: Mapping[str, str] = {}
        self._statements: dict[str, list[Statement]] = {}
        self._earlier: list[Statement] = []
        """What this run's try before executed of the same revision."""

    def note(self, event: Event) -> None:
        if isinstance(event, Hello):
            self.versions = {
                "python": event.python,
                "alembic": event.alembic,
                "sqlalchemy": event.sqlalchemy,
            }
        elif isinstance(event, RevisionStarted):
            self._earlier = self._statements.pop(event.revision, [])
            self._statements[event.revision] = []
        elif isinstance(event, Statement) and event.revision is not None:
            executed = self._find_earlier(event) if event.is_skipped else event
            if executed is not None:
                self._statements.setdefault(event.revision, []).append(executed)

    def statements_of(self, revision: str, rehearsed: Iterable[Observation]) -> tuple[AppliedStatement, ...]:
        """The first thousand, as the ledger keeps them, with the locks that they took where they were ``rehearsed``."""
        locks = {seen.sql: tuple(map(str, seen.locks)) for seen in rehearsed if seen.revision == revision}
        return tuple(
            AppliedStatement(
                sql=one.sql[:_LONGEST_STATEMENT], seconds=one.seconds, locks=locks.get(one.sql, ())
            )
            for one in self._statements.get(revision, [])[:_MOST_STATEMENTS]
        )

    @property
    def executed(self) -> Iterator[tuple[str, str]]:
        """Each statement with its revision, in order; without what an earlier run has committed."""
        for revision, statements in self._statements.items():
            yield from ((revision, one.sql) for one in statements)

    def _find_earlier(self, skipped: Statement) -> Statement | None:
        """The same statement as this run executed it; None where another run did."""
        is_ours = bool(self._earlier) and self._earlier[0].sql == skipped.sql
        return self._earlier.pop(0) if is_ours else None
