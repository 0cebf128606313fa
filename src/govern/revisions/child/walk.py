"""Revisions one by one on a scratch database, in one process: those to be proven up, down and up again.

env.py runs once as long as nothing fails. The parent is told where the database stands, and nothing goes on before
it has looked. A way back is tried inside the transaction of the real one first, and rolled back to its savepoint:
where it does not work, or does not lead up again, the database is still as the revision has left it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .configuration import open_script_directory
from .failure import describe_error
from .parent import Stop
from .session import Session

_OUTER_TRANSACTION = "env.py begins a transaction of its own around the migrations"
_NEEDS_TWO_TRANSACTIONS = ("55006", "55P04")
"""Pending trigger events, and a new enum value that is used: after a commit there is no such obstacle."""
_NOTHING_RAN = "env.py does not run the migrations"


def walk(session: Session) -> dict[str, Any]:
    """``unproven``: the revisions of which nothing can be said."""
    from alembic.runtime.environment import EnvironmentContext

    script = open_script_directory(session.config)
    way = Walk(session, script)
    while way.turns:
        left = len(way.turns)
        try:
            with EnvironmentContext(session.config, script, fn=way.steps):
                script.run_env()
        except Exception as error:
            way.note_failure(error)
        if len(way.turns) == left:
            raise Stop("unwalkable", why=_NOTHING_RAN)
    session.config.attributes.commit()
    return {"unproven": way.unproven}


class Walk:
    """What is left to do, in turns: a revision, and ``up``, ``back`` or ``again``."""

    def __init__(self, session: Session, script: Any) -> None:
        self._session = session
        self._script = script
        self.turns: deque[tuple[str, str]] = deque()
        self.unproven: list[str] = []
        proven = set(session.request["proven"])
        for revision in session.request["revisions"]:
            turns = ("up", "back", "again") if revision in proven else ("up",)
            self.turns.extend((revision, turn) for turn in turns)
        self._watched = frozenset(session.request["watched"])
        self._direction = ""
        self._has_committed = False
        """Whether something of the way back was committed before its end."""

    def steps(self, _heads: Any, context: Any) -> Iterator[Any]:
        """``fn`` of an EnvironmentContext: goes on where the run of env.py before this one ended."""
        if self._session.began_before_configure:
            raise Stop("unwalkable", why=_OUTER_TRANSACTION)
        while self.turns:
            revision, turn = self.turns[0]
            if turn == "up" and self._is_proven(revision):
                self._pause(revision, "before")
            _forget_types(context)
            yield self._step(revision, turn, context)
            self.turns.popleft()  # its transaction is committed
            if turn == "back":
                self._pause(revision, "after")
            elif turn == "up" and revision in self._watched:
                self._pause(revision, "applied")

    def note_failure(self, error: Exception) -> None:
        """Tells of a way back that does not work, and goes on behind it; raises what is none."""
        revision, turn = self.turns[0]
        if turn == "up" or self._direction == "":
            raise error
        facts = describe_error(error, self._session)
        if self._direction == "upgrade" and facts["sqlstate"] in _NEEDS_TWO_TRANSACTIONS:
            self.unproven.append(revision)
        else:
            self._session.parent.emit("way_back_failed", direction=self._direction, error=facts)
        self._session.journal.forget()
        while self.turns and self.turns[0][0] == revision:
            self.turns.popleft()
        if turn == "again" or self._has_committed:
            self.unproven += dict.fromkeys(one for one, _ in self.turns)
            self.turns.clear()

    def _is_proven(self, revision: str) -> bool:
        return len(self.turns) > 1 and self.turns[1] == (revision, "back")

    def _step(self, revision: str, turn: str, context: Any) -> Any:
        from alembic.runtime.migration import MigrationStep

        known, file = self._script.revision_map, self._script.get_revision(revision)
        up = MigrationStep.upgrade_from_script(known, file)
        self._direction = "" if turn == "up" else "upgrade"
        if turn != "back":
            return up
        back = MigrationStep.downgrade_from_script(known, file)
        back.migration_fn = self._try_before(up.migration_fn, back.migration_fn, context)
        return back

    def _try_before(
        self, up: Callable[..., None], down: Callable[..., None], context: Any
    ) -> Callable[..., None]:
        def go_back(**options: Any) -> None:
            self._direction = "downgrade"
            with self._taken_back(context.connection):
                down(**options)
                self._direction = "upgrade"
                _forget_types(context)
                up(**options)
            self._direction = "downgrade"
            down(**options)

        return go_back

    @contextmanager
    def _taken_back(self, connection: Any) -> Iterator[None]:
        savepoint = connection.begin_nested()
        self._has_committed = False
        try:
            yield
        finally:
            self._has_committed = not savepoint.is_active
            try:
                savepoint.rollback()
            except Exception:  # committed past SQLAlchemy: there is no such savepoint any more
                self._has_committed = True

    def _pause(self, revision: str, point: str) -> None:
        self._session.parent.emit("paused", revision=revision, point=point)
        if self._session.parent.wait_for_orders() is None:
            raise Stop("aborted")


def _forget_types(context: Any) -> None:
    """SQLAlchemy makes an enum once for each run of Alembic (its ``_check_for_name_in_memos``); each turn is a run."""
    context.impl.memo.clear()
