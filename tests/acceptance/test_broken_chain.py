"""The incident: a revision whose parent is a placeholder, and a chain that nothing can be built from."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import dump
from tests.fixtures.projects import list_tables, read_version

OWN_TABLES = {"ledger", "progress", "runs", "govern_ledger", "govern_runs", "sqlite_sequence"}
THIRD = "migrations/versions/r3_third.py"
PLACEHOLDER = '''"""a third revision"""
from alembic import op
import sqlalchemy as sa

revision = "r3"
down_revision = 'previous_revision_id'


def upgrade():
    op.create_table("third", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("third")
'''
THIRD_MODEL = """

class Third(Base):
    __tablename__ = "third"
    id = Column(Integer, primary_key=True)
"""
ONLY_ALTERS = '''"""a column of a table that nothing creates"""
from alembic import op
import sqlalchemy as sa

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("nick", sa.Text))


def downgrade():
    op.drop_column("users", "nick")
'''


def test_a_placeholder_parent_is_named_before_the_database_is_touched(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, {THIRD: PLACEHOLDER})
    before, files = dump(any_database), project.read_files()

    told = project.govern("migrate")
    assert told.exit_code == 4, told
    assert f"{THIRD}:6" in told.err
    assert "previous_revision_id" in told.err
    assert "state: nothing was changed" in told.err

    answered = project.ask("migrate")
    assert answered.exit_code == 4, answered
    (finding,) = (found for found in answered.findings if found["rule"] == "chain.placeholder-parent")
    assert (finding["subject"]["path"], finding["subject"]["line"]) == (THIRD, 6)
    assert f"{THIRD}:6" in answered.problem["why"]

    assert project.ask("check").exit_code == 1
    assert project.ask("plan").exit_code == 4
    assert dump(any_database) == before  # nor is there a ledger
    assert project.read_files() == files  # nor a backup

    project.edit(THIRD, "previous_revision_id", "r2")
    project.write({"app/models.py": (project.root / "app/models.py").read_text() + THIRD_MODEL})
    project.succeed("migrate")
    assert read_version(any_database) == {"r3"}


def test_a_database_that_is_governed_already_stays_as_it_is(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate")
    project.write({THIRD: PLACEHOLDER})
    before = dump(any_database)
    assert project.ask("migrate").exit_code == 4
    assert dump(any_database) == before
    # what does not need the revisions still works
    for command in ("history", "snapshot", "drift --against models"):
        assert project.ask(*command.split()).exit_code == 0
    for command in ("drift", "repair plan", "repair apply"):
        undecided = project.ask(*command.split())
        assert undecided.exit_code == 3, undecided
        assert f"{THIRD}:6" in undecided.problem["why"]
    assert dump(any_database) == before


def test_a_missing_sqlite_file_is_not_even_created(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    sqlite_database.path.unlink()
    project = make_project("plain", sqlite_database, {THIRD: PLACEHOLDER})
    assert project.ask("migrate").exit_code == 4
    assert not sqlite_database.path.exists()


def test_a_chain_that_only_alters_does_not_replay(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project(
        "plain",
        any_database,
        {"migrations/versions/r1_users.py": ONLY_ALTERS, "migrations/versions/r2_notes.py": None},
    )
    before = dump(any_database)
    checked = project.ask("check")
    assert checked.exit_code == 1, checked
    (finding,) = (found for found in checked.findings if found["rule"] == "chain.does-not-replay")
    assert finding["subject"]["path"] == "migrations/versions/r1_users.py"
    assert finding["subject"]["line"] == 9
    assert "users" in finding["message"]
    assert dump(any_database) == before

    assert project.ask("migrate").exit_code == 4
    assert dump(any_database) == before
    failed = project.ask("migrate", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "users" in failed.problem["why"]
    assert "the database is as it was" in failed.problem["state"]
    assert dump(any_database, ledger=False) == before
    assert not list_tables(any_database) - OWN_TABLES
