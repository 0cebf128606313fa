"""Borrows a connection of an application's own engine: made by its ``creator``, ``connect_args`` and events, as its
own are. Only from an engine whose driver is psycopg, and nothing of SQLAlchemy is imported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from govern.database.connection import Connection
from govern.database.postgresql import server
from govern.database.postgresql.refusals import quote_words
from govern.errors import NOTHING_CHANGED, GovernError, Unreachable

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl


def can_lend(engine: Any) -> bool:
    """Whether it is a sync SQLAlchemy engine over psycopg 3."""
    dialect = getattr(engine, "dialect", None)
    return getattr(dialect, "driver", "") == "psycopg" and not getattr(dialect, "is_async", True)


@contextmanager
def borrow(engine: Any, url: DatabaseUrl, *, timeout_seconds: float) -> Iterator[Connection]:
    """A pooled connection in autocommit mode; it goes back to the pool as it came, or is thrown away if it broke.

    Raises Unreachable where the engine has none within ``timeout_seconds``.
    """
    import psycopg

    lent = _Lending(engine).wait(url, timeout_seconds)
    driver = lent.driver_connection
    before = driver.autocommit, driver.prepare_threshold
    driver.autocommit, driver.prepare_threshold = True, None
    try:
        yield Connection(driver, begin="BEGIN READ ONLY")
    except psycopg.Error as error:
        if loss := server.explain_loss(error, driver, url, NOTHING_CHANGED):
            raise loss from error
        raise
    finally:
        if driver.closed or driver.broken:
            lent.invalidate()
        else:
            driver.autocommit, driver.prepare_threshold = before
        lent.close()


class _Lending:
    """The engine is asked on a thread of its own: it may wait for ever for a server that hangs."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._is_done = threading.Lock()
        self._lent: Any = None
        self._error: BaseException | None = None
        self._is_given_up = False
        self._has_answered = threading.Event()
        threading.Thread(target=self._ask, daemon=True, name="govern-lending").start()

    def wait(self, url: DatabaseUrl, seconds: float) -> Any:
        """The engine's raw connection."""
        self._has_answered.wait(seconds)
        with self._is_done:
            self._is_given_up = self._lent is None and self._error is None
        if self._is_given_up:
            raise Unreachable(
                f"the engine has not made a connection to {url} within {seconds:g} s",
                why="the server does not answer, or all connections of the pool are taken",
                next="see that the server answers; connect_timeout in connect_args lets the engine give up, too",
            )
        if self._error is not None:
            raise _explain(self._error, url) from self._error
        return self._lent

    def _ask(self) -> None:
        lent: Any = None
        error: BaseException | None = None
        try:
            lent = self._engine.raw_connection()
        except BaseException as raised:
            error = raised
        with self._is_done:
            self._lent, self._error = lent, error
            is_late = self._is_given_up
        self._has_answered.set()
        if is_late and lent is not None:
            lent.close()


def _explain(error: BaseException, url: DatabaseUrl) -> GovernError:
    import psycopg

    if isinstance(error, psycopg.Error):
        return server.explain(error, url)
    return Unreachable(
        f"the engine could not make a connection to {url}",
        why=f"{type(error).__name__}: {quote_words(error, url)}",
        next="see to the engine's creator, connect_args or events: the application would fail there, too",
    )
