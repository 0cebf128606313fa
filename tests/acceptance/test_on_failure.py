"""``migrate --on-failure restore``: what a failed run left gives way to its backup, if that is safe and needed."""

from __future__ import annotations

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, assert_told, dump
from tests.fixtures.projects import read_rows, third_revision

MANIFEST = "critical_tables:\n  - name: users\n    min_rows: {}\n"
WRITES = """op.execute("INSERT INTO users (id, email) VALUES (2, {})")
    op.add_column("users", sa.Column("nick", sa.String(20)))"""
MIDWAY = """op.execute("UPDATE users SET email = 'half@example.org'")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_body ON notes (body)")
        op.execute("SELECT 1 / (id - 1) FROM users")"""
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("governed", ["postgresql"], indirect=True)


def migrate(project: Project, *options: str) -> tuple[int, dict[str, str]]:
    done = project.ask("migrate", "--rehearse", "off", "--on-failure", "restore", *options)
    return done.exit_code, done.problem


def results(project: Project) -> list[tuple[str, str]]:
    return [(run["command"], run["result"]) for run in project.succeed("history").report["runs"]]


def test_what_did_not_pass_its_validation_is_as_before_the_run(governed: Project) -> None:
    """The rows that the run wrote itself are known by running it again on the backup."""
    before = dump(governed.database, ledger=False)
    governed.write({"schema/governance.yaml": MANIFEST.format(3)})
    governed.write(third_revision(WRITES.format("'second@example.org'")))
    exit_code, problem = migrate(governed)
    assert exit_code == 5, problem
    assert "not as declared" in problem["what"]
    assert "restored from backup" in problem["state"]
    assert "as before the run, at r2" in problem["state"]
    assert dump(governed.database, ledger=False) == before
    assert results(governed)[:2] == [("migrate", "restored"), ("restore", "applied")]
    governed.write({"schema/governance.yaml": MANIFEST.format(2)})
    assert governed.succeed("migrate").entry("manifest")["status"] == "passed"


@on_sqlite
def test_rows_that_may_be_others_are_not_overwritten_and_the_command_to_do_so_is_told(
    governed: Project,
) -> None:
    governed.write({"schema/governance.yaml": MANIFEST.format(3)})
    governed.write(third_revision(WRITES.format("random()")))  # another answer when it is run again
    exit_code, problem = migrate(governed)
    assert exit_code == 5, problem
    assert (
        "it was not restored: the live database has rows that the backup has not: users has 1 row"
        in problem["why"]
    )
    assert "--allow overwrites-rows:users" in problem["next"]
    assert "govern restore 2" in problem["next"]
    assert "at r3 and marked unhealthy" in problem["state"]
    assert read_rows(governed.database, "SELECT count(*) FROM users") == [(2,)]
    command = problem["next"].partition("govern ")[2].split()
    governed.succeed(*command)
    assert read_rows(governed.database, "SELECT count(*) FROM users") == [(1,)]


@on_postgresql
def test_what_was_rolled_back_needs_no_restore(governed: Project) -> None:
    governed.write(third_revision("raise RuntimeError('not today')"))
    exit_code, problem = migrate(governed)
    assert exit_code == 5, problem
    assert "the database is as it was, at r2" in problem["state"]
    assert results(governed)[0] == ("migrate", "failed")
    assert "restore" not in dict(results(governed))
    assert list((governed.root / "backups").glob("*-before-restore-*")) == []


@on_postgresql
def test_a_revision_that_committed_midway_is_undone_where_its_tables_are_named(governed: Project) -> None:
    before = dump(governed.database, ledger=False)
    governed.write(third_revision(MIDWAY))
    exit_code, problem = migrate(governed, "--allow", "overwrites-rows:users")
    assert exit_code == 5, problem
    assert "revision r3 failed" in problem["what"]
    assert "as before the run, at r2" in problem["state"]
    assert dump(governed.database, ledger=False) == before
    governed.write({"migrations/versions/r3_third.py": None})
    governed.succeed("health")


def test_without_a_backup_there_is_nothing_to_restore(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database)
    options = ("--on-failure", "restore", "--backup", "off")
    assert_told(project, "migrate", *options, exit_code=2, said="there is no backup to restore on failure")
