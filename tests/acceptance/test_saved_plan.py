"""A plan is reviewed, saved, and applied exactly as it is, or not at all."""

from __future__ import annotations

import json

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump, execute
from tests.acceptance.test_rehearsal import migrated, revision
from tests.fixtures.projects import read_version

ADD = 'op.add_column("users", sa.Column("age", sa.Integer))'
FOURTH = 'revision = "r4"\ndown_revision = "r3"\ndef upgrade(): pass\ndef downgrade(): pass\n'


on_postgresql = pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)


def plan(project: Project, body: str = ADD) -> None:
    project.write(revision(body))
    project.succeed("plan", "--out", "plan.json")


def test_a_plan_changes_nothing_and_says_what_each_statement_does(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = migrated(make_project, postgresql_database)
    execute(
        postgresql_database, "INSERT INTO users SELECT n, n::text FROM generate_series(2, 9) n", "ANALYZE"
    )
    project.write(revision(ADD + '\nop.create_index("ix_age", "users", ["age"])'))
    before = dump(postgresql_database)
    plan = project.succeed("plan").report["plan"]
    assert dump(postgresql_database) == before
    (step,) = plan["revisions"]
    assert step["statements"][0] == "ALTER TABLE users ADD COLUMN age INTEGER"
    added, indexed = step["observed"]
    assert {(lock["table"], lock["mode"]) for lock in added["locks"]} == {
        ("public.users", "ACCESS EXCLUSIVE")
    }
    assert indexed["scans"] == ["public.users"]
    (size,) = plan["tables"]
    assert (size["table"], size["rows"]) == ("public.users", 9)
    assert size["bytes"] > 8192

    said = project.govern("plan").out
    assert "ACCESS EXCLUSIVE on public.users (about 9 rows" in said
    assert "nobody reads or writes" in said
    assert "reads every row: public.users" in said


@on_sqlite
def test_a_dry_run_is_the_plan(governed: Project) -> None:
    governed.write(revision(ADD))
    before = dump(governed.database)
    assert governed.succeed("migrate", "--dry-run").report["plan"]["to"] == ["r3"]
    assert dump(governed.database) == before


def test_a_saved_plan_is_applied(governed: Project) -> None:
    plan(governed)
    done = governed.succeed("migrate", "--plan", "plan.json")
    assert done.entry("plan")["reason"] == "plan.json: every statement was the plan's"
    assert read_version(governed.database) == {"r3"}


@on_sqlite
def test_only_what_was_planned_is_run(governed: Project) -> None:
    plan(governed)
    governed.write({"migrations/versions/r4_fourth.py": FOURTH})
    governed.succeed("migrate", "--plan", "plan.json")
    assert read_version(governed.database) == {"r3"}


def test_statements_that_were_not_planned_are_told_afterwards(governed: Project) -> None:
    body = 'for (id,) in op.get_bind().execute(sa.text("SELECT id FROM users")).fetchall():\n'
    body += '    op.execute(f"UPDATE users SET email = email WHERE id = {id}")'
    plan(governed, body)
    done = governed.succeed("migrate", "--plan", "plan.json")
    assert "1 statement not in the plan, the first in r3: UPDATE users" in done.entry("plan")["reason"]


@on_sqlite
@pytest.mark.parametrize("moved", ["schema", "revision", "file", "plan", "new parent"])
def test_a_plan_that_does_not_fit_any_more_is_refused(moved: str, governed: Project) -> None:
    plan(governed)
    match moved:
        case "schema":
            execute(governed.database, "CREATE TABLE stray (id integer)")
            said = "the schema of the database has changed"
        case "revision":
            governed.succeed("migrate", "--rehearse", "off", "--backup", "off")
            said = "begins at r2, the database is at r3"
        case "file":
            governed.edit("migrations/versions/r3_third.py", '"age"', '"size"')
            said = "r3_third.py was edited"
        case "plan":
            governed.edit("plan.json", "ADD COLUMN age", "ADD COLUMN size")
            said = "digest"
        case _:
            governed.edit("migrations/versions/r3_third.py", '"r2"', '"r2b"')
            between = FOURTH.replace('"r4"', '"r2b"').replace('"r3"', '"r2"')
            governed.write({"migrations/versions/r2b_between.py": between})
            said = "pending is r2b, r3"
    before = dump(governed.database)
    refused = governed.ask("migrate", "--plan", "plan.json")
    assert refused.exit_code == 4, refused
    assert said in refused.problem["why"], refused
    assert refused.problem["state"] == "nothing was changed"
    assert dump(governed.database) == before


@on_sqlite
def test_what_is_no_plan_is_a_mistake_of_the_command_line(governed: Project) -> None:
    governed.write({"plan.json": "{}", "other.json": json.dumps([])})
    for file in ("plan.json", "other.json", "none.json"):
        assert governed.ask("migrate", "--plan", file).exit_code == 2


@pytest.mark.parametrize(
    ("body", "hazard"),
    [
        ('op.drop_column("notes", "body")', "drops-column:notes.body"),
        ('op.drop_table("notes")', "drops-table:notes"),
    ],
)
def test_what_loses_data_is_allowed_by_name_or_refused(body: str, hazard: str, governed: Project) -> None:
    governed.write(revision(body))
    assert governed.succeed("plan").report["plan"]["revisions"][0]["hazards"] == [hazard]
    before = dump(governed.database)
    for allowed in ((), ("--allow", "drops-column:notes.user_id")):
        refused = governed.ask("migrate", *allowed)
        assert refused.exit_code == 4, refused
        assert f"--allow {hazard}" in refused.problem["next"]
        assert dump(governed.database) == before
    done = governed.succeed("migrate", "--allow", hazard)
    assert hazard in done.entry("hazards")["reason"]
    assert read_version(governed.database) == {"r3"}


@on_sqlite
def test_what_is_renamed_is_not_lost(governed: Project) -> None:
    governed.write(
        revision('op.rename_table("notes", "remarks")\nop.execute("ALTER TABLE remarks RENAME body TO said")')
    )
    assert governed.succeed("plan").report["plan"]["hazards"] == []
