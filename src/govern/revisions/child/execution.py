"""How one statement of a revision is executed: at once, not at all, or alone and with patience."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .driver_connection import execute_past_events, is_autocommit
from .journal import Journal
from .patience import Patience
from .progress import Progress

_IN_SEVERAL_TRANSACTIONS = re.compile(r"\bCONCURRENTLY\b|^\s*(CALL|DO)\b", re.IGNORECASE)
"""What fails may have done a part of its work: it is not executed twice."""
_WAITS_FOR_TRANSACTIONS = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_LOCK_TIMEOUT = "SELECT pg_catalog.current_setting('lock_timeout')"
_SET_LOCK_TIMEOUT = "SELECT pg_catalog.set_config('lock_timeout', '{}', false)"


class Execution:
    """Stands in for ``Dialect.do_execute`` where a statement is not simply to be executed."""

    def __init__(self, journal: Journal, progress: Progress, patience: Patience) -> None:
        self._journal = journal
        self._progress = progress
        self._patience = patience

    def execute(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool | None:
        """A listener for DialectEvents.do_execute: True if nothing is left to be done."""
        return self._handle("do_execute", cursor, sql, parameters, context)

    def execute_many(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool | None:
        return self._handle("do_executemany", cursor, sql, parameters, context)

    def _handle(self, how: str, cursor: Any, sql: str, parameters: Any, context: Any) -> bool | None:
        if self._progress.is_writing or self._journal.revision is None:
            return None
        if self._progress.is_done(sql, parameters):
            return True
        if self._journal.is_of_version_table or not is_autocommit(context.root_connection):
            return None
        connection = context.root_connection
        is_atomic = not _IN_SEVERAL_TRANSACTIONS.search(sql)
        self._journal.has_committed |= not is_atomic
        noted = self._progress.noted(connection, sql, parameters, is_atomic=is_atomic)
        with noted, _unhurried(connection, sql):
            self._execute_alone(
                lambda: getattr(context.dialect, how)(cursor, sql, parameters, context), is_atomic=is_atomic
            )
        self._journal.has_committed = True
        return True

    def _execute_alone(self, execute: Callable[[], None], *, is_atomic: bool) -> None:
        """Outside of a transaction a statement that failed has done nothing: it is tried again by itself."""
        while True:
            try:
                return execute()
            except Exception as error:
                if not is_atomic or not self._patience.has_time_after(error):
                    raise
            self._patience.pause(self._journal.revision)


@contextmanager
def _unhurried(connection: Any, sql: str) -> Iterator[None]:
    """Without ``lock_timeout`` for what waits for older transactions to end.

    It blocks neither readers nor writers meanwhile, and would leave an invalid index if it gave up.
    """
    if not _WAITS_FOR_TRANSACTIONS.search(sql):
        yield
        return
    usual = execute_past_events(connection, _LOCK_TIMEOUT)
    execute_past_events(connection, _SET_LOCK_TIMEOUT.format("0"))
    try:
        yield
    finally:
        with suppress(Exception):  # there is no session any more
            execute_past_events(connection, _SET_LOCK_TIMEOUT.format(usual))
