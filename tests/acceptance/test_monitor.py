"""The monitor as a process on real databases: it finds, fixes what policy allows, takes over, and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from govern.database.monitoring import is_turn_taken
from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.program import Project, dump, execute, finish
from tests.fixtures.databases import run_folder
from tests.fixtures.faults import wait_until
from tests.fixtures.projects import CASES

MANIFEST = """
critical_tables:
  - name: users
monitor:
  fixes:
    mode: MODE
    allow:
      - {kind: recreate_missing, tables: [users]}
"""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.create_index("ix_users_email", "users", ["email"])
    op.create_index("ix_notes_user_id", "notes", ["user_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval('users_id_seq', 1)")  # r2 has inserted a row without it


def downgrade():
    op.drop_index("ix_notes_user_id", "notes")
    op.drop_index("ix_users_email", "users")
"""
DROP = ("DROP INDEX ix_users_email", "DROP INDEX ix_notes_user_id")
TOKEN = "correct-horse-battery-staple"


def prepare(project: Project) -> None:
    project.write(
        {
            "migrations/versions/r3_indexes.py": REVISION,
            "schema/governance.yaml": MANIFEST.replace("MODE", "dry-run"),
        }
    )
    project.edit("app/models.py", '"users.id"), nullable', '"users.id"), index=True, nullable')
    project.edit("app/models.py", "unique=True", "unique=True, index=False")
    project.edit(
        "app/models.py",
        "class Note(Base)",
        'Index("ix_users_email", User.email)\n\n\nclass Note(Base)',
    )
    project.edit("app/models.py", "Column, ForeignKey", "Column, ForeignKey, Index")
    project.succeed("lock")
    project.succeed("migrate")


@pytest.fixture
def postgresql_project(copy_prepared: CopyPrepared) -> Project:
    return copy_prepared("monitored", prepare)


@pytest.fixture
def sqlite_project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    original = run_folder(tmp_path_factory.getbasetemp()) / "monitored-sqlite"
    with FileLock(f"{original}.lock", timeout=300):
        if not original.exists():
            unfinished = original.with_suffix(".unfinished")
            shutil.copytree(CASES / "plain", unfinished, ignore=shutil.ignore_patterns("__pycache__"))
            prepare(Project(root=unfinished, url=f"sqlite:///{unfinished / 'app.sqlite'}"))
            unfinished.rename(original)
    shutil.copytree(original, tmp_path / "project")
    return Project(root=tmp_path / "project", url=f"sqlite:///{tmp_path / 'project' / 'app.sqlite'}")


@pytest.fixture(params=["postgresql", "sqlite"])
def project(request: pytest.FixtureRequest) -> Project:
    """With an index of a critical table and one of another; the monitor would fix the first, and says so."""
    made: Project = request.getfixturevalue(f"{request.param}_project")
    return made


@contextmanager
def monitoring(project: Project, *, seconds: float = 2) -> Iterator[subprocess.Popen[str]]:
    """A monitor that looks every two seconds; it is told to end, and must."""
    process = project.start("monitor", "run", "--interval", str(seconds), "-v")
    try:
        yield process
        process.terminate()
        done = finish(process)
        assert done.exit_code == 0, done
    finally:
        process.kill()
        process.wait()


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """The URL of the monitor's API."""
    process = project.with_environment(GOVERN_MONITOR_TOKEN=TOKEN).start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        yield line.split()[2].rstrip(":") + "/api/database-health"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def ask(url: str, *, method: str = "GET") -> Any:
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def set_mode(project: Project, mode: str) -> None:
    project.edit("schema/governance.yaml", "mode: dry-run", f"mode: {mode}")


def status_of(project: Project) -> Any:
    return project.succeed("monitor", "status").report["monitor"]


def pid_of(project: Project) -> int:
    """Of the active one; 0 while there is none."""
    return int((status_of(project)["instance"] or "0").rpartition(":")[2])


