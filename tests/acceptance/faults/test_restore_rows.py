"""A restore of rows that is killed, or loses its server: all of its rows are there, or none, and the next one helps."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator

import pytest

from govern.database import embedded
from tests.acceptance.conftest import MakeProject
from tests.acceptance.faults.test_limits import run_limited
from tests.acceptance.program import Project, execute, finish
from tests.acceptance.test_restore import back_up
from tests.fixtures.faults import OwnServer, wait_for_session
from tests.fixtures.projects import read_rows

MERGE = ("restore", "--merge", "--format", "json")
SLOW = (
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN new; END'",
    "CREATE TRIGGER wait BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION wait()",
)
KILLED = """
import os, signal
from govern import api, config
from govern.database.sqlite import transfer
transfer._Transfer.check = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
api.restore(config.load(), merge=True)
"""
IN_THE_MIDDLE = "wait_event = 'PgSleep'"


@pytest.fixture
def wiped(make_project: MakeProject, own_server: OwnServer) -> Iterator[Project]:
    """A backup has users and notes; live there are none, and whoever inserts a note takes a minute for it."""
    project = make_project("plain", own_server.make_database())
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    execute(project.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'one')")
    back_up(project)
    execute(project.database, "DELETE FROM notes", "DELETE FROM users", *SLOW)
    yield project
    state_folder = project.root / ".govern"
    if embedded.status(state_folder) is not None:
        embedded.stop(state_folder)


def count(project: Project) -> list[int]:
    return [
        int(read_rows(project.database, f"SELECT count(*) FROM {table}")[0][0])
        for table in ("users", "notes")
    ]


def test_a_merge_that_is_cut_short_leaves_nothing_and_the_next_one_brings_all(
    wiped: Project, own_server: OwnServer
) -> None:
    process = wiped.start(*MERGE)
    wait_for_session(wiped.database, IN_THE_MIDDLE)
    own_server.crash()
    done = finish(process)
    assert done.exit_code == 5, done
    assert done.problem["what"] == "the restore broke off"
    assert "all of its rows are there, or none" in done.problem["state"]
    own_server.start()
    assert count(wiped) == [0, 0]

    process = wiped.start(*MERGE)
    wait_for_session(wiped.database, IN_THE_MIDDLE)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    execute(wiped.database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {IN_THE_MIDDLE}")
    assert count(wiped) == [0, 0]
    execute(wiped.database, "DROP TRIGGER wait ON notes", "DROP FUNCTION wait")
    wiped.succeed(*MERGE[:2])
    assert count(wiped) == [1, 1]
    wiped.succeed("health")


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_a_merge_that_is_killed_before_its_commit_leaves_a_sqlite_file_as_it_was(governed: Project) -> None:
    back_up(governed)
    execute(governed.database, "DELETE FROM users")
    assert governed.run_python(KILLED).exit_code == -signal.SIGKILL
    assert count(governed) == [0, 0]
    newest, *_ = governed.succeed("history").report["runs"]
    assert (newest["command"], newest["result"]) == ("restore", "started")
    governed.succeed("restore", "--merge")
    assert count(governed) == [1, 0]


def test_a_disk_that_is_full_is_told_and_nothing_is_changed(governed: Project) -> None:
    """The scratch database does not fit, or the backup that comes first."""
    execute(
        governed.database,
        "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'one')"
        if governed.database.dialect == "postgresql"
        else "INSERT INTO notes (id, user_id, body) VALUES (1, 1, hex(randomblob(400000)))",
    )
    back_up(governed)
    execute(governed.database, "DELETE FROM notes")
    stopped = run_limited(governed, resource.RLIMIT_FSIZE, 2_000, *MERGE[:2])
    assert stopped.exit_code == 3, stopped
    assert stopped.problem["state"] == "nothing was changed"
    expected = {
        "postgresql": "could not be dumped",
        "sqlite": "could not be restored into a scratch database",
    }
    assert expected[governed.database.dialect] in stopped.problem["what"]
    assert count(governed) == [1, 0]
