"""A database that says head and holds nothing: plain Alembic is content with it, govern is not."""

from __future__ import annotations

import sys

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump
from tests.fixtures.projects import list_tables

START = """
import os
from govern import validate_on_startup
validate_on_startup(os.environ["DATABASE_URL"])
print("started")
"""
ENV_READS_VARIABLE = 'import os\nconfig.set_main_option("sqlalchemy.url", os.environ["ALEMBIC_URL"])\n'


def run_alembic(project: Project, url: DatabaseUrl, *arguments: str) -> None:
    """Plain Alembic, which knows no ``+psycopg`` of itself."""
    text = url.text.replace("postgresql://", "postgresql+psycopg://")
    project.edit("migrations/env.py", "target_metadata =", f"{ENV_READS_VARIABLE}target_metadata =")
    done = project.with_environment(ALEMBIC_URL=text).run(sys.executable, "-m", "alembic", *arguments)
    assert done.exit_code == 0, done
    project.edit("migrations/env.py", ENV_READS_VARIABLE, "")


def test_a_stamp_is_not_a_schema(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    project = make_project("plain", any_database)
    run_alembic(project, any_database, "stamp", "head")
    run_alembic(project, any_database, "current", "--check-heads")
    before, files = dump(any_database), project.read_files()

    drifted = project.ask("drift")
    assert drifted.exit_code == 1, drifted
    missing = {
        found["subject"]["name"] for found in drifted.findings if found["rule"] == "drift.table-removed"
    }
    assert missing == {"users", "notes"}

    unhealthy = project.ask("health")
    assert unhealthy.exit_code == 1, unhealthy
    assert unhealthy.rules == {"startup.empty-database"}

    refused = project.run_python(START)
    assert (refused.exit_code, refused.out) == (1, "")
    assert "the application refuses to start" in refused.err
    assert "stamped r2, but has no tables" in refused.err

    migrated = project.ask("migrate")
    assert migrated.exit_code == 1, migrated
    assert "drift.table-removed" in migrated.rules

    assert dump(any_database) == before
    assert list_tables(any_database) == {"alembic_version"}
    assert project.read_files() == files


def test_a_stamp_that_is_true_is_accepted(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    project = make_project("plain", any_database)
    run_alembic(project, any_database, "upgrade", "head")
    project.succeed("drift")
    project.succeed("lock")
    project.succeed("health")
    assert project.run_python(START).out == "started\n"


def test_govern_itself_does_not_stamp_what_is_not_there(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    before = dump(any_database)
    refused = project.ask("stamp", "head")
    assert refused.exit_code == 4, refused
    assert "drift.table-removed" in refused.rules
    assert dump(any_database) == before
