"""A migration that ran and left the database in a state nobody wanted: said, marked, and cleared once corrected."""

from __future__ import annotations

import json

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows, read_version, third_revision

MANIFEST = "critical_tables:\n  - name: users\n    min_rows: 2\n"
START = """
import os
from govern import validate_on_startup
validate_on_startup(os.environ["DATABASE_URL"])
print("started")
"""


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_too_few_rows_keep_applications_from_starting_until_they_are_there(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, {"schema/governance.yaml": MANIFEST})
    failed = project.ask("migrate")
    assert failed.exit_code == 5, failed
    assert failed.rules == {"integrity.min-rows"}
    assert "at r2 and marked unhealthy" in failed.problem["state"]
    assert "govern migrate" in failed.problem["next"]
    assert read_version(any_database) == {"r2"}
    assert project.ask("health").rules == {"startup.unhealthy-run"}

    # one that fails, and is rolled back, does not make it healthy
    broken = third_revision('raise RuntimeError("not today")')
    project.write(broken)
    assert project.ask("migrate", "--rehearse", "off").exit_code == 5
    project.write(dict.fromkeys(broken))
    assert "run " in project.run_python(START).err

    assert project.ask("migrate").exit_code == 1
    execute(any_database, "INSERT INTO users (id, email) VALUES (2, 'second@example.org')")
    project.succeed("migrate")
    project.succeed("health")
    assert project.run_python(START).out == "started\n"
    results = [run["result"] for run in project.succeed("history").report["runs"]]
    assert results == ["applied", "failed", "unhealthy"]


@pytest.mark.parametrize("any_database", ["postgresql"], indirect=True)
def test_models_that_promise_more_than_the_revisions_do_are_found_on_the_copy_or_after_the_run(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    third = (
        '\n\nclass Third(Base):\n    __tablename__ = "third"\n    id = Column(Integer, primary_key=True)\n'
    )
    project.write({"app/models.py": (project.root / "app/models.py").read_text() + third})
    project.succeed("lock")
    assert project.ask("migrate").exit_code == 4
    assert read_version(any_database) == set()
    failed = project.ask("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "drift.table-removed" in failed.rules
    assert project.ask("health").exit_code == 1


def test_a_run_that_was_killed_after_its_last_commit_gets_its_verdict_from_the_next(
    governed: Project,
) -> None:
    """Without a lock, applications start on a validated run alone."""
    governed.write({"schema/schema.lock": None})
    leave_as_a_kill_does(governed.database)
    assert "there is no schema.lock" in governed.run_python(START).err

    execute(governed.database, "CREATE TABLE surplus (id integer)")
    assert governed.ask("migrate").exit_code == 1
    assert list_results(governed) == ["started"]

    execute(governed.database, "DROP TABLE surplus")
    governed.succeed("migrate")
    assert list_results(governed) == ["applied", "started"]
    assert governed.run_python(START).out == "started\n"
    governed.succeed("migrate")
    assert list_results(governed) == ["applied", "started"]


def leave_as_a_kill_does(url: DatabaseUrl) -> None:
    """The newest run as it is between the commit of its last revision and its own end."""
    runs = "govern.runs" if url.dialect == "postgresql" else "govern_runs"
    ((text,),) = read_rows(url, f"SELECT CAST(run AS text) FROM {runs}")
    unknown = dict.fromkeys(("finished_at", "fingerprint", "watermark", "lock_digest"))
    run = json.dumps({**json.loads(text), **unknown, "result": "started", "revisions": []})
    execute(url, f"UPDATE {runs} SET validated = false, run = '{run}'")


def list_results(project: Project) -> list[str]:
    return [run["result"] for run in project.succeed("history").report["runs"]]
