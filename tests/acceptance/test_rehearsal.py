"""Nothing reaches the live database that has not succeeded on a copy of it, and a copy is all a rehearsal touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.projects import list_tables, read_rows, read_version, third_revision

on_postgresql = pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
THIRD = "migrations/versions/r3_third.py"
BROKEN = 'op.execute("INSERT INTO nowhere VALUES (1)")'

REVISION = """
import os
import sqlalchemy as sa
from alembic import op
{imports}
revision = "r3"
down_revision = "r2"


def upgrade():
    {body}


def downgrade():
    pass
"""


def revision(body: str, imports: str = "") -> dict[str, str | None]:
    return {THIRD: REVISION.format(body=body.replace("\n", "\n    "), imports=imports)}


def migrated(make_project: MakeProject, url: DatabaseUrl, name: str = "plain") -> Project:
    project = make_project(name, url)
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    return project


def test_a_revision_that_fails_on_the_copy_is_refused_and_nothing_was_changed(governed: Project) -> None:
    before = dump(governed.database)
    governed.write(third_revision(BROKEN))
    refused = governed.ask("migrate")
    assert refused.exit_code == 4, refused
    problem = refused.problem
    assert "revision r3 fails on" in problem["what"]
    assert "INSERT INTO nowhere" in problem["why"]
    assert f"{THIRD}, line " in problem["why"]
    assert problem["state"] == "nothing was changed"
    assert refused.entry("rehearse")["status"] == "crashed"
    assert dump(governed.database) == before, "not even the ledger knows of it"


def test_what_succeeds_on_the_copy_is_applied(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    project = make_project("plain", any_database)
    done = project.succeed("migrate")
    assert "on a copy of the schema" in done.entry("rehearse")["reason"]
    names = [entry["name"] for entry in done.report["entries"]]
    assert names.index("verify") < names.index("rehearse") < names.index("apply")
    assert read_version(any_database) == {"r2"}


@on_postgresql
def test_a_revision_that_needs_rows_is_tried_on_the_backup(governed: Project) -> None:
    needs_rows = 'op.execute("INSERT INTO notes (user_id, body) SELECT id, email FROM users")\n'
    needs_rows += 'assert op.get_bind().execute(sa.text("SELECT count(*) FROM notes")).scalar() == 1'
    governed.write(revision(needs_rows))
    refused = governed.ask("migrate", "--rehearse", "schema")
    assert refused.exit_code == 4, refused
    assert "--rehearse data" in refused.problem["next"]
    done = governed.succeed("migrate")
    assert "on the restored backup" in done.entry("rehearse")["reason"]
    assert read_rows(governed.database, "SELECT body FROM notes") == [("first@example.org",)]


@on_sqlite
def test_rows_that_break_a_revision_are_met_on_the_backup_first(governed: Project) -> None:
    execute(
        governed.database,
        "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'twice')",
        "INSERT INTO notes (id, user_id, body) VALUES (2, 1, 'twice')",
    )
    before = dump(governed.database)
    governed.write(revision('op.create_index("one_body", "notes", ["body"], unique=True)'))
    refused = governed.ask("migrate", "--rehearse", "data")
    assert refused.exit_code == 4, refused
    assert "revision r3 fails on the restored backup" in refused.problem["what"]
    assert dump(governed.database) == before
    backup = governed.succeed("backup", "list").report["backups"][0]
    assert backup["verified"], "it is good all the same"


def test_data_needs_a_backup(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    refused = make_project("plain", any_database).ask("migrate", "--rehearse", "data", "--backup", "off")
    assert refused.exit_code == 2, refused
    assert list_tables(any_database) == set()


OWN_ENGINE = """
engine = sa.create_engine(os.environ["ELSEWHERE"])
with engine.begin() as connection:
    connection.execute(sa.text("CREATE TABLE intruder (id integer)"))
"""
OWN_DRIVER = {
    "psycopg": """
import psycopg
with psycopg.connect(os.environ["ELSEWHERE"]) as connection:
    connection.execute("CREATE TABLE intruder (id integer)")
""",
    "asyncpg": """
import asyncio, asyncpg
async def intrude():
    connection = await asyncpg.connect(os.environ["ELSEWHERE"])
    await connection.execute("CREATE TABLE intruder (id integer)")
asyncio.run(intrude())
""",
    "sqlite3": """
import sqlite3
with sqlite3.connect(os.environ["ELSEWHERE"].partition("///")[2]) as connection:
    connection.execute("CREATE TABLE intruder (id integer)")
