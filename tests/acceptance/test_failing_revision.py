"""A revision that breaks in its second statement leaves nothing of its first, and the next try succeeds.

A rehearsal would have refused each of them before: see test_rehearsal.py.
"""

from __future__ import annotations

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import dump
from tests.fixtures.projects import read_version, third_revision

THIRD = "migrations/versions/r3_third.py"
THIRD_MODEL = """

class Third(Base):
    __tablename__ = "third"
    id = Column(Integer, primary_key=True)
"""


@pytest.mark.parametrize(
    ("any_database", "second", "corrected", "said"),
    [
        (
            "postgresql",
            'op.execute("INSERT INTO nowhere VALUES (1)")',
            'op.execute("INSERT INTO third VALUES (1)")',
            "nowhere",
        ),
        ("sqlite", 'raise RuntimeError("not today")', "pass", "not today"),
    ],
    indirect=["any_database"],
)
def test_the_database_is_as_it_was_and_the_next_try_succeeds(
    second: str, corrected: str, said: str, make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate")
    before = dump(any_database, ledger=False)
    project.write(third_revision(second))
    project.write({"app/models.py": (project.root / "app/models.py").read_text() + THIRD_MODEL})

    failed = project.ask("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert dump(any_database, ledger=False) == before
    assert read_version(any_database) == {"r2"}
    problem = failed.problem
    assert "r3" in problem["what"]
    assert said in problem["why"]
    assert "govern migrate" in problem["next"]
    assert "the database is as it was, at r2" in problem["state"]

    failed_run, first_run = project.succeed("history").report["runs"]
    assert (failed_run["result"], first_run["result"]) == ("failed", "applied")
    assert said in failed_run["error"]
    assert failed_run["backup"] in problem["state"]
    newest, _ = project.succeed("backup", "list").report["backups"]
    assert newest["id"] == failed_run["backup"]
    assert newest["verified"]

    project.edit(THIRD, second, corrected)
    project.succeed("migrate")
    assert read_version(any_database) == {"r3"}


def test_the_one_on_call_reads_what_to_do_next(make_project: MakeProject, any_database: DatabaseUrl) -> None:
    project = make_project(
        "plain", any_database, third_revision('op.execute("INSERT INTO nowhere VALUES (1)")')
    )
    failed = project.govern("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    error = failed.err[failed.err.index("error: ") :]
    assert "revision r3 failed" in error
    assert "next:  correct the revision, then run again: govern migrate" in error
    assert "state: the database is as it was, at base; backup " in error
    assert "is verified" in error


HALF_COMMITTED = """
from alembic import op
import sqlalchemy as sa
revision = "r4"
down_revision = "r3"


def upgrade():
    op.add_column("notes", sa.Column("extra", sa.Text))
    with op.get_context().autocommit_block():
        op.create_index("ix_extra", "notes", ["extra"], postgresql_concurrently=True)
        op.execute("SELECT 1 / 0")


def downgrade():
    op.drop_column("notes", "extra")
"""


def test_what_a_revision_committed_before_it_failed_is_named(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("concurrent_index", postgresql_database)
    project.succeed("migrate")
    project.write({"migrations/versions/r4_half.py": HALF_COMMITTED})
    failed = project.ask("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "the failed one left a part of its work: column public.notes.extra" in failed.problem["state"]
    assert read_version(postgresql_database) == {"r3"}
    [behind] = project.ask("health").findings
    assert behind["why"].startswith("the last migration failed: migrations/versions/r4_half.py, line 12: ")
    assert "govern report migration" in behind["remedy"], "another govern migrate would fail as this one did"
    found = project.ask("drift")
    assert found.rules == {"drift.column-added", "drift.index-added"}
    project.succeed("repair", "apply", "--allow", "drops-column:notes.extra")
    project.edit("migrations/versions/r4_half.py", '        op.execute("SELECT 1 / 0")\n', "")
    project.succeed("migrate")


def test_a_migration_that_persists_nothing_is_no_success(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    """Alembic ends with 0 then, and says that it ran every revision."""
    project = make_project("plain", any_database)
    configure = "        context.configure(connection=connection,"
    executed = '        connection.exec_driver_sql("SELECT 1")\n'
    project.edit("migrations/env.py", configure, executed + configure)
    failed = project.ask("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "nothing was persisted" in failed.problem["why"]
    assert "let migrations/env.py commit" in failed.problem["next"]
    assert read_version(any_database) == set()

    project.edit("migrations/env.py", executed, executed + "        connection.commit()\n")
    project.succeed("migrate")
    assert read_version(any_database) == {"r2"}
