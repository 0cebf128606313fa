"""A migration that is ended from outside: the state is told, recorded, and the next one finishes the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project, dump
from tests.fixtures.projects import read_rows, read_version, third_revision

THIRD = "migrations/versions/r3_third.py"
SLOW = third_revision('import pathlib, time; pathlib.Path("slow").touch(); time.sleep(60)')
MODEL = '\n\nclass Third(Base):\n    __tablename__ = "third"\n    id = Column(Integer, primary_key=True)\n'


def start_slow_migration(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Returns once the revision has executed its first statement."""
    process = subprocess.Popen(
        [GOVERN, "migrate", "--format", "json", *arguments],
        cwd=project.root,
        env=project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (project.root / "slow").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_ended_migration_leaves_the_database_as_it_was_and_the_next_one_succeeds(
    number: signal.Signals, make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate")
    before = dump(any_database, ledger=False)
    project.write({**SLOW, "app/models.py": (project.root / "app/models.py").read_text() + MODEL})

    with start_slow_migration(project, "--rehearse", "off") as process:
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert process.returncode == 130, (out, err)
        state = json.loads(out)["problem"]["state"]
        assert "the database is as it was, at r2; backup " in state
        assert "Traceback" not in err

    assert dump(any_database, ledger=False) == before

    project.edit(THIRD, "time.sleep(60)", "0")
    project.succeed("migrate")  # waits for what is left of the killed one
    assert read_version(any_database) == {"r3"}
    newest, ended, _ = project.succeed("history").report["runs"]
    assert newest["result"] == "applied"
    assert ended["result"] == ("interrupted" if number == signal.SIGTERM else "started")
    assert ended["backup"]


def test_nothing_of_a_killed_migration_stays_behind_on_the_server(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database, SLOW)
    with start_slow_migration(project, "--rehearse", "off") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert project.succeed("doctor", "--locks").exit_code == 0
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + 30
    while read_rows(postgresql_database, query) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert read_version(postgresql_database) == set()


def test_a_rehearsal_that_is_ended_has_changed_nothing(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, SLOW)
    before = dump(any_database)
    with start_slow_migration(project, "--backup", "off") as process:
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "nothing was changed" in json.loads(out)["problem"]["state"]
    assert dump(any_database) == before
    assert project.succeed("doctor", "--locks").exit_code == 0
