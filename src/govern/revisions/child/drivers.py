"""Which database driver to use, and how each is told where to connect."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

SYNCHRONOUS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
ASYNCHRONOUS = ("asyncpg", "psycopg")
WITHOUT_LIBPQ = ("asyncpg", "pg8000")
_WITH_LIBPQ = ("psycopg", "psycopg2")
_CONNECT_SECONDS = 10

# asyncpg would send these to the server as settings, which does not know them
_LIBPQ_ONLY = frozenset(
    (
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "sslcompression",
        "tcp_user_timeout",
    )
)


def choose_driver(family: str, own: str, *, asynchronous: bool) -> str:
    """SQLAlchemy's drivername: ``own`` if it is of the family and installed, else the first that is."""
    if own.partition("+")[0] == family and is_usable(own):
        return own
    if family == "sqlite":
        return "sqlite+aiosqlite" if asynchronous else "sqlite"
    for driver in ASYNCHRONOUS if asynchronous else SYNCHRONOUS:
        if is_usable("postgresql+" + driver):
            return "postgresql+" + driver
    return "postgresql"


def is_usable(drivername: str) -> bool:
    """Whether this SQLAlchemy has the dialect and its driver imports."""
    from sqlalchemy.engine.url import make_url

    try:
        dialect: Any = make_url(drivername + "://").get_dialect()
        # the name in SQLAlchemy 2.0 and in 1.4
        (dialect.import_dbapi if hasattr(dialect, "import_dbapi") else dialect.dbapi)()
    except Exception:  # whatever the import of a driver raises
        return False
    return True


def absolute_file(database: Any) -> str | None:
    """What SQLite opens, if it is a plain file: no URI, and not in memory."""
    is_plain = isinstance(database, str) and not database.startswith((":memory:", "file:"))
    return os.path.abspath(database) if is_plain and database else None  # noqa: PTH100 - where Path resolves links


def list_drivers() -> dict[str, str]:
    """Installed drivers and their versions."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("psycopg", "psycopg2", "psycopg2-binary", "asyncpg", "pg8000", "aiosqlite"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe_place(
    driver: str, family: str, address: dict[str, Any], url: Any
) -> tuple[list[Any], dict[str, Any]]:
    """The target as connect arguments, by position and by name."""
    if family == "sqlite":
        return [address["database"]], {}
    if driver == "asyncpg":
        return [], {"dsn": _without_libpq_only(address["conninfo"])}
    if driver == "pg8000":
        return [], _pg8000_options(url)
    return [address["conninfo"]], {}


def usual_options(driver: str, url: Any) -> dict[str, Any]:
    """What neither the URL nor the environment says: libpq alone would wait for a server without end."""
    is_said = "connect_timeout" in url.query or "PGCONNECT_TIMEOUT" in os.environ
    return {"connect_timeout": _CONNECT_SECONDS} if driver in _WITH_LIBPQ and not is_said else {}


def _without_libpq_only(conninfo: str) -> str:
    parts = urlsplit(conninfo)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in _LIBPQ_ONLY]
    return parts._replace(query=urlencode(kept, quote_via=quote)).geturl()


def _pg8000_options(url: Any) -> dict[str, Any]:
    """pg8000 knows no libpq parameters; those with a counterpart are translated."""
    query = dict(url.query)
    host = url.host or query.get("host") or "localhost"
    port = int(url.port or query.get("port") or 5432)
    options: dict[str, Any] = {
        "user": url.username or query.get("user") or os.environ.get("PGUSER") or os.environ.get("USER"),
        "password": url.password,
        "database": url.database,
        "port": port,
    }
    if host.startswith("/"):
        options["unix_sock"] = f"{host}/.s.PGSQL.{port}"
    else:
        options["host"] = host
    mode = query.get("sslmode") or query.get("ssl") or "prefer"
    if mode in ("require", "verify-ca", "verify-full"):
        options["ssl_context"] = _encryption(mode, query.get("sslrootcert"))
    if "options" in query:
        options["startup_params"] = {"options": query["options"]}
    if "application_name" in query:
        options["application_name"] = query["application_name"]
    return options


def _encryption(mode: str, root_certificate: str | None) -> Any:
    import ssl

    if mode == "require":
        return True
    context = ssl.create_default_context(cafile=root_certificate)
    context.check_hostname = mode == "verify-full"
    return context
