"""Batch operations on SQLite, which rebuild a table: no row is lost, and what an interrupted one left is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import psutil
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project, dump, execute
from tests.fixtures.projects import list_tables, read_rows, read_version, third_revision

FIRST = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT)")
    op.execute("CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents {action})")
    op.execute("INSERT INTO parents VALUES (1, 'one')")
    op.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {children}) "
               "INSERT INTO children SELECT i, 1 FROM n WHERE i > 0")
"""
BATCH = """
from alembic import op
revision, down_revision = "r4", "r3"

def upgrade():
    {before}
    with op.batch_alter_table("parents", recreate="always") as batch:
        batch.alter_column("name", nullable=False)
"""
CONNECT = "    with engine.connect() as connection:\n"
FOREIGN_KEYS_ON = (
    "    from sqlalchemy import event\n"
    "    @event.listens_for(engine, 'connect')\n"
    "    def on(connection, record):\n        connection.execute('PRAGMA foreign_keys = ON')\n" + CONNECT
)
MakeFamily = Callable[..., Project]


@pytest.fixture
def make_family(make_project: MakeProject, sqlite_database: DatabaseUrl) -> MakeFamily:
    """A project whose connections have foreign keys on, at r3 with a parent and 1,000 children."""

    def make(action: str = "ON DELETE CASCADE", *, children: int = 1000) -> Project:
        project = make_project("plain", sqlite_database)
        models = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
        project.write(
            {
                "app/models.py": models,
                "migrations/versions/r3.py": FIRST.format(action=action, children=children),
            }
        )
        project.edit("migrations/env.py", CONNECT, FOREIGN_KEYS_ON)
        project.succeed("migrate", "--backup", "off")
        return project

    return make


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_a_rebuild_that_would_delete_children_is_refused_and_nothing_is_changed(
    action: str, make_family: MakeFamily
) -> None:
    project = make_family(action)
    before = dump(project.database, ledger=False)
    project.write({"migrations/versions/r4.py": BATCH.format(before="pass")})
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "to rebuild parents would delete or empty rows of children"
    assert "PRAGMA foreign_keys = OFF" in refused.problem["next"]
    assert dump(project.database, ledger=False) == before


def test_with_foreign_keys_off_a_thousand_children_stay_a_thousand(make_family: MakeFamily) -> None:
    project = make_family()
    off = 'op.execute("PRAGMA foreign_keys = OFF")'
    project.write({"migrations/versions/r4.py": BATCH.format(before=off)})
    project.succeed("migrate", "--backup", "off")
    assert read_version(project.database) == {"r4"}
    assert read_rows(project.database, "SELECT count(parent) FROM children") == [(1000,)]


def test_a_rebuild_that_no_child_depends_on_is_done(make_family: MakeFamily) -> None:
    project = make_family(children=0)
    project.write({"migrations/versions/r4.py": BATCH.format(before="pass")})
    project.succeed("migrate", "--backup", "off")
    assert read_version(project.database) == {"r4"}


def test_children_that_lost_their_parents_are_found_after_the_run(make_family: MakeFamily) -> None:
    project = make_family("")
    off = BATCH.format(
        before='op.execute("PRAGMA foreign_keys = OFF")\n    op.execute("DELETE FROM parents")'
    )
    project.write({"migrations/versions/r4.py": off})
    failed = project.ask("migrate", "--backup", "off")
    assert failed.exit_code == 5, failed
    assert "integrity.orphan" in failed.rules
    assert "1000 of children → parents" in failed.problem["why"]


def test_an_unfinished_copy_is_dropped_and_told(make_family: MakeFamily) -> None:
    project = make_family()
    execute(project.database, "CREATE TABLE _alembic_tmp_parents (id INTEGER PRIMARY KEY)")
    off = 'op.execute("PRAGMA foreign_keys = OFF")'
    project.write({"migrations/versions/r4.py": BATCH.format(before=off)})
    done = project.succeed("migrate")
    assert "dropped _alembic_tmp_parents" in done.entry("tidy")["reason"]
    assert "_alembic_tmp_parents" not in list_tables(project.database)


def test_a_copy_that_has_the_only_rows_is_not_touched(make_family: MakeFamily) -> None:
    project = make_family()
    execute(
        project.database, "PRAGMA foreign_keys = OFF", "ALTER TABLE parents RENAME TO _alembic_tmp_parents"
    )
    project.write({"migrations/versions/r4.py": BATCH.format(before="pass")})
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert "it has the only rows" in refused.problem["why"]
    assert read_rows(project.database, "SELECT name FROM _alembic_tmp_parents") == [("one",)]


def test_the_lock_of_a_killed_govern_is_held_as_long_as_its_child_lives(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    slow = 'import pathlib, time; pathlib.Path("slow").touch(); time.sleep(60)'
    project = make_project("plain", sqlite_database, third_revision(slow))
    project.write({"govern.toml": "lock_wait_seconds = 0\n"})
    with subprocess.Popen(
        [GOVERN, "migrate", "--backup", "off", "--rehearse", "off"], cwd=project.root, env=project.variables
    ) as process:
        while not (project.root / "slow").exists():
            time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children:
            child.suspend()  # it would end when it sees that it is alone
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
    try:
        refused = project.ask("migrate", "--backup", "off")
        assert refused.exit_code == 4, refused
        assert refused.problem["what"] == "the migration lock is held by another process"
    finally:
        for child in children:
            child.kill()
    psutil.wait_procs(children, timeout=10)
    project.edit("migrations/versions/r3_third.py", "time.sleep(60)", "0")
    assert project.ask("migrate", "--backup", "off").exit_code in (0, 5)  # no model declares the table
    assert read_version(project.database) == {"r3"}
