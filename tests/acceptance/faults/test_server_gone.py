"""The server crashes under a migration: what it did is decided by reading back, and the next run does the rest once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from govern.database import embedded
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute, finish
from tests.fixtures.faults import OwnServer, wait_for_session, wait_until
from tests.fixtures.projects import read_rows, read_version

THIRD = "migrations/versions/r3.py"
MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
REVISION = """
import pathlib, time
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE amounts AS SELECT 7 AS amount")
    op.execute("UPDATE amounts SET amount = amount * 100")
    {last}
"""
SLEEPS = 'op.execute("SELECT pg_sleep(60)")'
WAITS = """pathlib.Path("ready").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.02)"""
BUILDS = """with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_body ON notes (body)")
    op.execute("ALTER TABLE notes ADD COLUMN title text")"""
MIGRATE = ("migrate", "--backup", "off", "--rehearse", "off", "--format", "json")


@pytest.fixture
def project(make_project: MakeProject, own_server: OwnServer) -> Iterator[Project]:
    """Nothing is applied yet; r3 is written by the test."""
    project = make_project("plain", own_server.make_database(), {"app/models.py": MODELS})
    yield project
    state_folder = project.root / ".govern"
    if embedded.status(state_folder) is not None:  # scratch databases are made there while the server is gone
        embedded.stop(state_folder)


def write_third(project: Project, last: str) -> None:
    project.write({THIRD: REVISION.format(last=last)})


def assert_done_once(project: Project) -> None:
    assert read_version(project.database) == {"r3"}
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    assert read_rows(project.database, "SELECT count(*) FROM users") == [(1,)]
    assert read_rows(project.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert read_rows(project.database, "SELECT count(*) FROM govern.progress") == [(0,)]


def test_a_commit_that_the_crash_cut_is_there_and_is_no_failure(
    project: Project, own_server: OwnServer
) -> None:
    """The client is told that it failed; a restore on that word would undo a good migration."""
    write_third(project, WAITS)
    process = project.start(*MIGRATE)
    wait_until(lambda: (project.root / "ready").exists())
    hold_commits(project.database)
    (project.root / "go").touch()
    wait_for_session(project.database, "wait_event = 'SyncRep'")
    own_server.crash()
    server = own_server.start(synchronous_standby_names="")
    execute(server, "ALTER SYSTEM RESET synchronous_standby_names")
    done = finish(process)
    assert done.exit_code == 0, done
    assert "now at r3; Alembic ended with" in done.entry("apply")["reason"]
    assert "but it is committed" in done.entry("apply")["reason"]
    assert_done_once(project)
    (run,) = project.succeed("history").report["runs"]
    assert (run["result"], run["to_revision"]) == ("applied", ["r3"])


def hold_commits(url: DatabaseUrl) -> None:
    """Lets every commit wait for a standby that does not exist."""
    execute(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")


@pytest.mark.long_fault
def test_a_build_that_the_crash_cut_is_finished_by_the_next_run(
    project: Project, own_server: OwnServer
) -> None:
    write_third(project, BUILDS)
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r2")
    writer = psycopg.connect(project.database.conninfo)
    writer.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
    process = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE 'CREATE INDEX CONC%' AND wait_event_type = 'Lock'")
    own_server.crash()
    writer.close()
    own_server.start()
    failed = finish(process)
    assert failed.exit_code == 5, failed
    assert "the database is at r2" in failed.problem["state"]
    assert "3 statements of revision r3 are noted as begun or committed" in failed.problem["state"]
    assert failed.problem["next"].startswith("see why the server ended the connection")

    again = project.succeed("migrate", "--backup", "off")
    assert "dropped ix_body, which was invalid" in again.entry("resume")["reason"]
    assert_done_once(project)


@pytest.mark.long_fault
def test_a_transaction_that_the_crash_cut_is_told_as_not_applied(
    project: Project, own_server: OwnServer
) -> None:
    write_third(project, SLEEPS)
    process = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE '%pg_sleep%'")
    own_server.crash()
    own_server.start()
    failed = finish(process)
    assert failed.exit_code == 5, failed
    assert failed.problem["state"].startswith("the database is as it was, at base")
    write_third(project, "pass")
    project.succeed("migrate", "--backup", "off")
    assert_done_once(project)


@pytest.mark.long_fault
def test_a_server_that_does_not_come_back_is_told_and_nothing_is_claimed(
    project: Project, own_server: OwnServer
) -> None:
    write_third(project, SLEEPS)
    project.write({"govern.toml": "read_back_seconds = 2\n"})
    process = project.start(*MIGRATE)
    wait_for_session(project.database, "query LIKE '%pg_sleep%'")
    own_server.crash()
    failed = finish(process)
    assert failed.exit_code == 5, failed
    assert failed.problem["what"] == "what the migration did could not be read back"
    assert "no PostgreSQL server answers" in failed.problem["why"]
    assert "not known: revision r3 was being executed" in failed.problem["state"]
    assert "waiting to read back what was done" in failed.err
    lines = (project.root / ".govern/history.jsonl").read_text().splitlines()
    assert [json.loads(line)["result"] for line in lines] == ["started", "interrupted"]

    own_server.start()
    write_third(project, "pass")
    project.succeed("migrate", "--backup", "off")
    assert_done_once(project)


@pytest.mark.long_fault
@pytest.mark.parametrize("phase", ["writing backups", "restoring the backup", "rehearsing"])
def test_a_server_that_crashes_before_the_first_statement_has_changed_nothing(
    phase: str, project: Project, own_server: OwnServer
) -> None:
    write_third(project, "pass")
    process = project.start("migrate", "--format", "json")
    read_until(process, phase)
    own_server.crash()
    own_server.start()
    ended = finish(process)
    assert ended.exit_code == 3, ended
    assert ended.problem["state"] in ("nothing was changed", "no revision was run"), ended
    assert read_version(project.database) == set()
    project.succeed("migrate")
    assert_done_once(project)


@pytest.mark.long_fault
def test_a_crash_while_the_result_is_checked_says_where_the_database_stands(
    project: Project, own_server: OwnServer
) -> None:
    write_third(project, "pass")
    process = project.start(*MIGRATE)
    read_until(process, "validating")
    own_server.crash()
    ended = finish(process)
    own_server.start()
    assert ended.exit_code == 5, ended
    assert ended.problem["what"] == "the migration came to its end, but what it left could not be checked"
    assert ended.problem["state"].startswith("the database is at r3; run ")
    project.succeed("migrate")
    assert_done_once(project)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Until the command says so on stderr."""
    assert process.stderr is not None
    while words not in process.stderr.readline():
        assert process.poll() is None