def test_what_is_missing_is_listed_with_the_keys_of_the_contract_and_left_in_a_dry_run(
    project: Project,
) -> None:
    assert project.succeed("monitor", "run", "--once").entry("monitor")["reason"] == "healthy"
    before = dump(project.database, ledger=False)
    execute(project.database, *DROP)
    broken = dump(project.database, ledger=False)
    looked = project.ask("monitor", "run", "--once")
    assert looked.exit_code == 1
    assert looked.rules == {"drift.index-removed"}
    assert dump(project.database, ledger=False) == broken != before
    told = project.succeed("monitor", "status").report
    issues = {issue["table"]: issue for issue in told["issues"]}
    expected = {
        "issue_type": "MISSING_INDEX",
        "column": "email",
        "current_state": "No index",
        "expected_state": "Index on email",
        "tier": "critical",
    }
    assert {name: issues["users"][name] for name in expected} == expected
    assert issues["notes"]["tier"] == "medium"
    assert told["monitor"]["status"] == "absent"
    # the record of a monitor is nothing that anybody has to declare
    assert project.ask("drift").rules == {"drift.index-removed"}
    assert project.ask("health").rules == {"drift.index-removed"}


def test_what_the_policy_allows_is_fixed_with_a_backup_and_the_rest_is_left(project: Project) -> None:
    set_mode(project, "apply")
    execute(project.database, *DROP)
    assert project.ask("monitor", "run", "--once").entry("monitor")["reason"] == "degraded; 1 fixed"
    assert [finding["subject"]["name"] for finding in project.ask("drift").findings] == [
        "notes.ix_notes_user_id"
    ]
    [run, *_] = project.succeed("history").report["runs"]
    assert (run["command"], run["backup"] is not None) == ("repair", True)
    # it is gone again: the same fix is not tried twice within the hour
    execute(project.database, DROP[0])
    assert project.ask("monitor", "run", "--once").entry("monitor")["reason"] == "critical"
    assert len(project.succeed("history").report["runs"]) == 2


HARM = """
CREATE FUNCTION harm() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM users WHERE email = 'first@example.org') THEN
    CREATE TABLE harmful (id integer);
  END IF;
END $$
"""
"""Only beside the real rows: on a copy of the schema, with made-up ones, nobody can see it coming."""


def test_a_fix_that_does_more_than_it_should_is_rolled_back_and_two_of_them_page_a_person(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    set_mode(project, "apply")
    project.edit("schema/governance.yaml", "  fixes:", "  notify: [{command: [tee, told]}]\n  fixes:")
    execute(
        project.database,
        DROP[0],
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        HARM,
        "CREATE EVENT TRIGGER harm ON ddl_command_end WHEN TAG IN ('CREATE INDEX', 'ALTER TABLE') "
        "EXECUTE FUNCTION harm()",
    )
    before = dump(project.database, ledger=False)
    looked = project.ask("monitor", "run", "--once")
    assert looked.entry("monitor")["reason"] == "critical", looked
    assert dump(project.database, ledger=False) == before
    assert status_of(project)["breaker_open"]
    assert "two fixes have failed" in json.loads((project.root / "told").read_text())["pages"][0]
    results = [run["result"] for run in project.succeed("history").report["runs"]]
    assert results == ["failed", "failed", "applied"]


def test_when_the_active_one_is_killed_the_other_takes_its_place_and_people_are_obeyed(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    execute(project.database, *DROP)
    with monitoring(project) as one, monitoring(project) as other:
        wait_until(lambda: is_turn_taken(project.database) and bool(status_of(project)["last_check"]))
        active, standby = (one, other) if pid_of(project) == one.pid else (other, one)
        with serving(project) as api:
            assert len(ask(f"{api}/issues")["critical_issues"]) == 1
            active.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            wait_until(lambda: pid_of(project) == standby.pid)
            assert time.monotonic() - killed < 20  # an interval, and the look itself on a busy machine
            assert ask(f"{api}/stop", method="POST")["status"] == "stopped"
            looked = status_of(project)["last_check"]
            time.sleep(3)
            assert status_of(project)["last_check"] == looked
            assert ask(f"{api}/start", method="POST")["status"] == "running"
            [issue] = ask(f"{api}/issues")["critical_issues"]
            asked = ask(f"{api}/issues/{issue['key']}/fix", method="POST")
            wait_until(lambda: ask(f"{api}/issues")["critical_issues"] == [])
            events = ask(f"{api}/history")["events"]
            assert [event["kind"] for event in events] == [
                "fixed",
                "fixing",
                "fix",
                "start",
                "stop",
                "would-fix",
            ]
            assert events[2]["id"] == asked["id"]
            assert {event["actor"] for event in events[:5]} == {"api"}
        os.waitpid(active.pid, os.WNOHANG)
        active.wait()
        active.terminate = lambda: None  # type: ignore[method-assign]
