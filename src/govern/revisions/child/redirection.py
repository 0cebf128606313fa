"""Every connection of every engine goes to the target, whatever env.py's engine was made for."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from .confinement import Confinement
from .drivers import describe_place
from .journal import Journal
from .lock import Lock
from .observation import Observer
from .parent import Parent, Stop
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


class Redirection:
    """Listens to SQLAlchemy's DialectEvents.do_connect, PoolEvents and cursor events, for all engines.

    The first connection takes the migration lock before it is handed out; if it is closed, the next one does.
    """

    def __init__(self, parent: Parent, request: dict[str, Any], journal: Journal) -> None:
        from sqlalchemy.engine.url import make_url

        self._parent = parent
        self._journal = journal
        self._lock = Lock(parent, request["lock"])
        self._confinement = Confinement(request["dialect"]) if request["confine"] else None
        self._observer = Observer(self._note) if request["observe"] else None
        self._open: list[Any] = []
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

    def _connect(self, dialect: Any, _record: Any, _arguments: Any, options: Any) -> Any:
        if self.address is None:
            raise Stop("no_database")
        if dialect.name != self.family:
            raise Stop("foreign_dialect", dialect=dialect.name, wanted=self.family)
        place, named = describe_place(dialect.driver, self.family, self.address, self.url)
        try:
            with self._confinement.opened() if self._confinement is not None else contextlib.nullcontext():
                connection = dialect.connect(*place, **dict(self._keep(options), **named))
        except Exception as error:
            self.connect_error = error
            raise
        try:
            self._lock.take(connection)
        except BaseException:
            connection.close()
            raise
        self._open.append(connection)
        return connection

    def _keep(self, options: dict[str, Any]) -> dict[str, Any]:
        """What env.py's engine says of how to connect: everything but where."""
        is_same_host = options.get("host") == (self.url.host or self.url.query.get("host"))
        dropped = _PLACE if is_same_host else _PLACE | _ENCRYPTION
        return {name: value for name, value in options.items() if name not in dropped}

    def _refuse_stranger(self, connection: Any, _record: Any) -> None:
        """A ``creator`` or a ready-made pool connects past ``do_connect``."""
        if not any(connection is known for known in self._open):
            raise Stop("own_connections")

    def _forget(self, connection: Any, _record: Any) -> None:
        self._open = [known for known in self._open if known is not connection]
        self._lock.forget(connection)

    def _before_statement(
        self, connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
    ) -> None:
        if connection.dialect.name == "sqlite":
            begin_before(connection, statement, self._note)
        if self._observer is not None:
            self._observer.before(connection, statement, self._journal.revision)
        self._journal.begin_statement(statement)

    def _after_statement(
        self, connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        self._journal.end_statement(context, lambda: self._observe(connection, statement))

    def _observe(self, connection: Any, statement: str) -> Any:
        if self._observer is None or self._journal.revision is None:
            return None
        return self._observer.after(connection, statement, hidden=self._journal.version_table)

    def _after_error(self, context: Any) -> None:
        if self._observer is not None and context.connection is not None:
            self._observer.failed(context.connection)

    def _note(self, text: str) -> None:
        self._parent.emit("note", text=text)
