"""Why PostgreSQL did not let us connect, in sentences for whoever is on call.

A connection that fails carries no SQLSTATE (libpq has no result then), so the cause is found from facts where
there are any: what libpq says of the password, what ``pg_database`` says of the name. The words come last:
libpq's own are English, the server's may be in any language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, NoSuchDatabase, NotPermitted, Unreachable

if TYPE_CHECKING:
    import psycopg


def explain_refusal(
    error: psycopg.Error,
    url: DatabaseUrl,
    parameters: Mapping[str, Any],
    *,
    ask_server: Callable[[DatabaseUrl], bool | None],
) -> CouldNotCheck:
    """The error to raise for a connection that failed.

    ``parameters`` are those of libpq. ``ask_server`` answers whether the role may connect to the URL's
    database, None if there is no such database, and raises CouldNotCheck if it cannot find out.
    """
    words = quote_words(error, url)
    names = {
        "place": _place(parameters),
        "role": role_of(url),
        "database": url.database,
        "url": str(DatabaseUrl.parse(url.conninfo)),
    }
    return _cause(error, words, names, lambda: ask_server(url)).explain(words, names)


def quote_words(error: BaseException, url: DatabaseUrl) -> str:
    """The driver's message on one line, without the URL's password."""
    words = " ".join(str(error).split())
    password = urlsplit(url.text).password or ""
    for written in (password, unquote(password)):
        words = words.replace(written, "***") if len(written) > 2 else words
    return words


def role_of(url: DatabaseUrl) -> str:
    """The role a URL connects as: libpq's default, the operating system's user, where it names none."""
    from psycopg import pq

    given = urlsplit(url.text).username
    if given:
        return unquote(given)
    defaults = {option.keyword: option.val for option in pq.Conninfo.get_defaults()}
    return (defaults.get(b"user") or b"the default role").decode(errors="replace")


class OutOfUse(Unreachable):
    """A restore has taken the database out of use and not put another in its place yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """A reason not to be let in. ``what`` and ``next`` are filled with place, role, database and url."""

    error: type[CouldNotCheck]
    words: tuple[str, ...] = ()
    """Parts of messages that say so."""
    what: str
    next: str

    def explain(self, words: str, names: Mapping[str, str]) -> CouldNotCheck:
        return self.error(self.what.format_map(names), why=words, next=self.next.format_map(names))

    def is_said_by(self, words: str, names: Mapping[str, str]) -> bool:
        return any(part.format_map(names) in words for part in self.words)


def _cause(
    error: psycopg.Error, words: str, names: Mapping[str, str], may_connect: Callable[[], bool | None]
) -> _Cause:
    if error.pgconn is not None and error.pgconn.needs_password:
        return _NO_PASSWORD
    for cause in _CAUSES:
        if cause.is_said_by(words, names):
            return cause
    try:
        answer = may_connect()
    except CouldNotCheck:
        return _UNKNOWN
    if answer is None:
        return _NO_DATABASE
    return _UNKNOWN if answer else _NO_CONNECT_RIGHT


def _place(parameters: Mapping[str, Any]) -> str:
    host = str(parameters.get("host") or parameters.get("hostaddr") or "the default socket")
    return host if host.startswith("/") or "port" not in parameters else f"{host}:{parameters['port']}"


_NO_PASSWORD = _Cause(
    error=NotPermitted,
    what="PostgreSQL at {place} asks {role} for a password, and the URL has none",
    next="put it in the URL or in ~/.pgpass",
)
_NO_DATABASE = _Cause(
    error=NoSuchDatabase,
    words=('database "{database}" does not exist',),
    what="there is no database {database!r} at {place}",
    next='create it: CREATE DATABASE "{database}"; or correct the URL',
)
_NO_CONNECT_RIGHT = _Cause(
    error=NotPermitted,
    words=('permission denied for database "{database}"',),
    what="{role} may not connect to the database {database!r} at {place}",
    next='let an administrator run: GRANT CONNECT ON DATABASE "{database}" TO "{role}";',
)
_UNKNOWN = _Cause(
    error=Unreachable, what="PostgreSQL at {place} did not let {role} connect", next="try: psql '{url}'"
)
_CAUSES = (
    _NO_DATABASE,
    _NO_CONNECT_RIGHT,
    _Cause(
        error=NotPermitted,
        words=('role "{role}" does not exist',),
        what="there is no role {role!r} at {place}",
        next='create it: CREATE ROLE "{role}" LOGIN; or correct the user in the URL',
    ),
    _Cause(
        error=NotPermitted,
        words=('role "{role}" is not permitted to log in',),
        what="the role {role!r} at {place} is not one to log in with",
        next='let an administrator run: ALTER ROLE "{role}" LOGIN; or correct the user in the URL',
    ),
    _Cause(
        error=Unreachable,
        words=("could not translate host name", "failed to resolve host"),
        what="there is no host {place}",
        next="correct the host in the URL, or see to name resolution",
    ),
    _Cause(
        error=Unreachable,
        words=("too many clients", "remaining connection slots", "too many connections"),
        what="PostgreSQL at {place} has no connection left",
        next="end idle sessions (SELECT * FROM pg_stat_activity;), raise max_connections, or ask fewer databases of "
        "a fleet at once (--per-server), and run again",
    ),
    _Cause(
        error=Unreachable,
        words=("is starting up", "is shutting down", "in recovery mode", "not yet accepting connections"),
        what="PostgreSQL at {place} is starting up or shutting down",
        next="wait and run again",
    ),
    _Cause(
        error=NotPermitted,
        words=("authentication failed for user",),
        what="PostgreSQL at {place} refused the password of {role}",
        next="correct the password in the URL, signs with a meaning there percent-encoded: @ is %40",
    ),
    _Cause(
        error=NotPermitted,
        words=("no pg_hba.conf entry", "pg_hba.conf rejects"),
        what="PostgreSQL at {place} takes no such connection of {role}",
        next="let an administrator add it to pg_hba.conf; if it asks for encryption, add ?sslmode=require",
    ),
    _Cause(
        error=Unreachable,
        words=("SSL", "certificate"),
        what="there is no encrypted connection to PostgreSQL at {place}",
        next="correct sslmode and sslrootcert in the URL, or set up TLS on the server",
    ),
    _Cause(
        error=Unreachable,
        words=("unsupported startup parameter",),
        what="a connection pooler at {place} does not pass on what govern asks of the server",
        next="give the URL of the server itself, not of the pooler",
    ),
    _Cause(
        error=Unreachable,
        words=(
            "Connection refused",
            "No such file or directory",
            "timeout expired",
            "timed out",
            "unreachable",
            "No route to host",
            "closed the connection unexpectedly",
            "Permission denied",
        ),
        what="no PostgreSQL server answers at {place}",
        next="start it, or correct host and port in the URL",
    ),
)
"""The surest words first."""
