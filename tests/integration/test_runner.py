"""The runner on real databases: any env.py, unedited, works on exactly the database it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from govern.revisions.protocol import Created, Event, RevisionDone, RevisionStarted, Statement
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version

INSISTING_ENV = """
from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
"""

ENGINE_WITH_ARGUMENTS_ENV = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(
    "postgresql+psycopg://elsewhere.invalid/production",
    connect_args={"host": "also-elsewhere.invalid", "password": "wrong", "options": "-c search_path=tenant"},
)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize("name", ["plain", "asynchronous", "own_engine"])
def test_any_env_upgrades_the_database_it_is_given(
    name: str, any_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = copy_project(name)
    if any_database.dialect == "sqlite":
        monkeypatch.setenv("OWN_URL", f"sqlite:///{settings.root}/production.db")
    outcome = Runner(settings).upgrade(any_database)
    assert outcome.error is None
    assert [done.revision for done in outcome.revisions] == ["r1", "r2"]
    assert list_tables(any_database) == {"users", "notes", "alembic_version"}
    assert read_version(any_database) == {"r2"}
    assert read_rows(any_database, "SELECT email FROM users") == [("first@example.org",)]
    assert not (settings.root / "production.db").exists()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_the_driver_of_the_ini_is_kept_and_its_host_is_not(
    driver: str, postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("asynchronous")
    ini = settings.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://", f"postgresql+{driver}://"))
    env = settings.root / "migrations/env.py"
    env.write_text(f"{env.read_text()}\nprint('driver:', config.get_main_option('sqlalchemy.url'))\n")
    outcome = Runner(settings).upgrade(postgresql_database)
    assert outcome.error is None
    assert f"driver: postgresql+{driver}://" in outcome.output
    assert read_version(postgresql_database) == {"r2"}


def test_asyncpg_is_told_what_the_url_says_to_libpq(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    said = "&sslmode=disable&gssencmode=disable&application_name=ours&connect_timeout=5"
    outcome = Runner(copy_project("asynchronous")).upgrade(DatabaseUrl.parse(postgresql_database.text + said))
    assert outcome.error is None
    assert read_version(postgresql_database) == {"r2"}


def test_where_an_engine_connects_is_replaced_and_how_is_kept(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcome = Runner(copy_project("plain", {"migrations/env.py": ENGINE_WITH_ARGUMENTS_ENV})).upgrade(
        postgresql_database
    )
    assert outcome.error is not None, "its search_path leads to no schema"
    assert "no schema has been selected" in outcome.error.message


def test_an_env_that_insists_on_a_lent_connection_gets_one(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcome = Runner(copy_project("plain", {"migrations/env.py": INSISTING_ENV})).upgrade(any_database)
    assert outcome.error is None
    assert read_version(any_database) == {"r2"}


def test_a_folder_called_alembic_is_no_obstacle(any_database: DatabaseUrl, copy_project: CopyProject) -> None:
    settings = copy_project("plain")
    (settings.root / "migrations").rename(settings.root / "alembic")
    (settings.root / "alembic/__init__.py").touch()
    ini = settings.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("script_location = migrations", "script_location = alembic"))
    assert Runner(settings).upgrade(any_database).error is None
    assert read_version(any_database) == {"r2"}


def test_downgrade_and_stamp_do_what_they_say(any_database: DatabaseUrl, copy_project: CopyProject) -> None:
    runner = Runner(copy_project("plain"))
    runner.upgrade(any_database)
    down = runner.downgrade(any_database, "r1")
    assert [(done.revision, done.direction) for done in down.revisions] == [("r2", "downgrade")]
    assert list_tables(any_database) == {"users", "alembic_version"}
    stamped = runner.stamp(any_database, "r2")
    assert [(done.revision, done.direction) for done in stamped.revisions] == [("r2", "stamp")]
    assert read_version(any_database) == {"r2"}
    assert list_tables(any_database) == {"users", "alembic_version"}


def test_events_tell_which_revision_executes_what(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    events: list[Event] = []
    Runner(copy_project("plain")).upgrade(any_database, on_event=events.append)
    steps = [event for event in events if isinstance(event, RevisionStarted | RevisionDone)]
    assert [(type(step).__name__, step.revision) for step in steps] == [
        ("RevisionStarted", "r1"),
        ("RevisionDone", "r1"),
        ("RevisionStarted", "r2"),
        ("RevisionDone", "r2"),
    ]
    statements = [
        (event.revision, event.sql.split("(")[0].strip()) for event in events if isinstance(event, Statement)
    ]
    assert [one for one in statements if one[0]] == [
        ("r1", "CREATE TABLE users"),
        ("r2", "CREATE TABLE notes"),
        ("r2", "INSERT INTO users"),
    ]
    assert (None, "INSERT INTO alembic_version") in statements


def test_a_second_upgrade_finds_nothing_to_do(any_database: DatabaseUrl, copy_project: CopyProject) -> None:
    runner = Runner(copy_project("plain"))
    runner.upgrade(any_database)
    outcome = runner.upgrade(any_database)
    assert (outcome.revisions, outcome.error) == ((), None)


@pytest.mark.parametrize("models", [None, "app.models:Base", "app.models:Base.metadata"])
def test_create_all_makes_the_models_tables(
    models: str | None, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    runner = Runner(replace(copy_project("plain"), models=models))
    assert runner.create_all(any_database) == Created(tables=("notes", "users"))
    assert list_tables(any_database) == {"notes", "users"}


def test_create_all_makes_the_schemas_that_models_name(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    models = (
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        "metadata = MetaData(schema='odd \"name\" %')\n"
        'Table("things", metadata, Column("id", Integer, primary_key=True))\n'
    )
    settings = replace(copy_project("plain", {"app/models.py": models}), models="app.models:metadata")
    assert Runner(settings).create_all(postgresql_database).tables == ('odd "name" %.things',)
    assert list_tables(postgresql_database) == {"things"}


@pytest.mark.parametrize("name", ["plain", "asynchronous"])
def test_a_project_is_described_without_a_database(name: str, copy_project: CopyProject) -> None:
    description = Runner(copy_project(name)).describe()
    assert description.tables == ("notes", "users")
    assert description.source == "env.py"
    assert description.version_table == "alembic_version"
    assert description.problem is None
    assert "psycopg" in description.drivers


def test_a_project_whose_env_is_broken_is_described_with_the_reason(copy_project: CopyProject) -> None:
    description = Runner(copy_project("plain", {"migrations/env.py": "import nowhere\n"})).describe()
    assert description.problem is not None
    assert description.problem.startswith("migrations/env.py, line 1: ModuleNotFoundError")
    assert description.alembic
    assert description.tables == ()


def test_an_env_that_only_works_online_is_described_with_the_reason(
    any_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "OWN_URL", "sqlite://" if any_database.dialect == "sqlite" else "postgresql+psycopg://"
    )
    runner = Runner(replace(copy_project("own_engine"), url=any_database.text))
    problem = runner.describe().problem
    assert problem is not None
    assert "without a database" in problem
    assert runner.describe(any_database).tables == ("notes", "users")


@pytest.mark.parametrize("is_configured", [True, False])
def test_revision_writes_what_the_models_have_and_the_database_has_not(
    is_configured: bool, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    if is_configured:  # env.py as `alembic init` leaves it
        env = settings.root / "migrations/env.py"
        env.write_text(env.read_text().replace("target_metadata = Base.metadata", "target_metadata = None"))
        settings = replace(settings, models="app.models:Base.metadata")
    models = settings.root / "app/models.py"
    models.write_text(models.read_text().replace("class Note", "    name = Column(Text)\n\n\nclass Note"))
    runner = Runner(settings)
    runner.upgrade(any_database)
    path = runner.revision(any_database, "add names")
    assert path is not None
    assert path.parent == Path(settings.root, "migrations/versions")
    assert "op.add_column('users', sa.Column('name'" in path.read_text()
    assert "drop_table" not in path.read_text()


def test_what_env_prints_or_breaks_stays_outside(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    noise = (
        "import logging, os, sys\n"
        'print(\'{"event": "result"}\')\n'
        "print('to stderr', file=sys.stderr)\n"
        "logging.disable(logging.CRITICAL)\n"
        "sys.stdout = sys.stderr = open(os.devnull, 'w')\n"
        "os.close(1)\n"
    )
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    env.write_text(noise + env.read_text())
    outcome = Runner(settings).upgrade(any_database)
    assert outcome.error is None
    assert "to stderr" in outcome.output
    assert len(outcome.revisions) == 2
