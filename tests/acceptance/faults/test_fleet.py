"""A fleet whose process is killed, and one whose work is done by the processes of a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import DETAILED, CopyPrepared
from tests.acceptance.fleets import TEMPLATE, Fleet, copy_file, prepare_fleet
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeFromTemplate
from tests.fixtures.projects import read_version

pytestmark = pytest.mark.long_fault

COUNT = 6
"""Databases of each engine."""
SCHEDULER = "tcp://127.0.0.1:38786"


@pytest.fixture
def fleet(copy_prepared: CopyPrepared, postgresql_from_template: MakeFromTemplate) -> Fleet:
    project = copy_prepared(TEMPLATE, prepare_fleet)
    name = f"prepared_{TEMPLATE}"
    servers = (project.database, *(postgresql_from_template(name, _never) for _ in range(COUNT - 1)))
    databases = {f"pg{number}": url for number, url in enumerate(servers)}
    databases |= {f"file{number}": copy_file(project, f"file{number}") for number in range(COUNT)}
    made = Fleet(project=project.with_url(None), databases=databases)
    made.write_targets()
    return made


def _never(_: DatabaseUrl) -> None:
    raise AssertionError("the template is there")


def test_a_killed_run_comes_to_its_end_when_it_is_run_again(fleet: Fleet) -> None:
    fleet.project.write(DETAILED)
    fleet.project.with_url(fleet.databases["pg0"]).succeed("lock")
    command = ("fleet", "migrate", "--targets", "targets.yaml", "--backup", "off", "--rehearse", "off")
    process = fleet.project.start(*command)
    deadline = time.monotonic() + 120
    while "".join(fleet.read_states()).count('"event": "ended"') < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (killed,) = fleet.read_states()
    assert killed.count('"event": "ended"') < 2 * COUNT

    done = fleet.project.succeed(*command)
    assert {target["exit_code"] for target in done.report["targets"]} == {0}
    (state,) = fleet.read_states()
    assert state.startswith(killed[: killed.rindex("\n") + 1])
    ended = Counter(
        event["target"] for event in map(json.loads, state.splitlines()) if event["event"] == "ended"
    )
    assert ended == dict.fromkeys(fleet.databases, 1)
    assert all(read_version(url) == {"r3"} for url in fleet.databases.values())
    # the lock is PostgreSQL's: a file whose migration was killed before its ledger's line can be held against nothing
    fleet.project.succeed("fleet", "check", "--targets", "targets.yaml", "--select", "engine=postgresql")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and two workers; the last process is the second worker."""
    dask = str(Path(sys.executable).with_name("dask"))
    port = SCHEDULER.rpartition(":")[2]
    here = ("--host", "127.0.0.1", "--no-dashboard")
    scheduler = (dask, "scheduler", "--port", port, "--no-show", *here)
    worker = (dask, "worker", SCHEDULER, "--no-nanny", "--nthreads", "2", *here)
    processes = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (scheduler, worker, worker)
    ]
    yield processes
    for process in reversed(processes):
        process.terminate()
        process.wait(timeout=60)


def test_a_cluster_finds_what_threads_find(fleet: Fleet, cluster: list[subprocess.Popen[bytes]]) -> None:
    execute(fleet.databases["pg1"], "ALTER TABLE notes ADD COLUMN extra integer")
    execute(fleet.databases["file1"], "DROP TABLE notes")
    fleet.write_targets(also=[{"name": "unset", "url_env": "NOT_SET"}])
    command = ("fleet", "drift", "--targets", "targets.yaml")
    by_threads = fleet.project.ask(*command)
    by_cluster = fleet.project.ask(*command, "--scheduler", SCHEDULER)
    assert len(cluster) == 3
    assert by_threads.exit_code == by_cluster.exit_code == 3
    assert without_time(by_cluster.report) == without_time(by_threads.report)


def without_time(report: dict[str, Any]) -> dict[str, Any]:
    kept = ("status", "entries", "groups", "problems", "schemas", "revisions", "problem")
    targets = [{**target, "duration_ms": 0} for target in report["targets"]]
    return {**{name: report[name] for name in kept}, "targets": targets}


def test_what_a_dead_worker_had_is_done_by_another_one(
    fleet: Fleet, cluster: list[subprocess.Popen[bytes]]
) -> None:
    fleet.project.write(DETAILED)
    fleet.project.with_url(fleet.databases["pg0"]).succeed("lock")
    command = ("fleet", "migrate", "--targets", "targets.yaml", "--backup", "off", "--rehearse", "off")
    process = fleet.project.start(*command, "--scheduler", SCHEDULER, "--format", "json")
    deadline = time.monotonic() + 120
    while "".join(fleet.read_states()).count('"event": "ended"') < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    cluster[-1].kill()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert all(read_version(url) == {"r3"} for url in fleet.databases.values())


def test_a_scheduler_that_is_not_there_is_said_so(fleet: Fleet) -> None:
    done = fleet.project.ask(
        "fleet", "drift", "--targets", "targets.yaml", "--scheduler", "tcp://127.0.0.1:1"
    )
    assert done.exit_code == 3
    assert done.problem["what"] == "no Dask scheduler answers at tcp://127.0.0.1:1"
