"""A run of revisions as something that can be tried again: each transaction begins with a savepoint.

To roll back to it lets go of all locks, so that nobody waits for us between two tries, and keeps the
connection, and with it the migration lock. What was committed before is not executed again, see ``progress``.
"""

from __future__ import annotations

from typing import Any

from .driver_connection import execute_past_events, is_autocommit
from .journal import Journal
from .patience import Patience
from .progress import Progress

_SAVEPOINT = "SAVEPOINT govern_try"
_TAKE_BACK = "ROLLBACK TO SAVEPOINT govern_try"


class Attempts:
    """Only for a server that takes turns by locks: SQLite has one writer, who has them all."""

    def __init__(self, patience: Patience, journal: Journal, progress: Progress) -> None:
        self._patience = patience
        self._journal = journal
        self._progress = progress
        self._has_savepoint = False

    def install(self) -> None:
        from alembic.runtime.migration import MigrationContext

        original = MigrationContext.run_migrations

        def run_migrations(context: Any, **options: Any) -> None:
            while True:
                try:
                    return original(context, **options)
                except Exception as error:
                    revision = self._journal.revision
                    if not self._patience.has_time_after(error) or not self._take_back(context.connection):
                        raise
                self._patience.pause(revision)

        MigrationContext.run_migrations = run_migrations  # type: ignore[method-assign, assignment]

    def begin_before(self, connection: Any) -> None:
        """Before each statement: the first of a transaction gets a savepoint in front of it."""
        if self._has_savepoint or not connection.in_transaction() or is_autocommit(connection):
            return
        execute_past_events(connection, _SAVEPOINT)
        self._has_savepoint = True

    def note_end(self) -> None:
        """The transaction is about to end, and its savepoint with it."""
        self._has_savepoint = False

    def _take_back(self, connection: Any) -> bool:
        """Whether the next try begins as if this one had never been, but for what is known to be committed."""
        if not self._progress.can_go_on():
            return False
        if self._has_savepoint:
            execute_past_events(connection, _TAKE_BACK)
        elif connection.in_transaction():
            return False  # env.py's own, in autocommit mode: nothing can be taken back
        self._journal.forget()
        return True
