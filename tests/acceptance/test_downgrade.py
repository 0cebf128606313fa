"""The way back is guarded like the way there: what is lost is allowed by name, and where there is none it is said."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.projects import list_tables, read_rows, read_version

START = """
import os
from govern import validate_on_startup
validate_on_startup(os.environ["DATABASE_URL"])
"""
THIRD = "migrations/versions/r3_third.py"
REVISION = """
from alembic import op
revision = "r3"
down_revision = "r2"


def upgrade():
    op.execute("UPDATE users SET email = 'other@example.org'")


def downgrade():
    {downgrade}
"""
MIDWAY = """
from alembic import op
revision = "r3"
down_revision = "r2"


def upgrade():
    op.execute("CREATE TABLE amounts (amount integer)")
    op.execute("INSERT INTO amounts VALUES (700)")
    op.execute("CREATE INDEX ix_body ON notes (body)")


def downgrade():
    op.execute("UPDATE amounts SET amount = amount * 100")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY ix_body")
    {fails}
    op.execute("DROP TABLE amounts")
"""
EMPTY_MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"


def test_a_downgrade_names_what_is_lost_and_leaves_a_database_that_is_behind(governed: Project) -> None:
    before = dump(governed.database)
    refused = governed.ask("downgrade", "-1")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "the downgrade can lose data"
    assert "--allow drops-table:notes" in refused.problem["next"]
    assert dump(governed.database) == before

    done = governed.succeed("downgrade", "-1", "--allow", "drops-table:notes")
    assert read_version(governed.database) == {"r1"}
    assert "notes" not in list_tables(governed.database)
    assert [done.entry(name)["status"] for name in ("verify", "rehearse", "validate")] == ["passed"] * 3
    run = done.report["run"]
    assert (run["command"], run["result"], run["to_revision"]) == ("downgrade", "applied", ["r1"])
    assert [one["revision"] for one in run["revisions"]] == ["r2"]
    governed.succeed("drift")
    assert governed.ask("health").rules == {"startup.behind"}
    lock = (governed.root / "schema/schema.lock").read_text()
    files = {
        path: text.decode() for path, text in governed.read_files().items() if path.startswith("migrations/v")
    }
    governed.write(dict.fromkeys(files))  # an image that ships the lock alone
    assert "is at r1, the application needs r2" in governed.run_python(START).err

    governed.write({**files, "schema/schema.lock": lock})
    governed.succeed("migrate", "--backup", "off")
    assert governed.run_python(START).exit_code == 0


def test_what_has_no_way_back_is_said_before_anything_is_done(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database, {THIRD: REVISION.format(downgrade="pass")})
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    before = dump(sqlite_database)
    refused = project.ask("downgrade", "r2", "--dry-run")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "there is no way back over revision r3"
    assert f"{THIRD}:11: its downgrade() does nothing" in refused.problem["why"]
    assert "restoring a backup" in refused.problem["next"]
    assert [entry["name"] for entry in refused.report["entries"]] == ["chain", "history"]
    assert project.ask("downgrade", "r2").problem == refused.problem
    assert dump(sqlite_database) == before

    project.succeed("downgrade", "r2", "--allow", "keeps-changes:r3", "--backup", "off")
    assert read_version(sqlite_database) == {"r2"}
    assert read_rows(sqlite_database, "SELECT email FROM users") == [("other@example.org",)]


def test_what_differs_from_the_older_revision_afterwards_is_refused_on_the_copy(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    """A downgrade that forgets something would leave a schema that no revision has."""
    project = make_project("plain", sqlite_database)
    project.edit("migrations/versions/r2_notes.py", 'op.drop_table("notes")', "pass")
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    refused = project.ask("downgrade", "r1", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "at r1 the database would not be as declared"
    assert read_version(sqlite_database) == {"r2"}

    failed = project.ask("downgrade", "r1", "--backup", "off", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "taken back, but the database is not as declared" in failed.problem["what"]
    execute(sqlite_database, "DROP TABLE notes")
    project.succeed("downgrade", "r1", "--backup", "off")  # marks it healthy
    assert project.ask("health").rules == {"startup.behind"}


def test_a_downgrade_that_broke_off_midway_goes_on_after_what_it_has_committed(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database, {"app/models.py": EMPTY_MODELS})
    fails = 'op.execute("SELECT 1 / (amount - 70000) FROM amounts")'  # not on a copy without rows
    project.write({THIRD: MIDWAY.format(fails=fails)})
    project.succeed("migrate", "--backup", "off")
    allow = ("--allow", "drops-table:amounts", "--backup", "off")
    failed = project.ask("downgrade", "r2", *allow)
    assert failed.exit_code == 5, failed
    assert failed.problem["what"] == "the downgrade of r3 failed"
    assert "2 statements of the downgrade of r3 are noted" in failed.problem["state"]
    assert failed.problem["next"].endswith("govern downgrade r2")
    assert read_rows(postgresql_database, "SELECT amount FROM amounts") == [(70000,)]

    project.edit(THIRD, fails, "pass")
    project.edit(THIRD, '    pass\n    op.execute("DROP', '    op.execute("DROP')
    project.succeed("lock")
    resumed = project.succeed("downgrade", "-1", *allow)
    assert "the downgrade of r3 goes on after 2 statements" in resumed.entry("resume")["reason"]
    assert read_version(postgresql_database) == {"r2"}
    assert read_rows(postgresql_database, "SELECT count(*) FROM govern.progress") == [(0,)]
    project.succeed("drift")
