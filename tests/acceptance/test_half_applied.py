"""A revision that commits midway and breaks off: the next run does the rest of it, once, or says why it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import psutil
import psycopg
import pytest

from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.program import GOVERN, Project, execute
from tests.fixtures.projects import read_rows, read_version

THIRD = "migrations/versions/r3_third.py"
MIDWAY = """
from alembic import op
revision = "r3"
down_revision = "r2"


def upgrade():
    op.execute("UPDATE amounts SET amount = amount * 100")
    op.execute("ALTER TABLE amounts ADD COLUMN note text")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_body ON notes (body)")
        {inside}
    op.execute("ALTER TABLE notes ADD COLUMN title text")
"""
BUILDS = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"
FAILS = 'op.execute("SELECT 1 / (amount - 700) FROM amounts")'
"""Not on a copy without rows: the rehearsal cannot know."""


@pytest.fixture
def project(copy_prepared: CopyPrepared) -> Project:
    """The project plain at r2, with a table of amounts."""
    return copy_prepared("amounts", migrate_with_amounts)


def migrate_with_amounts(project: Project) -> None:
    models = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
    project.write({"app/models.py": models})
    made = (
        '    op.execute("CREATE TABLE amounts (amount integer)")\n'
        '    op.execute("INSERT INTO amounts VALUES (7)")\n\n\ndef downgrade'
    )
    project.edit("migrations/versions/r1_users.py", "\n\ndef downgrade", made)
    project.succeed("migrate", "--backup", "off")


def start_building(project: Project) -> subprocess.Popen[str]:
    """Returns once the index is being built; it waits for a writer."""
    process = subprocess.Popen(
        [GOVERN, "migrate", "--backup", "off", "--format", "json"],
        cwd=project.root,
        env=project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_builds(project, 1, process)
    return process


def kill_all(process: subprocess.Popen[str]) -> None:
    """govern and the child, which would cancel its statement if it saw that it is alone."""
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.communicate(timeout=60)


def end_statement_of(project: Project, how: str) -> None:
    query = (
        f"SELECT pg_{how}_backend(pid) FROM pg_stat_progress_create_index WHERE datname = current_database()"
    )
    execute(project.database, query)


def assert_done_once(project: Project) -> None:
    assert read_version(project.database) == {"r3"}
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    assert read_rows(project.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    query = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_body'"
    assert read_rows(project.database, query) == [(1,)]
    assert read_rows(project.database, "SELECT count(*) FROM govern.progress") == [(0,)]
    project.succeed("drift")


@pytest.mark.parametrize("how", ["kill", "cancel", "terminate"])
def test_a_build_that_broke_off_is_built_again_and_what_was_before_it_is_not_repeated(
    how: str, project: Project
) -> None:
    project.write({THIRD: MIDWAY.format(inside="pass")})
    with psycopg.connect(project.database.conninfo) as writer:
        writer.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
        with start_building(project) as process:
            if how == "kill":
                os.kill(process.pid, signal.SIGKILL)
            else:
                end_statement_of(project, how)
            process.communicate(timeout=60)
        wait_for_builds(project, 0)
    assert read_version(project.database) == {"r2"}
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]

    done = project.succeed("migrate", "--backup", "off")
    told = done.entry("resume")["reason"]
    assert "r3 goes on after 2 statements that it has committed" in told
    assert "dropped ix_body, which was invalid" in told
    assert_done_once(project)


def test_a_build_that_ended_by_itself_after_govern_was_killed_is_kept(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside="pass")})
    # as on a server that cannot notice that its client is gone
    project.edit(
        THIRD,
        "\n\ndef upgrade():\n",
        "\n\ndef upgrade():\n    op.execute('SET client_connection_check_interval = 0')\n",
    )
    with psycopg.connect(project.database.conninfo) as writer:
        writer.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
        with start_building(project) as process:
            kill_all(process)
        time.sleep(0.5)
    wait_for_builds(project, 0)
    before = read_rows(project.database, "SELECT 'ix_body'::regclass::oid")
    done = project.succeed("migrate", "--backup", "off")
    assert "r3 goes on after 4 statements" in done.entry("resume")["reason"]
    assert read_rows(project.database, "SELECT 'ix_body'::regclass::oid") == before
    assert_done_once(project)


def test_the_rest_may_be_corrected_and_only_the_rest_is_run(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside=FAILS)})
    failed = project.ask("migrate", "--backup", "off")
    assert failed.exit_code == 5, failed
    again = project.ask("migrate", "--backup", "off")  # the same mistake, and nothing else is repeated
    assert again.exit_code == 5, again
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    project.edit(THIRD, FAILS, "pass")
    project.succeed("migrate", "--backup", "off")
    assert_done_once(project)


def test_a_plan_of_the_rest_has_the_rest_alone_and_is_applied_as_it_was_reviewed(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside=FAILS)})
    assert project.govern("migrate", "--backup", "off").exit_code == 5
    project.edit(THIRD, FAILS, "pass")
    planned = project.succeed("plan", "--out", "plan.json")
    assert "r3 goes on after 3 statements" in planned.entry("resume")["reason"]
    (step,) = planned.report["plan"]["revisions"]
    assert step["statements"] == ["ALTER TABLE notes ADD COLUMN title text"]
    assert read_rows(project.database, "SELECT count(*) FROM govern.progress") == [(4,)]

    done = project.succeed("migrate", "--backup", "off", "--plan", "plan.json")
    assert "every statement was the plan's" in done.entry("plan")["reason"]
    newest, *_ = project.succeed("history").report["runs"]
    assert [one["sql"] for one in newest["revisions"][0]["statements"]] == step["statements"]
    assert newest["plan_digest"] == json.loads((project.root / "plan.json").read_text())["digest"]
    assert_done_once(project)


def test_what_fails_of_the_rest_is_rehearsed_and_refused(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside=FAILS)})
    assert project.govern("migrate", "--backup", "off").exit_code == 5
    project.edit(THIRD, FAILS, 'op.execute("SELECT 1 / 0")')
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert "fails on a copy of the schema" in refused.problem["what"]
    assert "division by zero" in refused.problem["why"]
    project.edit(THIRD, 'op.execute("SELECT 1 / 0")', "pass")
    project.succeed("migrate")  # with a backup and its restore in between
    assert_done_once(project)


def test_a_beginning_that_is_not_the_same_any_more_is_refused_before_anything_runs(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside=FAILS)})
    assert project.govern("migrate", "--backup", "off").exit_code == 5
    project.edit(THIRD, FAILS, "pass")
    project.edit(THIRD, "amount * 100", "amount * 10")
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert "does not do again what it did then" in refused.problem["what"]
    assert "amount * 100" in refused.problem["why"]
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    project.edit(THIRD, "amount * 10", "amount * 100")
    project.succeed("migrate", "--backup", "off")
    assert_done_once(project)


def test_a_database_that_somebody_changed_meanwhile_is_refused_with_an_account(project: Project) -> None:
    project.write({THIRD: MIDWAY.format(inside=FAILS)})
    assert project.govern("migrate", "--backup", "off").exit_code == 5
    project.edit(THIRD, FAILS, "pass")
    execute(project.database, "ALTER TABLE amounts DROP COLUMN note")
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    (finding,) = [one for one in refused.findings if one["rule"] == "chain.half-applied"]
    assert "1. done: UPDATE amounts" in finding["message"]
    assert "3. done: CREATE INDEX CONCURRENTLY ix_body" in finding["message"]
    assert "4. failed: SELECT 1 / (amount - 700)" in finding["message"]
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    execute(project.database, "ALTER TABLE amounts ADD COLUMN note text")
    project.succeed("migrate", "--backup", "off")
    assert_done_once(project)


def test_what_the_revision_read_before_it_committed_is_not_guessed(project: Project) -> None:
    text = MIDWAY.format(inside=FAILS).replace(
        '    op.execute("UPDATE',
        "    op.get_bind().exec_driver_sql('SELECT 1').scalar()\n    op.execute(\"UPDATE",
    )
    project.write({THIRD: text})
    assert project.govern("migrate", "--backup", "off").exit_code == 5
    project.edit(THIRD, FAILS, "pass")
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert "it read something before it committed" in refused.problem["why"]


def test_an_index_that_was_invalid_before_is_not_taken_for_a_finished_one(project: Project) -> None:
    """IF NOT EXISTS is content with an invalid index: the head would be reached without it."""
    with psycopg.connect(project.database.conninfo, autocommit=True) as session:
        session.execute("INSERT INTO amounts VALUES (7)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_amount ON amounts (amount)")
    text = MIDWAY.format(inside="pass").replace(
        "INDEX CONCURRENTLY ix_body ON notes (body)",
        ("UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix_amount ON amounts (amount)"),
    )
    project.write({THIRD: text})
    failed = project.ask("migrate", "--backup", "off")
    assert failed.exit_code == 5, failed
    assert any("ix_amount" in finding["subject"]["name"] for finding in failed.findings), failed
    newest, *_ = project.succeed("history").report["runs"]
    assert newest["result"] == "unhealthy"


def wait_for_builds(project: Project, number: int, process: subprocess.Popen[str] | None = None) -> None:
    """Until so many indexes are being built; ``process`` must not end before."""
    deadline = time.monotonic() + 60
    with psycopg.connect(project.database.conninfo, autocommit=True) as session:
        while session.execute(BUILDS.encode()).fetchone() != (number,):
            assert process is None or process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
