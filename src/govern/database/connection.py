"""One open database connection with the same few verbs for every driver: a thin cover over DBAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Protocol, Self

SILENT_SECONDS = 30.0
"""After so long without an answer the server is asked, on another connection, what became of it; and so often."""


class DriverCursor(Protocol):
    """The part of a DBAPI cursor (PEP 249) that is used."""

    description: Any

    def execute(self, sql: Any, parameters: Any = ..., /) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def close(self) -> None: ...


class DriverConnection(Protocol):
    """The part of a DBAPI connection (PEP 249) that is used."""

    def cursor(self) -> Any: ...
    def close(self) -> None: ...


class Connection:
    """An open connection in autocommit mode: transactions are begun and ended by ``transaction`` alone.

    ``driver`` is a psycopg or sqlite3 connection of our own. SQL uses the driver's own placeholders
    (``%s`` in psycopg, ``?`` in sqlite3).

    ``schema`` is the one that is meant of a database (``DatabaseUrl.schema``).

    ``explain`` is asked of an error that leaves the ``with`` block of the connection, before it is closed: what it
    returns is raised in its place.
    """

    def __init__(
        self,
        driver: DriverConnection,
        *,
        begin: str = "BEGIN",
        schema: str | None = None,
        explain: Callable[[BaseException], Exception | None] = lambda _: None,
    ) -> None:
        self.driver = driver
        self.schema = schema
        self._begin = begin
        self._explain = explain
        self._in_transaction = False

    @property
    def is_in_transaction(self) -> bool:
        """Whether a block of ``transaction`` is open."""
        return self._in_transaction

    def rows(self, sql: Any, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Runs a query and returns all of its rows."""
        cursor = self.driver.cursor()
        try:
            # without parameters a % in the SQL stays a %
            _ = cursor.execute(sql, parameters) if parameters else cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def value(self, sql: Any, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None where there is no row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def execute(self, sql: Any, parameters: Sequence[Any] = ()) -> None:
        """Runs a statement that returns nothing of interest."""
        cursor = self.driver.cursor()
        try:
            _ = cursor.execute(sql, parameters) if parameters else cursor.execute(sql)
        finally:
            cursor.close()

    def change(self, sql: Any) -> int:
        """Runs an INSERT, UPDATE or DELETE; returns how many rows it was."""
        cursor = self.driver.cursor()
        try:
            cursor.execute(sql)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def name_columns(self, sql: Any) -> tuple[str, ...]:
        """The names of a query's columns."""
        cursor = self.driver.cursor()
        try:
            cursor.execute(sql)
            return tuple(str(column[0]) for column in cursor.description)
        finally:
            cursor.close()

    @contextmanager
    def transaction(self, begin: str | None = None) -> Iterator[None]:
        """Commits at the end of the block, rolls back if it raises. ``begin`` replaces BEGIN.

        Inside another such block it joins that one: it begins and ends nothing.
        """
        if self._in_transaction:
            yield
            return
        self.execute(begin or self._begin)
        self._in_transaction = True
        try:
            yield
        except BaseException:
            with suppress(Exception):  # there is no session any more: the first error is the telling one
                self.execute("ROLLBACK")
            raise
        else:
            self.execute("COMMIT")
        finally:
            self._in_transaction = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What raises in the block leaves the transaction around it as it was; without one it is a plain block."""
        if not self._in_transaction:
            yield
            return
        self.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            with suppress(Exception):  # there is no session any more: the first error is the telling one
                self.execute("ROLLBACK TO SAVEPOINT attempt")
            raise
        self.execute("RELEASE SAVEPOINT attempt")

    def close(self) -> None:
        self.driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        explained = self._explain(error) if error is not None else None
        self.close()
        if explained is not None:
            raise explained from error
