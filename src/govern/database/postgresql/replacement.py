"""Puts one PostgreSQL database in the place of another by two renames, without a moment in which a write gets lost.

ALTER DATABASE RENAME locks the database's name before it looks who is connected: from then on nobody gets in, and
whoever is in is shown out, the session that holds the migration lock last. So no migration slips in between.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from govern.database.connection import Connection
from govern.database.keeping import Judge
from govern.database.postgresql import interrupted, locks, server, surroundings
from govern.database.postgresql.interrupted import Names
from govern.database.postgresql.refusals import quote_words
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, FailedMidway, GovernError, NotPermitted, Refused, Unreachable

_POLL_SECONDS = 0.05
_LOCK_TIMEOUT = "10s"

_RIGHTS = """
SELECT r.rolsuper OR pg_catalog.pg_has_role(d.datdba, 'USAGE'), r.rolsuper OR r.rolcreatedb,
  pg_catalog.pg_get_userbyid(d.datdba)::text, r.rolname::text
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r WHERE d.datname = %s AND r.rolname = current_user
"""
_EXISTS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s)"
# what belongs to a database by its oid would stay with the old one, unnoticed
_TIES = """
SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s
UNION ALL
SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots WHERE database = %s
UNION ALL
SELECT 'subscription ' || s.subname FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = %s
"""
_IS_CLOSED = """
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.objid
  WHERE l.pid = %s AND l.granted AND l.mode = 'AccessExclusiveLock'
    AND l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.datname = %s
)
"""
# the server itself ends what vacuums by itself
_END_SESSIONS = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND backend_type <> 'autovacuum worker'
"""


@contextmanager
def replacing(
    url: DatabaseUrl, *, wait_seconds: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[_Replacement]:
    """See ``govern.database.dialect.Dialect``."""
    with server.connect_beside(url) as connection:
        _take_restore_lock(connection, url)
        put_back = _end_interrupted(connection, url)
        lock = _lock_live(url, wait_seconds)
        replacement = _Replacement(
            url, connection, lock, put_back, Names.at(url.database, f"{now():%Y%m%d%H%M%S}")
        )
        try:
            if not replacement.is_missing:
                _require_rights(connection, url)
            replacement.create_side()
            yield replacement
        finally:
            replacement.end()


class _Replacement:
    """See ``govern.database.dialect.Replacement``."""

    def __init__(
        self,
        url: DatabaseUrl,
        connection: Connection,
        lock: Connection | None,
        put_back: str | None,
        names: Names,
    ) -> None:
        self.put_back = put_back
        self.kept_as = names.kept
        self.how_to_drop = f"DROP DATABASE {sql.Identifier(names.kept).as_string()};"
        self.side = url.with_database(names.side)
        self._url = url
        self._connection = connection
        """To another database; it holds the lock of restores."""
        self.is_missing = lock is None and not self._exists(url.database)
        self._lock = lock
        """Holds the migration lock of the live database; None where nobody can connect to that."""
        self._is_side_there = False

    def create_side(self) -> None:
        like = None if self.is_missing else self._url
        self._is_side_there = True
        server.create_database(self.side, like=like)
        with _permitted(self._url, "the database that is to take its place could not be made like it"):
            surroundings.set_comment(
                self._connection, self.side.database, interrupted.mark(self._url.database)
            )
            if like is not None:
                surroundings.copy_tablespace(self._connection, like.database, self.side.database)
                surroundings.copy_surroundings(self._connection, like.database, self.side.database)

    def exchange(self, judge: Judge | None) -> None:
        if self.is_missing:
            self._put_in(comment=None)
            return
        self._confirm_lock()
        live = self._url.database
        comment = surroundings.read_comment(self._connection, live)
        try:
            self._rename(live, self.kept_as)
            if judge is not None:
                with server.connect(self._url.with_database(self.kept_as), read_only=True) as old:
                    judge(old)
            self._put_in(comment=comment)
        except BaseException as error:
            self._take_back(error)
            raise

    def end(self) -> None:
        """Drops what did not get into its place, and frees the migration lock."""
        if self._lock is not None:
            self._lock.close()
        if self._is_side_there:
            with contextlib.suppress(CouldNotCheck):  # it hides no other error; the next restore sweeps it
                server.drop_database(self.side)

    def _confirm_lock(self) -> None:
        """Whoever migrates would be shown out with the others."""
        try:
            if self._lock is not None:
                self._lock.value("SELECT 1")
        except psycopg.Error as error:
            raise CouldNotCheck(
                "the migration lock was lost while the backup was being restored",
                why=quote_words(error, self._url),
                next="see that no timeout ends idle sessions, and run again",
            ) from error

    def _put_in(self, *, comment: str | None) -> None:
        live = self._url.database
        uncomment = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(live), sql.Literal(comment))
        self._rename(self.side.database, live, uncomment)
        self._is_side_there = False

    def _take_back(self, error: BaseException) -> None:
        """The live database goes on under its name; an interrupt may have come before or after a rename."""
        live, is_out = self._url.database, self._exists(self.kept_as)
        if is_out and self._exists(live):
            error.add_note(f"the restored database is in its place; what was there is kept as {self.kept_as}")
            return
        try:
            if is_out:
                self._rename(self.kept_as, live)
        except GovernError as again:
            self._is_side_there = False  # it marks what has to be put back
            raise FailedMidway(
                f"the database {live} could not be put back",
                why=f"{again.what}: {again.why}; before that: {error}",
                next="govern restore puts it back",
                state=f"it is called {self.kept_as} now, and has all of its rows",
            ) from error
        error.add_note("the database is as it was")

    def _exists(self, database: str) -> bool:
        return bool(self._connection.value(_EXISTS, (database,)))

    def _rename(self, old: str, new: str, *more: sql.Composable) -> None:
        """Renames a database once nobody is connected to it, and sees to that. Raises Refused, CouldNotCheck."""
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
        with server.connect_beside(self._url) as renamer, ThreadPoolExecutor(max_workers=1) as worker:
            renaming = worker.submit(_run_together, renamer, (rename, *more))
            refused = self._show_out(old, renamer, renaming)
            with _explained(self._url, refused):
                renaming.result()

    def _show_out(self, database: str, renamer: Connection, renaming: Future[None]) -> str:
        """Ends the sessions on the database, once no other gets in; returns the server's words if it did not let us."""
        pid = renamer.driver.info.backend_pid  # type: ignore[attr-defined]  # psycopg's
        while not renaming.done() and not self._connection.value(_IS_CLOSED, (pid, database)):
            time.sleep(_POLL_SECONDS)
        if self._lock is not None:
            self._lock.close()
        while not renaming.done():
            try:
                self._connection.rows(_END_SESSIONS, (database,))
            except psycopg.errors.InsufficientPrivilege as error:
                return quote_words(error, self._url)
            time.sleep(_POLL_SECONDS)
        return ""


