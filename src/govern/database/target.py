"""The database a command works on: the one configured, else the embedded PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck, ToolMissing
from govern.log import Log

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.snapshot import Snapshot
    from govern.database.dialect import Dialect

log = Log(__name__)

_SHARED_OR_RESERVED = re.compile(
    r"public|information_schema|pg_.*|govern|govern_(?:of_.*|backup)|\$user", re.DOTALL
)


def resolve_target(settings: Settings) -> DatabaseUrl:
    """The URL of the settings; without one the embedded server's, which is started where it does not run.

    A SQLite path is relative to the working directory, as SQLAlchemy has it, and comes back absolute: child
    processes run elsewhere. Raises ConfigurationError for a URL that is none, and as
    ``embedded.ensure_running`` does.
    """
    if settings.url is None:
        from govern.database import embedded  # which many commands never need

        return embedded.ensure_running(settings.state_folder).with_schema(settings.schema)
    url = make_absolute(DatabaseUrl.parse(settings.url))
    if settings.schema is not None:
        _require_schema(settings, url)
    return url.with_schema(settings.schema)


def _require_schema(settings: Settings, url: DatabaseUrl) -> None:
    """Raises ConfigurationError where a schema cannot be governed by itself."""
    if url.dialect != "postgresql":
        raise ConfigurationError(
            f"the target {settings.target} has a schema, and is a SQLite file",
            why="only a PostgreSQL database has schemas",
            next="take out schema",
        )
    if _SHARED_OR_RESERVED.fullmatch(settings.schema or ""):
        raise ConfigurationError(
            f"the schema {settings.schema} of the target {settings.target} is nobody's own",
            why="all schemas share public; information_schema and what begins with pg_ are the server's, govern's own "
            "begin with govern, and $user means another for each role",
            next="take out schema, for the whole database; or name a tenant's",
        )
    if settings.alembic.version_table_schema is not None:
        raise ConfigurationError(
            f"the target {settings.target} has a schema, and the project one version table for all schemas",
            why=f"version_table_schema is {settings.alembic.version_table_schema}: "
            "two schemas could not be at two revisions",
            next="take out version_table_schema, in env.py too: Alembic then makes the table in each schema",
        )


def target_dialect(settings: Settings) -> Dialect:
    """The engine of the target; nothing is started or reached. Raises ConfigurationError for a URL that is none."""
    return dialect_of(DatabaseUrl.parse(settings.url or "postgresql:///"))


def create_target(settings: Settings) -> DatabaseUrl:
    """The target, for a command that may be the first to use it: a SQLite file that is missing is created.

    A PostgreSQL database is not: who owns it and who may connect is not ours to decide.
    """
    url = resolve_target(settings)
    if url.dialect == "sqlite" and not url.path.exists():
        dialect_of(url).create_database(url)
    return url


def declared_like(settings: Settings) -> DatabaseUrl:
    """The database whose engine and major version the declared schema is created with.

    The target, as long as it answers: what needs no live database must work without one. Else (and where none is
    configured) the server of ``scratch_url``, else the embedded one. Raises the target's error where there is neither.
    """
    if settings.url is None and settings.scratch_url:
        return DatabaseUrl.parse(settings.scratch_url)
    target = resolve_target(settings)
    if target.dialect == "sqlite":
        return target
    try:
        dialect_of(target).connect(target, read_only=True).close()
    except CouldNotCheck as error:
        log.info("target_not_used_for_declared_schema", error=error.what)
        return _stand_in(settings, error)
    return target


def throwaway_like(settings: Settings) -> DatabaseUrl:
    """The same, for databases that nobody will miss: where nothing is configured, on the server that is for them."""
    if settings.url is None and settings.scratch_url is None:
        from govern.database.embedded import throwaway

        return throwaway.ensure_running(settings.state_folder)
    return declared_like(settings)


def server_like(settings: Settings, snapshot: Snapshot) -> DatabaseUrl | None:
    """A database on a server of the snapshot's engine and major version, if one needs no configuration."""
    if snapshot.dialect == "sqlite":
        return DatabaseUrl.parse("sqlite:///like.db")  # only its engine matters
    from govern.database import embedded

    if snapshot.server_major != embedded.MAJOR:
        return None
    try:
        return embedded.ensure_running(settings.state_folder)
    except ToolMissing:
        return None


def make_absolute(url: DatabaseUrl, folder: Path | None = None) -> DatabaseUrl:
    """A SQLite URL with an absolute path, from ``folder`` or the working folder on; any other as it is."""
    if url.dialect != "sqlite" or url.path.is_absolute():
        return url
    parts = urlsplit(url.text)
    query = f"?{parts.query}" if parts.query else ""
    return DatabaseUrl.parse(f"{parts.scheme}:///{folder or Path.cwd()}{parts.path}{query}")


def _stand_in(settings: Settings, target_error: CouldNotCheck) -> DatabaseUrl:
    if settings.scratch_url:
        return DatabaseUrl.parse(settings.scratch_url)
    from govern.database import embedded

    try:
        return embedded.ensure_running(settings.state_folder)
    except ToolMissing:
        raise target_error from None
