"""Declared repairs in the monitor under faults: killed in the middle, and rows that come again and again."""

from __future__ import annotations

import signal
import threading

import psycopg
import pytest

from tests.acceptance.program import Project, execute
from tests.acceptance.test_monitor import monitoring
from tests.acceptance.test_monitor_repairs import NOTES, neglected
from tests.fixtures.faults import wait_for_session, wait_until
from tests.fixtures.projects import read_rows

__all__ = ["neglected"]

pytestmark = [
    pytest.mark.long_fault,
    pytest.mark.parametrize("governed", ["postgresql"], indirect=True),
]

EVENTS = "SELECT event->>'kind' FROM govern.monitor_events ORDER BY position"
REPAIRS = "SELECT run->>'result' FROM govern.runs WHERE run->>'command' = 'repair'"


def kinds(project: Project) -> list[str]:
    has_record = read_rows(project.database, "SELECT to_regclass('govern.monitor_events') IS NOT NULL")
    return [str(kind) for (kind,) in read_rows(project.database, EVENTS)] if has_record == [(True,)] else []


def test_a_monitor_that_is_killed_while_it_repairs_leaves_a_whole_repair_that_is_made_once(
    neglected: Project,
) -> None:
    with psycopg.connect(neglected.database.conninfo) as holder, monitoring(neglected) as killed:
        holder.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
        wait_for_session(neglected.database, "wait_event_type = 'Lock'")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        holder.rollback()
        wait_until(lambda: read_rows(neglected.database, NOTES) == [])
        with monitoring(neglected):
            wait_until(lambda: read_rows(neglected.database, REPAIRS) == [("applied",)])
            execute(neglected.database, "INSERT INTO notes (user_id, body) VALUES (1, '')")
            wait_until(lambda: "paged" in kinds(neglected))
    assert kinds(neglected) == ["fixing", "paged"]  # within an hour, whoever tried it
    assert len(read_rows(neglected.database, NOTES)) == 1


def test_rows_that_come_again_and_again_are_deleted_once_an_hour_and_a_person_is_called(
    neglected: Project,
) -> None:
    neglected.edit("schema/governance.yaml", "most_rows: 2", "most_rows: 2000")
    is_over = threading.Event()

    def write() -> None:
        while not is_over.wait(1):
            execute(neglected.database, "INSERT INTO notes (user_id, body) VALUES (1, '')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with monitoring(neglected, seconds=2):
            wait_until(lambda: "paged" in kinds(neglected))
            is_over.wait(20)
    finally:
        is_over.set()
        writer.join()
    assert kinds(neglected).count("fixing") == 1
    assert kinds(neglected).count("paged") == 1