def _run_together(connection: Connection, statements: Sequence[sql.Composable]) -> None:
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_LOCK_TIMEOUT)))
        connection.execute("SET LOCAL statement_timeout = 0")
        for statement in statements:
            connection.execute(statement)


def _take_restore_lock(connection: Connection, url: DatabaseUrl) -> None:
    if not interrupted.try_restore_lock(connection, url.database):
        raise Refused(
            f"the database {url.database} is being restored by another process",
            why="two restores of one database would exchange it with each other's",
            next="wait until it is done; see what it did: govern history",
        )


def _end_interrupted(connection: Connection, url: DatabaseUrl) -> str | None:
    """Under the lock of restores: whoever made what is unfinished is dead."""
    taken_out = interrupted.find_taken_out(connection, url.database)
    if taken_out is not None:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(taken_out.kept), sql.Identifier(url.database)
        )
        with _explained(url, ""):
            connection.execute(rename)
    for names in interrupted.find_unfinished(connection, url.database):
        server.drop_database(url.with_database(names.side))
    return taken_out.kept if taken_out else None


def _lock_live(url: DatabaseUrl, wait_seconds: float) -> Connection | None:
    """A connection that holds the migration lock; None where there is no database, or one that takes no connection."""
    try:
        connection = server.connect(url)
    except Unreachable:
        return None
    with contextlib.ExitStack() as stack:
        stack.enter_context(connection)
        locks.take_migration_lock(connection, url, wait_seconds=wait_seconds)
        stack.pop_all()
    return connection


def _require_rights(connection: Connection, url: DatabaseUrl) -> None:
    """What the exchange will need is asked for before anything is done."""
    ((is_owner, may_create, owner, role),) = connection.rows(_RIGHTS, (url.database,))
    if not is_owner or not may_create:
        lacks = f"is not {owner}, who owns it" if not is_owner else "may not create databases"
        remedy = f'GRANT "{owner}" TO "{role}"' if not is_owner else f'ALTER ROLE "{role}" CREATEDB'
        raise NotPermitted(
            f"{role} may not exchange the database {url.database}",
            why=f"{role} {lacks}; a restore makes a new database and renames both",
            next=f"let an administrator run: {remedy};",
        )
    ties = connection.rows(_TIES, (url.database,) * 3)
    if ties:
        raise Refused(
            f"the database {url.database} cannot be exchanged for another",
            why=f"it has {', '.join(name for (name,) in ties)}, which would stay with the old one",
            next="end prepared transactions; drop subscriptions and slots, and make them again afterwards",
        )


@contextmanager
def _permitted(url: DatabaseUrl, what: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            what, why=quote_words(error, url), next="restore as the database's owner, or as a superuser"
        ) from error
    except psycopg.Error as error:
        raise CouldNotCheck(
            what, why=quote_words(error, url), next="see to the cause and run again"
        ) from error


@contextmanager
def _explained(url: DatabaseUrl, refused: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.ObjectInUse as error:
        raise Refused(
            f"the database {url.database} is in use, and its sessions could not be ended",
            why=refused or quote_words(error, url),
            next="end them, or restore as a superuser or a member of pg_signal_backend",
        ) from error
    except psycopg.Error as error:
        raise CouldNotCheck(
            f"the database {url.database} could not be renamed",
            why=quote_words(error, url),
            next="see to the cause and run again",
        ) from error
