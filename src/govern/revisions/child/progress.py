"""Which statements of a revision are committed before its end, noted in the database together with the commit.

``autocommit_block`` commits what precedes it and each statement in it. If the run ends before the version row
is written, the next one reads here what is not to be executed again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .driver_connection import execute_past_events
from .failure import sqlstate_of
from .journal import Journal
from .parent import Stop

_MOST_STATEMENTS = 1000
"""Noted of one transaction; after one with more of them nothing is resumed."""
_PASSWORD = re.compile(r"(\bPASSWORD\s+E?)'(?:[^']|'')*'", re.IGNORECASE)


class Progress:
    """Follows one revision after the other. Without orders, as on a scratch database, it notes nothing."""

    def __init__(self, journal: Journal, committed: dict[str, list[dict[str, Any]]]) -> None:
        self._journal = journal
        self._orders: dict[str, Any] | None = None
        self._committed = committed
        """By revision: what this run or an earlier one has committed of it, in order."""
        self._start = -1
        self._position = 0
        self._unsaved: list[dict[str, Any]] = []
        self.is_skipped = False
        """Whether the statement was committed by an earlier try, and is not executed."""
        self._is_unknown = False
        """Whether something failed that may have been committed in part."""
        self.is_writing = False
        """Whether the statement that is executed is a note."""

    def obey(self, orders: dict[str, Any]) -> None:
        """``orders``: the run, the statements that write a note, and what is committed already, by revision."""
        if self._orders is None:  # a second connection of env.py's is told the same
            self._orders, self._committed = orders, orders["committed"]

    def is_done(self, sql: str, parameters: Any) -> bool:
        """Whether this statement was committed by an earlier try, and is not to be executed.

        Stops where the revision does not execute what it did then: what is left of it is unknown.
        """
        committed = self._follow()
        self.is_skipped = self._position < len(committed)
        if not self.is_skipped:
            return False
        then = committed[self._position]
        is_end = self._journal.is_of_version_table
        if is_end or then["digest"] != _digest(sql, parameters):
            now = "the end of the revision" if is_end else _hide_passwords(sql)
            facts = {"position": self._position + 1, "then": then["sql"], "now": now}
            raise Stop("not_resumable", revision=self._journal.revision, **facts)
        self._position += 1
        return True

    def note(self, sql: str, parameters: Any, *, has_rows: bool) -> None:
        """A statement was executed in a transaction, which may be committed before the revision ends."""
        self._follow()
        if self.is_skipped:
            return
        self._position += 1
        if len(self._unsaved) < _MOST_STATEMENTS:
            self._unsaved.append(self._describe(sql, parameters, has_rows=has_rows))
        else:  # what its answers said is not known any more, either
            self._unsaved[-1] = self._describe("more statements than are noted", (), has_rows=True)

    def save(self, connection: Any) -> None:
        """The transaction is about to be committed, and the revision goes on after that."""
        self._follow()
        if self._unsaved:
            self._write(connection, self._unsaved)
            self._remember(self._unsaved)
            self._unsaved = []

    @contextmanager
    def noted(self, connection: Any, sql: str, parameters: Any, *, is_atomic: bool) -> Iterator[None]:
        """Around a statement that commits by itself; ``is_atomic``: all of it or nothing."""
        self._follow()
        self._position += 1
        row = self._describe(sql, parameters, has_rows=False)
        self._write(connection, [dict(row, state="begun")])
        try:
            yield
        except BaseException as error:
            if is_atomic and sqlstate_of(error):  # the server's own no
                self._write(connection, [dict(row, state="failed")])
            else:
                self._is_unknown = True
            raise
        self._write(connection, [row])
        self._remember([row])

    def take_back(self) -> None:
        """The transaction is about to be rolled back."""
        self._unsaved = []

    def can_go_on(self) -> bool:
        """Whether the running revision can be tried again: nothing of it is committed, or it is known what is."""
        committed = self._follow()
        if not self._journal.has_committed:
            return True
        is_known = self._orders is not None and bool(committed) and not self._is_unknown
        return is_known and not any(row["has_rows"] for row in committed)

    def _follow(self) -> list[dict[str, Any]]:
        """What is committed of the running revision; begins anew where the journal did."""
        if self._start != self._journal.starts:
            self._start, self._position, self._unsaved = self._journal.starts, 0, []
        return self._committed.get(self._journal.revision or "", [])

    def _remember(self, rows: list[dict[str, Any]]) -> None:
        self._committed.setdefault(self._journal.revision or "", []).extend(rows)

    def _describe(self, sql: str, parameters: Any, *, has_rows: bool) -> dict[str, Any]:
        return {
            "revision": self._journal.step,
            "position": self._position,
            "sql": _hide_passwords(sql),
            "digest": _digest(sql, parameters),
            "state": "committed",
            "has_rows": has_rows,
        }

    def _write(self, connection: Any, rows: list[dict[str, Any]]) -> None:
        """On the connection that migrates: a note is there exactly if what it is about is there."""
        from sqlalchemy import text

        # a role that env.py has set may lack the right, and an error would end the transaction
        if self._orders is None or not execute_past_events(connection, self._orders["may_note"]):
            return
        self.is_writing = True
        try:
            connection.execute(
                text(self._orders["note"]), [dict(row, run=self._orders["run"]) for row in rows]
            )
        finally:
            self.is_writing = False


def _digest(sql: str, parameters: Any) -> str:
    """Of the statement with its values, which are somebody's data and not kept."""
    return hashlib.sha256(f"{sql.strip()}\n{parameters!r}".encode()).hexdigest()


def _hide_passwords(sql: str) -> str:
    return _PASSWORD.sub(r"\1'***'", sql.strip())
