"""An application of its own process that calls ``validate_on_startup``: it starts on its own schema, on no other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Done, Project, dump, execute
from tests.fixtures.databases import MakeRole, with_credentials
from tests.fixtures.projects import third_revision

APP = """
import os
from pathlib import Path
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from govern import validate_on_startup

url = os.environ["DATABASE_URL"]
report = validate_on_startup({database})
print("started", report.status)
"""
URL_APP = APP.replace("from sqlalchemy import create_engine\n", "").replace(
    "from sqlalchemy.ext.asyncio import create_async_engine\n", ""
)
ENGINES = {
    "postgresql": (
        'create_engine(url.replace("postgresql:", "postgresql+psycopg:"))',
        'create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))',
    ),
    "sqlite": ("create_engine(url)", 'create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))'),
}


def start_app(project: Project, arguments: str = "url") -> Done:
    return project.run_python((URL_APP if arguments.startswith("url") else APP).format(database=arguments))


def assert_refused(done: Done, *words: str) -> None:
    """The application ended before it did anything, and said what to do."""
    assert (done.exit_code, done.out) == (1, ""), done
    assert "SchemaRefused: the application refuses to start" in done.err, done
    assert "\n  next: " in done.err, done
    for word in words:
        assert word in done.err, done


def test_it_starts_on_a_governed_database_given_as_url_or_engine(governed: Project) -> None:
    before, files = dump(governed.database), governed.read_files()
    for database in ("url", *ENGINES[governed.database.dialect]):
        assert start_app(governed, database).out == "started clean\n"
    assert dump(governed.database) == before
    assert governed.read_files() == files


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("DELETE FROM alembic_version",), "has tables but no revision"),
        (("UPDATE alembic_version SET version_num = 'r1'",), "is at r1, the application needs r2"),
        (
            ("UPDATE alembic_version SET version_num = 'ffff'",),
            "is at ffff, which is not among the application's revisions",
        ),
        (("DROP TABLE notes", "DROP TABLE users"), "is stamped r2, but has no tables"),
        (("ALTER TABLE notes DROP COLUMN body",), "notes.body"),
        (("ALTER TABLE notes ADD COLUMN stray integer",), "notes.stray"),
    ],
    ids=["unstamped", "behind", "unknown revision", "emptied", "column dropped", "column added"],
)
def test_it_refuses_a_database_that_became_another(
    statements: tuple[str, ...], said: str, governed: Project
) -> None:
    execute(governed.database, *statements)
    before, files = dump(governed.database), governed.read_files()
    assert_refused(start_app(governed), said)
    assert_refused(start_app(governed, ENGINES[governed.database.dialect][1]), said)
    assert dump(governed.database) == before
    assert governed.read_files() == files
    unhealthy = governed.ask("health")
    assert unhealthy.exit_code == 1, unhealthy
    assert said in unhealthy.findings[0]["message"]


def test_it_refuses_an_empty_database(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    project = make_project("plain", any_database)
    before = dump(any_database)
    assert_refused(start_app(project), "has no tables", "govern migrate")
    assert dump(any_database) == before


def test_it_refuses_a_missing_sqlite_file_and_does_not_create_it(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    sqlite_database.path.unlink()
    project = make_project("plain", sqlite_database)
    for database in ("url", *ENGINES["sqlite"]):
        assert_refused(start_app(project, database), "there is no SQLite database")
    assert not sqlite_database.path.exists()


def test_it_refuses_a_missing_postgresql_database(make_project: MakeProject, server_url: DatabaseUrl) -> None:
    project = make_project("plain", server_url.with_database("not_there"))
    assert_refused(start_app(project), "there is no database 'not_there'")
    assert_refused(start_app(project, ENGINES["postgresql"][1]), "there is no database 'not_there'")


def test_it_refuses_a_wrong_password_and_does_not_tell_it(
    make_project: MakeProject, make_role: MakeRole, postgresql_database: DatabaseUrl
) -> None:
    role = make_role("app", "right-password-9f")
    user = role.text.partition("//")[2].partition(":")[0]
    wrong = with_credentials(postgresql_database, user, "wrong-password-7c")
    refused = start_app(make_project("plain", wrong))
    assert_refused(refused, "refused the password")
    assert "wrong-password-7c" not in refused.err


def test_it_may_be_told_to_warn_and_start_all_the_same(governed: Project) -> None:
    execute(governed.database, "ALTER TABLE notes DROP COLUMN body")
    done = start_app(governed, 'url, on_invalid="warn"')
    assert done.exit_code == 0, done
    assert done.out.endswith("started found\n")
    assert "notes.body" in done.out + done.err


def test_it_refuses_an_older_revision_only_until_the_migration_is_done(
    make_project: MakeProject, any_database: DatabaseUrl, tmp_path: Path
) -> None:
    project = make_project("plain", any_database)
    looked = tmp_path / "looked"
    waiting = URL_APP.format(database="url, wait_seconds=240, sleep=wait").replace(
        "url =",
        f'import time\ndef wait(seconds):\n    Path("{looked}").touch()\n    time.sleep(seconds)\n\nurl =',
    )
    with subprocess.Popen(
        [sys.executable, "-c", waiting],
        cwd=project.root,
        env=project.variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as app:
        deadline = time.monotonic() + 60
        while not looked.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert looked.exists()
        project.succeed("migrate")
        assert app.communicate(timeout=60)[0] == "started clean\n"


def test_an_application_may_run_on_a_database_that_went_on(governed: Project) -> None:
    """During a rolling deploy the old one still runs while the new one has migrated."""
    newer = third_revision("pass")
    models = (governed.root / "app/models.py").read_text()
    third = (
        '\n\nclass Third(Base):\n    __tablename__ = "third"\n    id = Column(Integer, primary_key=True)\n'
    )
    lock = (governed.root / "schema/schema.lock").read_text()
    governed.write({**newer, "app/models.py": models + third})
    governed.succeed("lock")
    governed.succeed("migrate")
    assert start_app(governed).out == "started clean\n"

    governed.write({**dict.fromkeys(newer), "app/models.py": models, "schema/schema.lock": lock})
    assert start_app(governed).out == "started clean\n"
    assert start_app(governed, 'url, when_ahead="warn"').out.endswith("started found\n")
    assert_refused(start_app(governed, 'url, when_ahead="refuse"'), "newer than the application's r2")
