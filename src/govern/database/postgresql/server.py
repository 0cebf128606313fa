"""Opening, creating and dropping PostgreSQL databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from govern.database.connection import Connection
from govern.database.postgresql import interrupted
from govern.database.postgresql.own_schema import require_home
from govern.database.postgresql.refusals import (
    OutOfUse,
    explain_refusal,
    quote_words,
    role_of,
)
from govern.errors import (
    NOTHING_CHANGED,
    ConfigurationError,
    CouldNotCheck,
    NoSuchDatabase,
    NotPermitted,
    Unreachable,
)

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from govern.database.url import DatabaseUrl

DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "govern",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds
}
"""Connection parameters (libpq manual, 32.1.2) for what the URL leaves open; times in seconds. A network that
swallows everything is noticed after 11 seconds, as by the server: see ``session_limits``."""
_READ_ONLY = "-c default_transaction_read_only=on"
_MAINTENANCE_DATABASES = ("postgres", "template1")
# what there is to choose from came with 15
_COPIES_FILES = """
SELECT current_setting('fsync') = 'off' AND current_setting('server_version_num')::integer >= 150000
"""
_MAY_CONNECT = "SELECT has_database_privilege(oid, 'CONNECT') FROM pg_database WHERE datname = %s"
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"


def connect(url: DatabaseUrl, *, read_only: bool = False, repeats: bool = False) -> Connection:
    """Opens a database that exists. With ``read_only`` the server refuses every write of the session.

    ``repeats`` prepares each query that is asked twice: to plan a catalog query takes longer than to run it. A
    transaction-pooling proxy would lose what is prepared.

    Raises ConfigurationError for a URL libpq cannot read, Unreachable where no server answers or it has no
    such database or schema, NotPermitted where it does not let the role in.
    """
    parameters = read_parameters(url)
    if read_only:
        parameters["options"] = f"{parameters.get('options', '')} {_READ_ONLY}".strip()
    driver = _open(url, parameters, prepare_threshold=1 if repeats else None)
    state = NOTHING_CHANGED if read_only else "not known: what was being written may be there or not"
    return Connection(
        driver, schema=url.schema, explain=lambda error: explain_loss(error, driver, url, state)
    )


def connect_to_look(url: DatabaseUrl, *, timeout_seconds: float) -> Connection:
    """The same for whoever begins each transaction as a read-only one: it passes a transaction-pooling proxy.

    Such a one takes no options, and nothing that is set for a session. ``timeout_seconds`` is an upper bound of the
    time to connect to each host of the URL; libpq knows none below two seconds.
    """
    parameters = read_parameters(url)
    parameters["connect_timeout"] = _at_most(str(parameters["connect_timeout"]), timeout_seconds)
    driver = _open(url, parameters, prepare_threshold=None)
    return Connection(
        driver,
        begin="BEGIN READ ONLY",
        schema=url.schema,
        explain=lambda error: explain_loss(error, driver, url, NOTHING_CHANGED),
    )


def _at_most(given: str, seconds: float) -> str:
    """A connect_timeout: 0 would mean for ever. What is no number is left to libpq, which says so."""
    return given if not given.isdecimal() or 0 < int(given) <= seconds else str(math.ceil(seconds))


def _open(
    url: DatabaseUrl, parameters: dict[str, Any], *, prepare_threshold: int | None
) -> psycopg.Connection[Any]:
    import psycopg

    from govern.database.postgresql.silence import WatchedConnection

    try:
        driver = WatchedConnection.connect(**parameters, autocommit=True, prepare_threshold=prepare_threshold)
        if url.schema is not None:
            require_home(driver, url, url.schema)
    except psycopg.Error as error:
        error.with_traceback(None)  # it refers to itself, and to the attempt with its open socket
        raise _explain(error, url, parameters) from error
    return driver


def exists(url: DatabaseUrl) -> bool:
    """Whether there is such a database. Raises as ``connect`` does for every other reason not to be let
    in."""
    try:
        connect(url).close()
    except NoSuchDatabase:
        return False
    return True


def create_database(url: DatabaseUrl, *, like: DatabaseUrl | None = None) -> None:
    """Creates the empty database that ``url`` names, from ``template0``.

    ``like`` is a database of the same server whose encoding and locale it gets. Raises NotPermitted without
    the CREATEDB right, CouldNotCheck where the server says no for another reason.
    """
    from psycopg import sql

    name = sql.Identifier(url.database)
    with (
        connect_beside(url) as connection,
        explained(f"the database {url.database} could not be created", url),
    ):
        options = _locale_of(connection, like.database) if like else sql.SQL("")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0{}{}")
        connection.execute(statement.format(name, options, choose_strategy(connection)))


def choose_strategy(connection: Connection) -> sql.SQL:
    """The option of CREATE DATABASE that is fastest: its template's files, where none need reach a disk.

    Elsewhere that is for the server to say: there each copy of files costs two checkpoints (manual, CREATE DATABASE).
    """
    from psycopg import sql

    return sql.SQL(" STRATEGY file_copy" if connection.value(_COPIES_FILES) else "")


def drop_database(url: DatabaseUrl) -> None:
    """Drops the database, ending other sessions on it first; no error if it is gone. Raises NotPermitted."""
    from psycopg import sql

    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(url.database))
    with (
        connect_beside(url) as connection,
        explained(f"the database {url.database} could not be dropped", url),
    ):
        connection.execute("SET client_min_messages = error")
        connection.execute(statement)


def drop_unused_database(url: DatabaseUrl) -> bool:
    """Drops the database unless somebody is connected to it: then False. Raises NotPermitted."""
    import psycopg
    from psycopg import sql

    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(url.database))
    with (
        connect_beside(url) as connection,
        explained(f"the database {url.database} could not be dropped", url),
    ):
        connection.execute("SET client_min_messages = error")
        if connection.value(_SESSIONS, (url.database,)):  # DROP DATABASE would wait five seconds for them
            return False
        try:
            connection.execute(statement)
        except psycopg.errors.ObjectInUse:
            return False
    return True


def list_databases(url: DatabaseUrl, prefix: str) -> tuple[str, ...]:
    """Names of the server's databases that begin with ``prefix``, sorted."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND NOT datistemplate ORDER BY 1"
    with connect_beside(url) as connection:
        return tuple(row[0] for row in connection.rows(query, (prefix,)))


