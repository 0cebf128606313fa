"""Migrations, backups and drift checks that meet on one database take turns, whoever is killed or slow."""

from __future__ import annotations

import signal
import time

import psutil
import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, finish
from tests.fixtures.faults import LOCKS, wait_for_session, wait_until
from tests.fixtures.projects import read_rows, read_version

THIRD = "migrations/versions/r3.py"
MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
SLEEPS = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE amounts AS SELECT 7 AS amount")
    op.execute("SELECT pg_sleep(60)")
"""
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
MIGRATE = ("migrate", "--backup", "off", "--rehearse", "off", "--format", "json")


@pytest.fixture
def project(make_project: MakeProject, postgresql_database: DatabaseUrl) -> Project:
    return make_project("plain", postgresql_database, {"app/models.py": MODELS, THIRD: SLEEPS})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_long_statement_on_the_server_within_two_seconds(
    number: signal.Signals, project: Project
) -> None:
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs inherit that it is ignored
    process = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE '%pg_sleep%'")
    process.send_signal(number)
    sent = time.monotonic()
    wait_until(lambda: read_rows(project.database, BUSY + "AND query LIKE '%pg_sleep%'") == [(0,)])
    idle_after = time.monotonic() - sent
    ended = finish(process)
    assert ended.exit_code == 130, ended
    assert idle_after < 2
    assert ended.problem["state"].startswith("the database is as it was, at base")
    (run,) = project.succeed("history").report["runs"]
    assert run["result"] == "interrupted"


def test_a_killed_holder_frees_the_lock_with_the_end_of_its_statement(project: Project) -> None:
    process = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE '%pg_sleep%'")
    waiting = project.start(*MIGRATE)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    killed = time.monotonic()
    process.communicate()
    project.edit(THIRD, "pg_sleep(60)", "1")
    wait_until(lambda: read_rows(project.database, BUSY + "AND query LIKE '%pg_sleep%'") == [(0,)], seconds=5)
    assert time.monotonic() - killed < 5
    done = finish(waiting)
    assert done.exit_code == 0, done
    assert read_version(project.database) == {"r3"}
    assert read_rows(project.database, LOCKS) == [(0,)]


@pytest.mark.long_fault
def test_a_backup_waits_for_a_migration_and_a_migration_for_a_backup(project: Project) -> None:
    """pg_dump would lock every table, and stand in the way of every ALTER TABLE."""
    project.edit(THIRD, "pg_sleep(60)", "pg_sleep(3)")
    migrating = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE '%pg_sleep%'")
    backing_up = project.start("backup", "create", "--format", "json")
    wait_for_session(project.database, "application_name = 'govern'")
    dumping = BUSY + "AND application_name = 'pg_dump'"
    while migrating.poll() is None:
        assert read_rows(project.database, dumping) == [(0,)]
        time.sleep(0.2)
    done, backed_up = finish(migrating), finish(backing_up)
    assert (done.exit_code, backed_up.exit_code) == (0, 0), (done, backed_up)
    (backup,) = backed_up.report["backups"]
    assert backup["revision"] == ["r3"]  # of the time after it

    project.write({"govern.toml": "lock_wait_seconds = 0\n"})
    with psycopg.connect(project.database.conninfo) as writer:
        writer.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        backing_up = project.start("backup", "create", "--format", "json")
        wait_until(lambda: read_rows(project.database, LOCKS) != [(0,)])
        project.write({"migrations/versions/r4.py": SLEEPS.replace('"r3", "r2"', '"r4", "r3"')})
        refused = project.ask(*MIGRATE[:-2])
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "the migration lock is held by another process"
    finish(backing_up)
