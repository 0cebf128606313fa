"""``govern lint`` as it is used: before a deployment, in a pull request, and with what is meant allowed."""

from __future__ import annotations

import pytest

from tests.acceptance.program import Project

NEW = "migrations/versions/r3_body.py"
AGAINST_MAIN = ("--against-ref", "main")
DROPS = '''"""nobody reads it"""
from alembic import op
import sqlalchemy as sa

revision = "r3"
down_revision = "r2"


def upgrade():
    op.drop_column("notes", "body")


def downgrade():
    op.add_column("notes", sa.Column("body", sa.Text))
'''
HARMLESS = DROPS.replace(
    'op.drop_column("notes", "body")', 'op.add_column("notes", sa.Column("title", sa.Text))'
)
MANIFEST = """\
allow:
  - {hazard: drops-column, subject: notes.body, reason: moved to files, owner: notes, expires: %s}
"""


def commit(project: Project) -> None:
    """Everything, on branch main of a new repository."""
    project.write({".gitignore": ".govern\n*.sqlite\n"})
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--message=x"),
    ):
        assert project.run("git", *arguments).exit_code == 0


def test_pending_revisions_are_linted_and_applied_ones_are_not(governed: Project) -> None:
    nothing = governed.succeed("lint")
    assert nothing.entry("lint")["reason"] == "no revision to look at: none is pending after r2"
    governed.write({NEW: DROPS})
    done = governed.ask("lint")
    assert done.exit_code == 1, done
    (found,) = done.findings
    assert (found["rule"], found["subject"]["name"]) == ("lint.drops-column", "notes.body")
    assert (found["subject"]["path"], found["subject"]["line"]) == (NEW, 10)
    assert "{hazard: drops-column, subject: notes.body, " in found["remedy"]
    governed.write({NEW: HARMLESS})
    governed.succeed("lint")


def test_what_is_meant_is_allowed_by_name_until_its_last_day(governed: Project) -> None:
    governed.write({NEW: DROPS, "schema/governance.yaml": MANIFEST % "2999-12-31"})
    assert governed.succeed("lint").findings == []
    governed.write({"schema/governance.yaml": MANIFEST % "2020-12-31"})
    done = governed.ask("lint")
    assert done.exit_code == 1, done
    assert done.rules == {"lint.drops-column", "lint.allowance-expired"}
    governed.write({NEW: HARMLESS, "schema/governance.yaml": MANIFEST % "2999-12-31"})
    unused = governed.succeed("lint")
    assert unused.rules == {"lint.allowance-unused"}


def test_a_pull_request_is_held_against_its_base(governed: Project) -> None:
    commit(governed)
    governed.succeed("lint", "--against-ref", "main")
    governed.write({NEW: DROPS})
    governed.edit("migrations/versions/r2_notes.py", "first@example.org", "second@example.org")
    done = governed.ask("lint", "--against-ref", "main")
    assert done.exit_code == 1, done
    assert done.rules == {"chain.edited-revision", "lint.drops-column"}
    assert done.entry("lint")["reason"] == "1 revision, newer than main"
    governed.edit("migrations/versions/r2_notes.py", 'down_revision = "r1"', 'down_revision = "r0"')
    assert "chain.repointed-revision" in governed.ask("lint", "--against-ref", "main").rules


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_check_lints_what_was_not_recorded_or_merged(governed: Project) -> None:
    commit(governed)
    ways_back = [
        governed.succeed("check", *only).entry("round trip")["reason"] for only in ((), AGAINST_MAIN)
    ]
    assert ways_back == ["2 revisions up, down and up again", "no revision to take back and apply again"]
    governed.write({NEW: DROPS})
    assert "lint.drops-column" in governed.ask("check").rules
    governed.ask("lock")
    assert "lint.drops-column" in governed.ask("check").rules  # nobody has reviewed it by that alone
    commit(governed)
    assert "lint.drops-column" not in governed.ask("check").rules
    assert "lint.drops-column" in governed.ask("check", "--against-ref", "main~1").rules


@pytest.mark.parametrize("command", ["lint", "check"])
def test_a_reference_that_cannot_be_read_is_a_wrong_use(governed: Project, command: str) -> None:
    alone = governed.with_environment(GIT_CEILING_DIRECTORIES=str(governed.root.parent))
    outside = alone.ask(command, "--against-ref", "main")
    assert outside.exit_code == 2, outside
    assert outside.problem["what"] == "the project is in no git repository"
    commit(governed)
    unknown = governed.ask(command, "--against-ref", "origin/main")
    assert unknown.exit_code == 2, unknown
    assert unknown.problem["what"] == "there is no git reference 'origin/main'"


def test_all_revisions_are_linted_where_the_database_does_not_answer(governed: Project) -> None:
    governed.write({NEW: DROPS})
    away = governed.with_url("sqlite:///missing.db")
    done = away.ask("lint")
    assert done.entry("lint")["reason"].startswith(
        "3 revisions, all there are, for there is no SQLite database"
    )
    assert not (governed.root / "missing.db").exists()
    # the table is created by the same run, and nobody uses it yet
    assert done.findings == []
    assert governed.succeed("lint", "--all").findings == []


def test_what_could_not_be_run_is_not_taken_for_fine(governed: Project) -> None:
    governed.write({NEW: HARMLESS.replace('"title"', '"body"')})
    done = governed.ask("lint")
    if governed.database.dialect == "sqlite":
        assert done.exit_code == 0, done  # nothing is run there: no table is locked on its own
        return
    assert done.exit_code == 3, done
    assert done.entry("lint run")["reason"].startswith("revision r3 fails on a scratch database: ")


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_history_is_neither_linted_nor_taken_back_and_what_comes_after_it_is(governed: Project) -> None:
    governed.write({NEW: DROPS})
    assert governed.succeed("lint", "--since", "r3").entry("lint")["reason"].endswith("after r3")
    assert governed.ask("lint", "--since", "r2").rules == {"lint.drops-column"}
    unknown = governed.ask("check", "--since", "nobodys")
    assert unknown.exit_code == 2, unknown
    assert "nobodys" in unknown.problem["what"]

    governed.write({"govern.toml": 'since = ["r3"]\n'})
    checked = governed.ask("check")
    assert "lint.drops-column" not in checked.rules
    assert checked.entry("round trip")["reason"] == "no revision to take back and apply again"
    governed.edit("govern.toml", '"r3"', '"r2"')
    checked = governed.ask("check")
    assert "lint.drops-column" in checked.rules
    assert checked.entry("round trip")["reason"].startswith("1 revision up, down")
