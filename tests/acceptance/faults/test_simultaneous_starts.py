"""Many ``govern migrate`` started at once, as the replicas of a deployment are: one applies, the others wait."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project
from tests.fixtures.faults import wait_for_session
from tests.fixtures.projects import read_rows, read_version

# without a barrier a race proves nothing
_LAUNCHER = """
import os, pathlib, sys, time
ready, go, *command = sys.argv[1:]
pathlib.Path(ready).touch()
while not pathlib.Path(go).exists():
    time.sleep(0.005)
os.execv(command[0], command)
"""


def start_at_once(project: Project, count: int, folder: Path) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of so many ``govern migrate``."""
    go, ready = folder / "go", [folder / f"ready-{number}" for number in range(count)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, str(file), str(go), str(GOVERN), "migrate"],
            cwd=project.root,
            env=project.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for file in ready
    ]
    while not all(file.exists() for file in ready):
        time.sleep(0.01)
    go.touch()
    ends = [process.communicate(timeout=300) for process in processes]
    return [(process.returncode, out, err) for process, (out, err) in zip(processes, ends, strict=True)]


@pytest.mark.parametrize(
    ("engine", "name", "count", "head"),
    [
        ("postgresql", "plain", 10, "r2"),
        ("postgresql", "concurrent_index", 10, "r3"),
        ("sqlite", "plain", 5, "r2"),
        pytest.param("postgresql", "concurrent_index", 20, "r3", marks=pytest.mark.long_fault),
        pytest.param("sqlite", "plain", 10, "r2", marks=pytest.mark.long_fault),
    ],
)
def test_one_applies_and_the_others_find_it_done(
    engine: str,
    name: str,
    count: int,
    head: str,
    make_project: MakeProject,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    database: DatabaseUrl = request.getfixturevalue(f"{engine}_database")
    project = make_project(name, database)
    ends = start_at_once(project, count, tmp_path)

    assert [end for end in ends if end[0] != 0] == []
    assert sum(f"now at {head}" in out for _, out, _ in ends) == 1
    assert sum(f"already at head: {head}" in out for _, out, _ in ends) == count - 1
    assert not [err for _, _, err in ends if "Traceback" in err]
    assert read_version(database) == {head}
    assert read_rows(database, "SELECT count(*) FROM users") == [(1,)]  # r2 inserts it

    (run,) = project.succeed("history").report["runs"]
    assert (run["command"], run["result"], run["to_revision"]) == ("migrate", "applied", [head])
    applied = [revision["revision"] for revision in run["revisions"]]
    assert applied == ["r1", "r2", "r3"][: len(applied)]
    assert applied[-1] == head
    (backup,) = project.succeed("backup", "list").report["backups"]
    assert backup["id"] == run["backup"]
    if name == "concurrent_index":
        assert read_rows(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


@pytest.mark.long_fault
@pytest.mark.parametrize("count", [3, 20])
def test_those_who_wait_do_not_hold_up_a_build_that_takes_its_time(
    count: int, make_project: MakeProject, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    """CREATE INDEX CONCURRENTLY waits for every older transaction: whoever waits for us in one is a deadlock."""
    project = make_project("concurrent_index", postgresql_database)
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r2")
    with ThreadPoolExecutor(1) as pool, writing(postgresql_database, "notes") as writer:
        starting = pool.submit(start_at_once, project, count, tmp_path)
        wait_for_session(postgresql_database, "query LIKE '%CONCURRENTLY%' AND wait_event_type = 'Lock'")
        time.sleep(3)  # the others poll for the lock meanwhile
        writer.rollback()
        ends = starting.result()
    assert [end for end in ends if end[0] != 0] == []
    assert read_version(postgresql_database) == {"r3"}
    assert read_rows(postgresql_database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert len(project.succeed("history").report["runs"]) == 2


@contextmanager
def writing(url: DatabaseUrl, table: str) -> Iterator[psycopg.Connection]:
    """A session that has written into the table and keeps its transaction open."""
    with psycopg.connect(url.conninfo) as session:
        session.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        yield session
