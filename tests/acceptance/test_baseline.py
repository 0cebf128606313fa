"""A database with a schema and no revision, or a wrong one, is given the one whose schema it has, and no other."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.projects import read_version

START = "import os\nfrom govern import validate_on_startup\nvalidate_on_startup(os.environ['DATABASE_URL'])\n"
DATA = """
from alembic import op
revision, down_revision = {id!r}, {down!r}


def upgrade():
    op.execute("UPDATE users SET email = lower(email)")


def downgrade():
    pass
"""
MANIFEST = "critical_tables:\n  - name: users\n    min_rows: 2\n"


def forget_history(url: DatabaseUrl) -> None:
    """As if it had been made by hand: no version table, no ledger."""
    if url.dialect == "postgresql":
        execute(url, "DROP TABLE alembic_version", "DROP SCHEMA govern CASCADE")
    else:
        execute(
            url, *(f"DROP TABLE {table}" for table in ("alembic_version", "govern_runs", "govern_ledger"))
        )


def data_revisions(*ids: str) -> dict[str, str | None]:
    down = ("r2", *ids)
    return {f"migrations/versions/{id_}.py": DATA.format(id=id_, down=down[i]) for i, id_ in enumerate(ids)}


def test_it_is_given_the_revision_whose_schema_it_has_and_applications_start(governed: Project) -> None:
    url = governed.database
    forget_history(url)
    assert "govern baseline" in governed.run_python(START).err
    again = governed.ask("migrate")  # as somebody does who does not know better
    assert again.exit_code == 4, again
    assert "no version row; if they are the revisions' work: govern baseline" in again.problem["next"]
    tried = governed.succeed("baseline", "--dry-run")
    assert tried.entry("baseline")["reason"] == "the schema is that of r2, out of 2 revisions"
    assert read_version(url) == set()
    done = governed.succeed("baseline")
    assert read_version(url) == {"r2"}
    run = done.report["run"]
    assert (run["command"], run["result"], run["from_revision"]) == ("baseline", "applied", [])
    assert run["fingerprint"]
    assert run["lock_digest"]
    assert governed.run_python(START).exit_code == 0

    execute(url, "UPDATE alembic_version SET version_num = 'ffff'")  # another project's
    governed.succeed("baseline")
    assert read_version(url) == {"r2"}


def test_one_that_is_behind_is_behind_and_one_that_nothing_fits_is_told_what_differs(
    governed: Project,
) -> None:
    url = governed.database
    forget_history(url)
    execute(url, "ALTER TABLE notes ADD COLUMN stray integer")
    before = dump(url)
    refused = governed.ask("baseline")
    assert refused.exit_code == 4, refused
    assert "the nearest is r2, with 1 difference" in refused.problem["why"]
    assert refused.rules == {"drift.column-added"}
    assert dump(url) == before
    execute(url, "DROP TABLE notes")
    governed.succeed("baseline")
    assert read_version(url) == {"r1"}
    assert governed.ask("health").rules == {"startup.behind"}


def test_revisions_with_one_schema_are_named_and_the_manifest_has_to_hold(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, data_revisions("r3", "r4"))
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    forget_history(sqlite_database)
    project.write({"schema/governance.yaml": MANIFEST})
    refused = project.ask("baseline")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "3 revisions have the schema of this database: r2; r3; r4"
    assert refused.problem["next"].endswith("govern baseline --at r4")
    assert "does not have the schema of r1" in project.ask("baseline", "--at", "r1").problem["what"]
    project.succeed("baseline", "--at", "r3")
    assert read_version(sqlite_database) == {"r3"}
    project.succeed("baseline")  # the version table has decided by now

    few = project.ask("stamp", "r4")  # which applications start on
    assert few.exit_code == 4, few
    assert "integrity.min-rows" in few.rules
    assert read_version(sqlite_database) == {"r3"}
    execute(sqlite_database, "INSERT INTO users (id, email) VALUES (2, 'second@example.org')")
    project.succeed("stamp", "r4")


def test_a_mark_of_ill_health_is_not_taken_off_by_the_schema_alone(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, {"schema/governance.yaml": MANIFEST})
    assert project.ask("migrate", "--backup", "off", "--rehearse", "off").exit_code == 5
    assert project.ask("stamp", "r2").rules == {"integrity.min-rows"}
    assert project.ask("health").rules == {"startup.unhealthy-run"}
    execute(sqlite_database, "INSERT INTO users (id, email) VALUES (2, 'second@example.org')")
    project.succeed("stamp", "r2")
    assert "startup.unhealthy-run" not in project.ask("health").rules


def test_an_empty_database_is_not_adopted(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    refused = make_project("plain", any_database).ask("baseline")
    assert refused.exit_code == 4, refused
    assert "the database is empty" in refused.problem["what"]
