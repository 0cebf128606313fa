"""The monitor as a process on real databases: it finds, fixes what policy allows, takes over, and goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from govern.core.monitoring import MonitorStatus
from govern.database.monitoring import open_record
from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.program import Project, dump, execute, finish, serving
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
EVERY_SECONDS = 4.0
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
def monitoring(project: Project, *, seconds: float = EVERY_SECONDS) -> Iterator[subprocess.Popen[str]]:
    """A monitor that looks every few seconds; unless it was killed it is told to end, and must."""
    process = project.start("monitor", "run", "--interval", str(seconds), "-v")
    try:
        yield process
        if process.returncode is None:
            process.terminate()
            done = finish(process)
            assert done.exit_code == 0, done
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def answering(project: Project) -> Iterator[str]:
    """The URL of the monitor's API."""
    with serving(project.with_environment(GOVERN_MONITOR_TOKEN=TOKEN)) as address:
        yield f"{address}/api/database-health"


def ask(url: str, *, method: str = "GET") -> Any:
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def set_mode(project: Project, mode: str) -> None:
    project.edit("schema/governance.yaml", "mode: dry-run", f"mode: {mode}")


def status_of(project: Project) -> MonitorStatus | None:
    """As the active one has written it down."""
    with open_record(project.database, read_only=True) as record:
        document = record.read_documents().get("status")
    return MonitorStatus.from_json(document) if document else None


def pid_of(project: Project) -> int:
    """Of the one that looked last; 0 before anybody has."""
    status = status_of(project)
    return int(status.instance.rpartition(":")[2]) if status else 0


def test_what_is_missing_is_listed_in_a_dry_run_and_fixed_where_the_policy_allows_it(
    project: Project,
) -> None:
    execute(project.database, *DROP)
    before = dump(project.database, ledger=False)
    looked = project.ask("monitor", "run", "--once")
    assert looked.exit_code == 1
    assert looked.entry("monitor")["reason"] == "critical"
    assert dump(project.database, ledger=False) == before
    told = project.succeed("monitor", "status").report
    assert (told["monitor"]["status"], told["monitor"]["active_critical_issues"]) == ("absent", 1)
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

    set_mode(project, "apply")
    looked = project.ask("monitor", "run", "--once")
    # what a monitor has written down is nothing that anybody has to declare
    assert looked.rules == {"drift.index-removed"}
    assert looked.entry("monitor")["reason"] == "degraded; 1 fixed"
    [left] = project.ask("health").findings
    assert left["subject"]["name"] == "notes.ix_notes_user_id"
    [run, *_] = project.succeed("history").report["runs"]
    assert (run["command"], run["result"], run["fingerprint"]) == ("repair", "applied", None)
    assert run["backup"]


HARM = """
CREATE FUNCTION harm() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM users WHERE email = 'first@example.org') THEN
    CREATE TABLE harmful (id integer);
  END IF;
END $$
"""
"""Only beside the real rows: on a copy of the schema, with made-up ones, nobody can see it coming."""


def test_a_fix_that_does_more_than_it_should_is_rolled_back_and_told(postgresql_project: Project) -> None:
    project = postgresql_project
    set_mode(project, "apply")
    project.edit("schema/governance.yaml", "  fixes:", "  notify: [{command: [tee, told]}]\n  fixes:")
    execute(
        project.database,
        DROP[0],
        HARM,
        "CREATE EVENT TRIGGER harm ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION harm()",
    )
    before = dump(project.database, ledger=False)
    looked = project.ask("monitor", "run", "--once")
    assert looked.entry("monitor")["reason"] == "critical", looked
    assert dump(project.database, ledger=False) == before
    [act] = json.loads((project.root / "told").read_text())["acts"]
    assert "fix failed: index public.users.ix_users_email" in act
    assert "table public.harmful exists, but is not declared" in act
    assert [run["result"] for run in project.succeed("history").report["runs"]] == ["failed", "applied"]


def test_when_the_active_one_is_killed_the_other_takes_its_place_and_people_are_obeyed(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    with monitoring(project) as one, monitoring(project) as other, answering(project) as api:
        wait_until(lambda: pid_of(project) != 0)
        active, standby = (one, other) if pid_of(project) == one.pid else (other, one)
        assert ask(f"{api}/status")["status"] == "running"
        active.kill()
        active.wait()
        wait_until(lambda: pid_of(project) == standby.pid)
        assert ask(f"{api}/stop", method="POST")["status"] == "stopped"
        looked = status_of(project)
        time.sleep(1.5 * EVERY_SECONDS)
        assert status_of(project) == looked
        assert ask(f"{api}/start", method="POST")["status"] == "running"
        wait_until(lambda: status_of(project) != looked)
        events = ask(f"{api}/history")["events"]
        assert [(event["kind"], event["actor"]) for event in events] == [("start", "api"), ("stop", "api")]
