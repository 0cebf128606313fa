"""Projects that prepare Alembic in their own way: without an ini, in an application, by engine, in an event loop."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from govern import config
from govern.actions.init import init
from govern.config import Settings
from govern.database.url import DatabaseUrl
from govern.declared import describe_project
from govern.errors import ConfigurationError
from govern.revisions.graph import read_project_chain
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version

ENV = """
from alembic import context
from sqlalchemy import create_engine

{before}
engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata={metadata})
    with context.begin_transaction():
        context.run_migrations()
"""
HOOK = """
import contextlib
from pathlib import Path

from alembic.config import Config
from app import models

IS_ENTERED = False


@contextlib.contextmanager
def enter():
    global IS_ENTERED
    IS_ENTERED = True
    yield


def prepare():
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["tenant"] = "blue"
    return config, models.Base.metadata, enter()
"""
HOOKED = """
import project_hook
assert project_hook.IS_ENTERED
assert context.config.attributes["tenant"] == "blue"
"""
APPLICATION = """
import os

from flask import Flask
from sqlalchemy import create_engine, text


def create_app():
    app = Flask(__name__)
    app.config["SCHEMA_OWNER"] = "blue"
    # applications look into their database while they start
    with create_engine(os.environ["OWN_URL"]).connect() as connection:
        connection.execute(text("SELECT 1"))
    return app
"""
IN_APPLICATION = """
from app.models import Base
from flask import current_app
assert current_app.config["SCHEMA_OWNER"] == "blue"
"""
IN_WORKER_THREAD = """
import anyio.from_thread
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config


def run_migrations(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def migrate():
    section = context.config.get_section(context.config.config_ini_section)
    engine = async_engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_migrations)


anyio.from_thread.run(migrate)
"""


def with_hook(copy_project: CopyProject, hook: str) -> Settings:
    env = ENV.format(before=HOOKED, metadata="None")
    settings = copy_project("plain", {"alembic.ini": None, "migrations/env.py": env, "project_hook.py": hook})
    return replace(settings, hook="project_hook:prepare")


def test_a_hook_gives_the_configuration_the_metadata_and_the_context(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = with_hook(copy_project, HOOK)
    assert Runner(settings).upgrade(sqlite_database).error is None
    assert read_version(sqlite_database) == {"r2"}
    described = Runner(settings).describe(sqlite_database)
    assert (described.source, described.tables, described.problem) == ("hook", ("notes", "users"), None)


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ("None", "it returned a NoneType"),
        ("None, 'x', None", "the second is a str"),
    ],
)
def test_a_hook_that_returns_something_else_is_told_what(
    returned: str, why: str, sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = with_hook(copy_project, f"def prepare():\n    return {returned}\n")
    with pytest.raises(ConfigurationError) as caught:
        Runner(settings).upgrade(sqlite_database)
    assert why in caught.value.why
    assert list_tables(sqlite_database) == set()


def test_an_env_of_flask_migrate_runs_in_its_application(
    postgresql_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = ENV.format(before=IN_APPLICATION, metadata="Base.metadata")
    settings = copy_project("plain", {"migrations/env.py": env, "app/factory.py": APPLICATION})
    monkeypatch.setenv("FLASK_APP", "app.factory:create_app()")
    monkeypatch.setenv("OWN_URL", "postgresql+psycopg://elsewhere.invalid/production")
    outcome = Runner(settings).upgrade(postgresql_database)
    assert outcome.error is None, "the application, too, connects to the target"
    assert read_version(postgresql_database) == {"r2"}
    described = describe_project(replace(settings, url=postgresql_database.text))
    assert (described.tables, described.problem) == (("notes", "users"), None)


def test_an_application_that_is_not_found_is_asked_for(
    sqlite_database: DatabaseUrl, copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLASK_APP", raising=False)
    env = ENV.format(before=IN_APPLICATION, metadata="None")
    with pytest.raises(ConfigurationError) as caught:
        Runner(copy_project("plain", {"migrations/env.py": env})).upgrade(sqlite_database)
    assert "set FLASK_APP" in caught.value.next


def test_an_env_that_needs_a_worker_thread_gets_one(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("asynchronous", {"migrations/env.py": IN_WORKER_THREAD})
    outcome = Runner(settings).upgrade(postgresql_database)
    assert outcome.error is None
    assert [done.revision for done in outcome.revisions] == ["r1", "r2"]
    assert read_rows(postgresql_database, "SELECT email FROM users") == [("first@example.org",)]


def test_an_installed_project_with_folders_by_engine_is_adopted_from_a_folder_beside_it(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    project = copy_project("plain").root
    versions = project / "migrations/versions"
    for engine in ("postgresql", "sqlite"):
        (versions / engine).mkdir()
        shutil.copy(versions / "r1_users.py", versions / engine)
    shutil.move(versions / "r2_notes.py", versions / "sqlite")
    (versions / "r1_users.py").unlink()
    ini = project / "alembic.ini"
    ini.write_text(
        ini.read_text().replace("= migrations", "= %(here)s/migrations").replace("= .", "= %(here)s")
    )
    beside = project.with_name("beside")
    beside.mkdir()
    before = list_files(project)

    adopted = init(
        config.load(start=beside, alembic_config=ini, environ={}),
        today=date(2030, 1, 1),
        narrate=lambda _: None,
    )
    assert all(entry.status == "passed" for entry in adopted.entries), adopted
    assert "3 revisions in" in adopted.entries[0].reason
    assert not any("revision" in command for command in adopted.next), "there are some already"
    settings = config.load(start=beside, url=sqlite_database.text, environ={})
    assert settings.alembic.version_locations == (versions / "sqlite",)
    assert read_project_chain(settings).heads == ("r2",)
    assert Runner(settings).upgrade(sqlite_database).error is None
    assert read_version(sqlite_database) == {"r2"}
    assert settings.checksums.is_relative_to(beside)
    assert list_files(project) == before


def list_files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