""",
}


@pytest.mark.parametrize("engine", ["postgresql"])
def test_an_engine_of_the_revisions_own_leads_to_the_copy(
    engine: str, make_project: MakeProject, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """And fails on it at the end: the point is that it reaches neither database."""
    live, other = two_databases(engine, request, tmp_path)
    project = migrated(make_project, live).with_environment(ELSEWHERE=other.text)
    project.write(revision(OWN_ENGINE + 'raise RuntimeError("enough")'))
    before = dump(live), dump(other)
    assert project.ask("migrate", "--rehearse", "schema").exit_code == 4
    assert (dump(live), dump(other)) == before


@pytest.mark.parametrize(
    ("driver", "place"),
    [("psycopg", "revision"), ("asyncpg", "revision"), ("sqlite3", "revision"), ("psycopg", "env.py")],
)
def test_a_driver_that_connects_to_another_database_is_refused(
    driver: str, place: str, make_project: MakeProject, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    live, other = two_databases("sqlite" if driver == "sqlite3" else "postgresql", request, tmp_path)
    project = migrated(make_project, live).with_environment(ELSEWHERE=other.text)
    if place == "revision":
        project.write(revision(OWN_DRIVER[driver]))
        command: tuple[str, ...] = ("migrate", "--rehearse", "schema")
    else:  # the process that migrates runs env.py up to its first connection before anything can be rehearsed
        project.write(revision("pass"))
        env = (project.root / "migrations/env.py").read_text()
        project.write({"migrations/env.py": "import os\n" + OWN_DRIVER[driver] + env})
        command = ("plan",)
    before = dump(live), dump(other)
    refused = project.ask(*command)
    assert refused.exit_code == 4, refused
    assert driver in refused.problem["why"]
    file = THIRD if place == "revision" else "migrations/env.py"
    assert f"{file}, line " in refused.problem["what"]
    assert (dump(live), dump(other)) == before


def test_a_driver_may_still_be_used_where_nothing_is_rehearsed(
    make_project: MakeProject, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    live, other = two_databases("postgresql", request, tmp_path)
    project = migrated(make_project, live).with_environment(ELSEWHERE=other.text)
    project.write(revision(OWN_DRIVER["psycopg"]))
    project.succeed("lock")
    project.succeed("migrate", "--rehearse", "off")
    assert list_tables(other) == {"intruder"}


def two_databases(
    engine: str, request: pytest.FixtureRequest, folder: Path
) -> tuple[DatabaseUrl, DatabaseUrl]:
    if engine == "postgresql":
        make = request.getfixturevalue("make_postgresql_database")
        return make(), make()
    live, other = folder / "live.sqlite", folder / "other.sqlite"
    live.touch()
    other.touch()
    return DatabaseUrl.parse(f"sqlite:///{live}"), DatabaseUrl.parse(f"sqlite:///{other}")


@on_sqlite
def test_drift_that_would_show_after_the_migration_refuses_it(governed: Project) -> None:
    execute(governed.database, "CREATE TABLE stray (id integer)")
    before = dump(governed.database)
    governed.write(revision('op.create_table("third", sa.Column("id", sa.Integer, primary_key=True))'))
    refused = governed.ask("migrate")
    assert refused.exit_code == 4, refused
    assert "would not be as declared" in refused.problem["what"]
    assert [finding["rule"] for finding in refused.entry("rehearse")["findings"]] == ["drift.table-added"]
    assert dump(governed.database) == before


def test_without_a_scratch_database_the_rehearsal_is_skipped_unless_it_was_asked_for(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database)
    project.succeed("lock")
    nowhere = '[tool.govern]\nscratch_url = "postgresql://nobody@127.0.0.1:1/none"\n'
    project.write({"pyproject.toml": nowhere})
    asked = project.ask("migrate", "--backup", "off", "--rehearse", "schema")
    assert asked.exit_code == 3, asked
    assert read_version(postgresql_database) == set()
    done = project.succeed("migrate", "--backup", "off")
    assert done.entry("rehearse")["status"] == "skipped"
    assert "no scratch database" in done.entry("rehearse")["reason"]
    assert read_version(postgresql_database) == {"r2"}


PER_REVISION = {
    "migrations/env.py": ("connection=connection,", "connection=connection, transaction_per_migration=True,")
}
SEVERAL_LOCATIONS = {
    "alembic.ini": (
        "prepend_sys_path = .",
        "prepend_sys_path = .\nversion_locations = %(here)s/migrations/versions %(here)s/more\npath_separator = space",
    )
}
APP_FACTORY = {
    # as Flask-Migrate's template: the engine comes from the application that is current while env.py runs
    "migrations/env.py": (
        "    engine = engine_from_config(\n"
        '        config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool\n'
        "    )\n",
        "    from app.factory import create_app\n\n    engine = create_app().engine\n",
    )
}
FACTORY = """
import os
from types import SimpleNamespace
from sqlalchemy import create_engine

def create_app():
    return SimpleNamespace(engine=create_engine(os.environ["DATABASE_URL"].replace("://", "+psycopg://", 1)))
"""
MORE = REVISION.format(body='op.add_column("users", sa.Column("age", sa.Integer))', imports="")


@pytest.mark.parametrize(
    ("name", "edits", "head"),
    [
        ("asynchronous", {}, "r3"),
        ("own_engine", {}, "r3"),
        ("concurrent_index", {}, "r3"),
        ("plain", PER_REVISION, "r3"),
        ("plain", SEVERAL_LOCATIONS, "r3"),
        ("plain", APP_FACTORY, "r3"),
    ],
    ids=["asynchronous", "own engine", "autocommit block", "per revision", "locations", "app factory"],
)
def test_any_projects_env_is_rehearsed_unedited(
    name: str,
    edits: dict[str, tuple[str, str]],
    head: str,
    make_project: MakeProject,
    postgresql_database: DatabaseUrl,
) -> None:
    project = make_project(name, postgresql_database, {"app/factory.py": FACTORY})
    for path, (old, new) in edits.items():
        project.edit(path, old, new)
    if name != "concurrent_index":
        place = "more" if edits is SEVERAL_LOCATIONS else "migrations/versions"
        project.write({f"{place}/r3_third.py": MORE})
        project.edit("app/models.py", "    email = ", "    age = Column(Integer)\n    email = ")
    done = project.succeed("migrate", "--rehearse", "schema")
    assert "statements on a copy of the schema" in done.entry("rehearse")["reason"]
    assert read_version(postgresql_database) == {head}
