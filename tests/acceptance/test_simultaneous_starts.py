"""Many ``govern migrate`` started at once, as the replicas of a deployment are: one applies, the others wait."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project
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
    ("name", "count", "head"), [("plain", 10, "r2"), ("concurrent_index", 10, "r3"), ("plain", 5, "r2")]
)
def test_one_applies_and_the_others_find_it_done(
    name: str,
    count: int,
    head: str,
    make_project: MakeProject,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    engine = "postgresql" if count == 10 else "sqlite"
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
    (backup,) = project.succeed("backup", "list").report["backups"]
    assert backup["id"] == run["backup"]
    if name == "concurrent_index":
        assert read_rows(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
