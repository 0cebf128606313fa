"""Every connection of every engine goes to the target, whatever env.py's engine was made for."""

from __future__ import annotations

import contextlib
import inspect
import re
from typing import Any

from .attempts import Attempts
from .confinement import Confinement
from .driver_connection import is_autocommit
from .drivers import WITHOUT_LIBPQ, absolute_file, describe_place, usual_options
from .execution import Execution
from .journal import Journal
from .keepalive import keep_alive
from .lock import Lock, read_value
from .observation import Observer
from .parent import Parent, Stop
from .patience import Patience
from .progress import Progress
from .silence import Silence
from .sqlite import begin_before

# connect arguments that say where to connect, which is not for env.py to say
_PLACE = frozenset(
    (
        "conninfo",
        "database",
        "dbname",
        "dsn",
        "host",
        "hostaddr",
        "passfile",
        "password",
        "port",
        "service",
        "unix_sock",
        "uri",
        "user",
        "username",
    )
)
# kept where env.py means the same host
_ENCRYPTION = frozenset(
    ("ssl", "ssl_context", "sslcert", "sslcrl", "sslkey", "sslmode", "sslpassword", "sslrootcert")
)
_COMMITS = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)
_ROLLS_BACK = re.compile(r"\s*(ROLLBACK|ABORT)\b(?!.*\bTO\b)", re.IGNORECASE)