def read_server_version(connection: Connection) -> str:
    """As people say it: ``18.4``, without what a packager adds to it. Every session begins with being told."""
    driver: Any = connection.driver
    return str(driver.info.parameter_status("server_version")).split()[0]


def errors() -> tuple[type[Exception], ...]:
    """What the driver raises when the server refuses a statement."""
    import psycopg

    return (psycopg.Error,)


def read_parameters(url: DatabaseUrl) -> dict[str, Any]:
    """Connection parameters of libpq, with ``DEFAULTS``. Raises ConfigurationError."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    # libpq ends the password at the first @ and would print the rest of it as the host's name
    if urlsplit(url.text).netloc.count("@") > 1:
        raise ConfigurationError(
            "the database URL cannot be read",
            why="its password has an '@'",
            next="write it as %40: signs with a meaning in URLs are percent-encoded",
        )
    try:
        given = conninfo_to_dict(url.conninfo)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            "the database URL cannot be read",
            why=quote_words(error, url),
            next="correct the URL: postgresql://user:password@host:5432/database?sslmode=require",
        ) from error
    return {**DEFAULTS, **given}


def connect_beside(url: DatabaseUrl) -> Connection:
    """A connection to a database that every server has, and not to ``url``'s, for work on that and others."""
    url = replace(url, schema=None)  # that one is in its own database
    *others, last = (name for name in _MAINTENANCE_DATABASES if name != url.database)
    for name in others:
        try:
            return connect(url.with_database(name))
        except (NoSuchDatabase, NotPermitted):
            continue
    return connect(url.with_database(last))


