"""Monitors under faults: many at once, killed, and a server that is stopped, crashes and comes back."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import ExitStack

import psutil
import pytest

from govern.core.monitoring import MonitorStatus
from govern.database import embedded
from govern.database.monitoring import is_turn_taken
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.acceptance.test_monitor import (
    DROP,
    answering,
    ask,
    monitoring,
    pid_of,
    postgresql_project,
    prepare,
    set_mode,
    status_of,
)
from tests.fixtures.faults import OwnServer, wait_until
from tests.fixtures.projects import read_rows

__all__ = ["postgresql_project"]

pytestmark = pytest.mark.long_fault

EVENTS = "SELECT event->>'kind' FROM govern.monitor_events ORDER BY position"


def is_looking(project: Project, since: MonitorStatus | None = None) -> bool:
    """Whether there is an active one, and it has looked."""
    return is_turn_taken(project.database) and status_of(project) not in (None, since)


def test_of_ten_that_start_at_once_one_is_active_and_another_follows_it(postgresql_project: Project) -> None:
    project = postgresql_project
    monitors: list[subprocess.Popen[str]] = [
        project.start("monitor", "run", "--interval", "8", "-v") for _ in range(10)
    ]
    try:
        wait_until(lambda: is_looking(project), seconds=120)
        first = pid_of(project)
        next(one for one in monitors if one.pid == first).send_signal(signal.SIGKILL)
        wait_until(lambda: pid_of(project) not in (0, first), seconds=120)
        second = pid_of(project)
        time.sleep(10)
        assert pid_of(project) == second
    finally:
        for one in monitors:
            one.terminate()
        said = {one.pid: one.communicate(timeout=60)[1] for one in monitors}
    assert {pid for pid, text in said.items() if "monitor_active" in text} == {first, second}
    standby = [pid for pid, text in said.items() if "monitor_standby" in text]
    assert len(standby) == 9
    assert not is_turn_taken(project.database)


def test_what_a_person_chooses_is_fixed_by_the_active_one_whatever_the_policy_says(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    execute(project.database, *DROP)
    with monitoring(project), answering(project) as api:
        wait_until(lambda: is_looking(project))
        [issue] = ask(f"{api}/issues")["critical_issues"]
        asked = ask(f"{api}/issues/{issue['key']}/fix", method="POST")
        wait_until(lambda: ask(f"{api}/history")["events"][0]["kind"] == "fixed")
        events = ask(f"{api}/history")["events"]
        assert [event["kind"] for event in events] == ["fixed", "fixing", "fix", "would-fix"]
        assert (events[2]["id"], {event["actor"] for event in events[:3]}) == (asked["id"], {"api"})
        wait_until(lambda: ask(f"{api}/issues")["critical_issues"] == [])


def test_a_server_that_stops_crashes_and_comes_back_is_waited_for_without_a_fix(
    own_server: OwnServer, make_project: MakeProject
) -> None:
    project = make_project("plain", own_server.make_database())
    prepare(project)
    set_mode(project, "apply")
    with monitoring(project) as monitor, ExitStack() as stopped:
        wait_until(lambda: is_looking(project))
        for process in _processes(own_server):
            stopped.callback(process.resume)
            process.suspend()
        time.sleep(20)
        assert monitor.poll() is None
        stopped.close()
        wait_until(lambda: is_looking(project))
        own_server.crash()
        time.sleep(5)
        assert monitor.poll() is None
        own_server.start()
        before = status_of(project)
        wait_until(lambda: is_looking(project, before))
        assert read_rows(project.database, EVENTS) == []
        execute(project.database, DROP[0])
        wait_until(lambda: ("fixed",) in read_rows(project.database, EVENTS))
        assert read_rows(project.database, EVENTS) == [("fixing",), ("fixed",)]


def _processes(server: OwnServer) -> list[psutil.Process]:
    """The server's, the first one first: it must not see the others stop."""
    status = embedded.status(server._folder)
    assert status is not None
    assert status.pid is not None
    first = psutil.Process(status.pid)
    return [first, *first.children(recursive=True)]


def test_memory_and_descriptors_stay_as_they_are(postgresql_project: Project) -> None:
    """A pass after the other for a minute and a half; what a pass takes goes with its child."""
    project = postgresql_project
    with monitoring(project, seconds=1) as monitor:
        wait_until(lambda: is_looking(project))
        process = psutil.Process(monitor.pid)
        time.sleep(15)
        memory, files = process.memory_info().rss, process.num_fds()
        time.sleep(75)
        assert process.memory_info().rss < memory * 1.05
        assert process.num_fds() <= files + 2
        assert process.memory_info().rss < 100_000_000