class Redirection:
    """Listens to SQLAlchemy's DialectEvents.do_connect, PoolEvents and cursor events, for all engines.

    The first connection takes the migration lock before it is handed out; if it is closed, the next one does.
    """

    def __init__(self, parent: Parent, request: dict[str, Any], journal: Journal) -> None:
        from sqlalchemy.engine.url import make_url

        self._parent = parent
        self._journal = journal
        self._session: dict[str, Any] | None = request["session"]
        self._is_resumed = bool(request["committed"])
        self._progress = Progress(journal, request["committed"])
        patience = Patience(parent, self._session)
        self._attempts = Attempts(patience, journal, self._progress)
        self._execution = Execution(journal, self._progress, patience)
        self._lock = Lock(parent, request["lock"], self._progress.obey)
        self._confinement = Confinement(request["dialect"]) if request["confine"] else None
        self._observer = Observer(self._note) if request["observe"] else None
        self._open: list[Any] = []
        self.silence = Silence(parent, request["silent_seconds"])
        self.family: str = request["dialect"]
        self.address: dict[str, Any] | None = request["address"]
        self.connect_error: BaseException | None = None
        if self.address is not None:
            self.url = make_url(self.address["url"]).set(database=self.address["database"])

    def install(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        if self._confinement is not None:
            self._confinement.install()
        event.listen(Engine, "do_connect", self._connect)
        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "after_cursor_execute", self._after_statement)
        if self._session is not None or self._is_resumed:
            event.listen(Engine, "do_execute", self._execution.execute)
            event.listen(Engine, "do_executemany", self._execution.execute_many)
        if self._session is not None:
            event.listen(Engine, "commit", self._before_commit)
            event.listen(Engine, "rollback", self._before_rollback)
            self._attempts.install()
        event.listen(Engine, "handle_error", self._after_error)
        event.listen(Pool, "connect", self._refuse_stranger)
        event.listen(Pool, "close", self._forget)

    def cancel_statements(self) -> None:
        """Called from another thread. psycopg and psycopg2 say cancel, sqlite3 says interrupt."""
        for connection in tuple(self._open):
            for owner in (connection, getattr(connection, "driver_connection", None)):
                for name in ("cancel", "interrupt"):
                    cancel = getattr(owner, name, None)
                    if cancel is not None and not inspect.iscoroutinefunction(cancel):
                        with contextlib.suppress(Exception):  # it is closed, or not busy
                            cancel()

    def _connect(self, dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        if self.address is None:
            raise Stop("no_database")
        if dialect.name != self.family:
            file = absolute_file(arguments[0]) if dialect.name == "sqlite" and arguments else None
            raise Stop("foreign_dialect", dialect=dialect.name, wanted=self.family, file=file)
        place, named = describe_place(dialect.driver, self.family, self.address, self.url)
        try:
            with self._confinement.opened() if self._confinement is not None else contextlib.nullcontext():
                usual = usual_options(dialect.driver, self.url)
                connection = dialect.connect(
                    *place, **{**usual, **self._keep(dialect.driver, options), **named}
                )
        except Exception as error:
            self.connect_error = error
            raise
        try:
            if dialect.name != "sqlite":
                keep_alive(connection, self.url)
                self.silence.follow(dialect, connection)
            self._set_limits(dialect, connection)
            self._lock.take(dialect, connection)
        except BaseException:
            self.silence.forget(connection)
            connection.close()
            raise
        self._open.append(connection)
        return connection

    def _set_limits(self, dialect: Any, connection: Any) -> None:
        """Committed at once: a transaction begun before ``context.configure()`` would be Alembic's undoing."""
        for query in self._session["queries"] if self._session is not None else ():
            read_value(dialect, connection, query)

    def _keep(self, driver: str, options: dict[str, Any]) -> dict[str, Any]:
        """What env.py's engine says of how to connect: everything but where."""
        is_same_host = options.get("host") == (self.url.host or self.url.query.get("host"))
        dropped = _PLACE if is_same_host else _PLACE | _ENCRYPTION
        if driver in WITHOUT_LIBPQ:  # what is meant for it is translated where the place is described
            dropped |= self.url.query.keys()
        return {name: value for name, value in options.items() if name not in dropped}

    def _refuse_stranger(self, connection: Any, _record: Any) -> None:
        """A ``creator`` or a ready-made pool connects past ``do_connect``."""
        if not any(connection is known for known in self._open):
            raise Stop("own_connections")

    def _forget(self, connection: Any, _record: Any) -> None:
        self._open = [known for known in self._open if known is not connection]
        self.silence.forget(connection)
        self._lock.forget(connection)

    def _before_statement(
        self, connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        if self._progress.is_writing:
            return
        if connection.dialect.name == "sqlite":
            begin_before(connection, statement, self._note)
        if self._observer is not None:
            self._observer.before(
                connection, statement, self._journal.revision, hidden=self._journal.version_table
            )
        self._journal.begin_statement(statement, context)
        if self._session is not None:
            if _COMMITS.match(statement):
                self._before_commit(connection)
            elif _ROLLS_BACK.match(statement):
                self._before_rollback(connection)
            self._attempts.begin_before(connection)

    def _after_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        if self._progress.is_writing:
            return
        is_noted = self._session is not None and self._journal.is_midway and not is_autocommit(connection)
        if is_noted and not _COMMITS.match(statement) and not _ROLLS_BACK.match(statement):
            self._progress.note(statement, parameters, has_rows=cursor.description is not None)
        self._journal.end_statement(
            lambda: self._observe(connection, statement), is_skipped=self._progress.is_skipped
        )

    def _observe(self, connection: Any, statement: str) -> Any:
        if self._observer is None or self._journal.revision is None:
            return None
        return self._observer.after(connection, statement, hidden=self._journal.version_table)

    def _after_error(self, context: Any) -> None:
        if self._observer is not None and context.connection is not None:
            self._observer.failed(context.connection)

    def _before_commit(self, connection: Any) -> None:
        """A commit before the revision's version row is written: how far it came goes into the same transaction."""
        if self._journal.is_midway and not is_autocommit(connection):
            self._journal.has_committed = True
            self._progress.save(connection)
        self._attempts.note_end()

    def _before_rollback(self, _connection: Any) -> None:
        self._progress.take_back()
        self._attempts.note_end()

    def _note(self, text: str) -> None:
        self._parent.emit("note", text=text)