def _locale_of(connection: Connection, database: str) -> Any:
    """The options of CREATE DATABASE for another database's encoding and locale; columns differ by major."""
    from psycopg import sql

    facts: dict[str, Any] | None = connection.value(
        "SELECT to_jsonb(d) || jsonb_build_object('encoding', pg_encoding_to_char(d.encoding))"
        " FROM pg_database d WHERE datname = %s",
        (database,),
    )
    if facts is None:
        return sql.SQL("")
    provider = {"c": "libc", "i": "icu", "b": "builtin"}.get(facts.get("datlocprovider", ""))
    locale = facts.get("datlocale") or facts.get("daticulocale")
    options = {
        "ENCODING": facts["encoding"],
        "LC_COLLATE": facts["datcollate"],
        "LC_CTYPE": facts["datctype"],
        "LOCALE_PROVIDER": provider,
        "ICU_LOCALE": locale if provider == "icu" else None,
        "ICU_RULES": facts.get("daticurules"),
        "BUILTIN_LOCALE": locale if provider == "builtin" else None,
    }
    return sql.SQL("").join(
        sql.SQL(" " + name + " {}").format(sql.Literal(value)) for name, value in options.items() if value
    )


@contextmanager
def explained(what: str, url: DatabaseUrl) -> Iterator[None]:
    """Turns the errors of CREATE DATABASE and DROP DATABASE into ours, by SQLSTATE."""
    import psycopg
    from psycopg import errors

    try:
        yield
    except errors.InsufficientPrivilege as error:
        role = role_of(url)
        raise NotPermitted(
            what,
            why=f"{role} may not: {quote_words(error, url)}",
            next=f'let an administrator run: ALTER ROLE "{role}" CREATEDB;',
        ) from error
    except errors.ReadOnlySqlTransaction as error:
        raise NotPermitted(
            what,
            why=f"the server is a standby or read-only: {quote_words(error, url)}",
            next="give the URL of the primary server",
        ) from error
    except errors.DiskFull as error:
        raise CouldNotCheck(
            what, why=quote_words(error, url), next="free some space on the database server"
        ) from error
    except psycopg.Error as error:
        raise CouldNotCheck(
            what, why=quote_words(error, url), next="see to the cause and run again"
        ) from error


def explain(error: psycopg.Error, url: DatabaseUrl) -> CouldNotCheck:
    """What to say of a connection to ``url`` that somebody else could not make."""
    return _explain(error, url, read_parameters(url))


def _explain(error: psycopg.Error, url: DatabaseUrl, parameters: dict[str, Any]) -> CouldNotCheck:
    explained = explain_refusal(error, url, parameters, ask_server=_may_connect)
    if isinstance(explained, NoSuchDatabase) and url.database not in _MAINTENANCE_DATABASES:
        return _find_taken_out(url) or explained
    return explained


def _find_taken_out(url: DatabaseUrl) -> OutOfUse | None:
    """What to say where the database is missing because a restore has taken it out of use; None where it has not."""
    try:
        with connect_beside(url) as connection:
            names = interrupted.find_taken_out(connection, url.database)
            is_running = interrupted.is_restore_running(connection, url.database)
    except CouldNotCheck:
        return None
    if names is None:
        return None
    return OutOfUse(
        f"the database {url.database!r} is out of use: a restore {'is' if is_running else 'was interrupted'} "
        "between its two renames",
        why=f"what it was is called {names.kept!r} now, what was to take its place {names.side!r}",
        next="wait until it is done" if is_running else "govern restore puts it back, and begins again",
        state=f"all of its rows are in {names.kept!r}",
    )


def explain_loss(
    error: BaseException, driver: psycopg.Connection[Any], url: DatabaseUrl, state: str
) -> Unreachable | None:
    """The error for a connection that broke while it was used; None for everything else."""
    import psycopg

    if not isinstance(error, psycopg.Error) or not driver.broken:
        return None
    return Unreachable(
        f"the connection to {url.redacted} broke off",
        why=quote_words(error, url),
        next="see that the server answers: govern doctor; its log says why it ended the connection",
        state=state,
    )


def _may_connect(url: DatabaseUrl) -> bool | None:
    """Whether the role may connect to the database, asked through another one; None if there is none such.

    Raises CouldNotCheck where no other database lets it in either.
    """
    if url.database in _MAINTENANCE_DATABASES:
        return True
    with connect_beside(url) as connection:
        answer: bool | None = connection.value(_MAY_CONNECT, (url.database,))
        return answer
