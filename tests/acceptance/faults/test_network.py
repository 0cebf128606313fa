"""The network between govern and the server breaks: both notice, and what is told afterwards is true."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project, execute, finish
from tests.fixtures.faults import LOCKS, OwnServer, wait_for_session, wait_until
from tests.fixtures.island import IS_AVAILABLE, Island, island
from tests.fixtures.projects import read_rows, read_version
from tests.fixtures.proxy import proxied

THIRD = "migrations/versions/r3.py"
MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
SLEEPS = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE amounts AS SELECT 7 AS amount")
    op.execute("SELECT pg_sleep(60)")
"""
FILES = {"app/models.py": MODELS, THIRD: SLEEPS}
MIGRATE = ("migrate", "--backup", "off", "--rehearse", "off", "--format", "json")


def test_a_session_that_goes_on_without_its_client_is_ended_before_anything_is_claimed(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    with proxied(postgresql_database) as proxy:
        project = make_project("plain", proxy.url, FILES)
        process = project.start(*MIGRATE)
        wait_for_session(postgresql_database, "query LIKE '%pg_sleep%'")
        proxy.reset_clients()
        failed = finish(process)
        assert failed.exit_code == 5, failed
        assert failed.problem["state"].startswith("the database is as it was, at base")
        assert failed.problem["next"].startswith("see why the server ended the connection")
        assert read_rows(postgresql_database, LOCKS) == [(0,)]
        project.edit(THIRD, "pg_sleep(60)", "1")
        project.succeed(*MIGRATE[:-2])
    assert read_version(postgresql_database) == {"r3"}


@pytest.mark.long_fault
def test_a_commit_whose_answer_is_lost_is_read_back_when_it_is_over(
    make_project: MakeProject, own_server: OwnServer
) -> None:
    """Read back at once it would not be there yet, and be called a failure."""
    database = own_server.make_database()
    with proxied(database) as proxy:
        project = make_project("plain", proxy.url, FILES)
        project.edit(THIRD, "pg_sleep(60)", "pg_sleep(2)")
        process = project.start(*MIGRATE)
        wait_for_session(database, "query LIKE '%pg_sleep%'")
        execute(database, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
        wait_for_session(database, "wait_event = 'SyncRep'")
        proxy.reset_clients()
        execute(database, "ALTER SYSTEM RESET synchronous_standby_names")
        time.sleep(1)  # it still waits, unseen
        done = wait_and_reload(process, database)
    assert done == 0
    assert read_version(database) == {"r3"}


def wait_and_reload(process: subprocess.Popen[str], database: DatabaseUrl) -> int:
    """Lets commits of later sessions through; that of the cut one ends with its session."""
    wait_for_session(database, "wait_event = 'SyncRep'")
    with psycopg.connect(database.conninfo, autocommit=True) as session:
        session.execute("SELECT pg_reload_conf()")
    return finish(process).exit_code


@pytest.fixture
def isolated() -> Iterator[Island]:
    folder = Path(tempfile.mkdtemp(prefix="govern-island-"))
    folder.chmod(0o711)  # the server may run as another user
    with island(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long_fault
@pytest.mark.skipif(not IS_AVAILABLE, reason="needs root, util-linux and iproute2 for a network of its own")
def test_a_network_that_swallows_everything_is_noticed_by_both_ends(
    isolated: Island, make_project: MakeProject
) -> None:
    reached, seen = isolated.start_server()
    project = make_project("plain", reached, FILES)
    project.write({"govern.toml": "read_back_seconds = 2\n"})
    process = start_inside(isolated, project, *MIGRATE)
    wait_for_session(seen, "query LIKE '%pg_sleep%'")
    swallowed = time.monotonic()
    isolated.swallow()
    wait_until(lambda: read_rows(seen, LOCKS) == [(0,)], seconds=15)
    failed = finish(process)
    assert (
        time.monotonic() - swallowed < 30
    )  # 11 to notice it, 10 to try to connect, and the load of other tests
    assert failed.exit_code == 5, failed
    assert failed.problem["what"] == "what the migration did could not be read back"
    assert read_version(seen) == set()

    isolated.recover()
    project.edit(THIRD, "pg_sleep(60)", "1")
    done = finish(start_inside(isolated, project, *MIGRATE))
    assert done.exit_code == 0, done
    assert read_version(seen) == {"r3"}


def start_inside(isolated: Island, project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*isolated.inside, GOVERN, *arguments],
        cwd=project.root,
        env=project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
