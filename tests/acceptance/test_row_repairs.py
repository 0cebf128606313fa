"""Repairs of rows: planned, applied with copies of what they change, and taken back bit for bit."""

from __future__ import annotations

from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.projects import read_rows

ORPHANS = """
repairs:
  - name: orphaned-notes
    kind: delete_orphans
    of: notes.user_id -> users.id
    reason: left by a crash
    owner: platform
"""


def leave_orphans(project: Project) -> None:
    """Three notes, two of them of users that are not there."""
    is_sqlite = project.database.dialect == "sqlite"
    execute(
        project.database,
        "PRAGMA foreign_keys = off" if is_sqlite else "SET session_replication_role = replica",
        "INSERT INTO users (id, email) VALUES (71, 'a@example.org')",
        "INSERT INTO notes (id, user_id, body) VALUES (71, 71, 'kept')",
        "INSERT INTO notes (id, user_id, body) VALUES (72, 98, 'a secret'), (73, 99, 'ünlike ''any'' %s \\ other')",
    )


def notes(project: Project) -> list[tuple[object, ...]]:
    return read_rows(project.database, "SELECT id, user_id, body FROM notes ORDER BY id")


def test_orphans_are_deleted_and_come_back(governed: Project) -> None:
    governed.write({"schema/governance.yaml": ORPHANS})
    leave_orphans(governed)
    before = notes(governed)
    planned = governed.succeed("repair", "plan", "orphaned-notes")
    (plan,) = planned.report["repairs"]
    assert plan["rows"] == 2
    assert plan["tables"][0]["keys"] == ["72", "73"]
    assert "a secret" not in planned.out
    assert notes(governed) == before
    governed.succeed("repair", "apply", "orphaned-notes", "--backup", "off")
    assert [row[0] for row in notes(governed)] == [71]
    listed = governed.succeed("repair", "list").report
    (run,) = listed["applied"]
    governed.succeed("drift")
    governed.succeed("repair", "rollback", run["run"])
    assert notes(governed) == before
    again = governed.ask("repair", "rollback", run["run"])
    assert again.exit_code == 4, again
    assert "already" in again.problem["what"]


MORE = (
    ORPHANS
    + """
  - name: no-users
    kind: delete_where
    table: users
    where: email like '%@%'
    reason: none
    owner: nobody
  - {name: typo, kind: delete_where, table: notes, where: no_such = 1, reason: none, owner: nobody}
"""
)


def test_the_list_says_what_each_would_touch_and_what_cannot_be_said(governed: Project) -> None:
    governed.write({"schema/governance.yaml": MORE})
    leave_orphans(governed)
    before = dump(governed.database)
    listed = governed.succeed("repair", "list").report
    now = {one["repair"]: one["now"] for one in listed["declared"]}
    assert now["orphaned-notes"] == "2 rows of notes are deleted"
    assert "1 row of notes would lose what they refer to" in now["no-users"]
    assert "no_such" in now["typo"]
    text = governed.govern("repair", "plan", "orphaned-notes")
    assert "-- delete 2 rows of notes: 72; 73" in text.out
    assert dump(governed.database) == before


def test_what_is_refused_is_refused_before_anything_is_changed(governed: Project) -> None:
    governed.write({"schema/governance.yaml": MORE})
    leave_orphans(governed)
    before = dump(governed.database)
    for arguments, exit_code, said in (
        (("apply", "no-users"), 4, "the repair no-users cannot be applied"),
        (("apply", "typo"), 4, "the database says no to the repair"),
        (("apply", "unknown"), 2, "there is no repair 'unknown'"),
        (("apply", "schema", "typo"), 2, "the repair of the schema is applied by itself"),
        (("apply", "--batch", "5"), 2, "the repair of the schema is one transaction, after a backup"),
        (("rollback", "latest"), 2, "there is no run latest that could be rolled back"),
    ):
        done = governed.ask("repair", *arguments)
        assert (done.exit_code, done.problem["what"]) == (exit_code, said), done
    assert dump(governed.database) == before


def test_orphans_are_in_the_backup_that_is_taken_before_their_repair(copy_prepared: CopyPrepared) -> None:
    """No restore can make the foreign key valid again: it comes back NOT VALID, and that is told."""
    project = copy_prepared("row_repairs", lambda original: govern_first(original))
    project.write({"schema/governance.yaml": ORPHANS})
    leave_orphans(project)
    done = project.ask("repair", "apply", "orphaned-notes")
    assert done.exit_code == 0, done
    assert "backup.broken-reference" in done.rules
    assert len(notes(project)) == 1


def govern_first(project: Project) -> None:
    project.succeed("lock")
    project.succeed("migrate")


def test_a_repair_is_a_run_with_its_backup_and_a_restore_brings_the_way_back(governed: Project) -> None:
    of, where = "of: notes.user_id -> users.id", "table: notes\n    where: id > 70"
    clean = ORPHANS.replace("delete_orphans", "delete_where").replace(of, where)
    governed.write({"schema/governance.yaml": clean})
    execute(
        governed.database,
        "INSERT INTO users (id, email) VALUES (71, 'a@example.org')",
        "INSERT INTO notes (id, user_id, body) VALUES (71, 71, 'one'), (72, 71, 'two')",
    )
    before = notes(governed)
    done = governed.succeed("repair", "apply", "--all")
    (run,) = done.report["finished_runs"]
    assert (run["result"], run["repairs"], run["rows"]) == (
        "applied",
        ["orphaned-notes"],
        {"delete notes": 2},
    )
    assert run["backup"] == done.report["backup"]
    assert governed.succeed("history", "--limit", "1").report["runs"][0]["repairs"] == ["orphaned-notes"]
    governed.succeed("health")
    later = governed.succeed("backup", "create").report["backup"]
    execute(governed.database, "INSERT INTO users (id, email) VALUES (72, 'b@example.org')")
    governed.succeed("restore", later, "--allow", "overwrites-rows:users")
    assert notes(governed) == []
    back = governed.succeed("repair", "rollback", "latest")
    assert back.report["finished_runs"][0]["undoes"] == run["id"]
    assert notes(governed) == before
    governed.succeed("drift")


def test_copies_are_listed_with_their_size_and_age_and_go_when_they_are_old_enough(governed: Project) -> None:
    governed.write({"schema/governance.yaml": ORPHANS})
    leave_orphans(governed)
    governed.succeed("repair", "apply", "orphaned-notes", "--backup", "off")
    before = dump(governed.database)
    (listed,) = governed.succeed("repair", "list").report["applied"]
    assert (listed["copied_rows"], listed["state"]) == (2, "can be rolled back")
    assert listed["bytes"] > 0
    assert 0 <= listed["age_seconds"] < 600
    kept = governed.succeed("repair", "prune", "--older-than", "90d").report["prune"]
    assert [(one["fate"], one["why"]) for one in kept] == [("stays", "younger than 90 days")]
    planned = governed.succeed("repair", "prune", listed["run"], "--plan").report["prune"]
    assert [(one["fate"], one["rows"]) for one in planned] == [("goes", 2)]
    assert dump(governed.database) == before
    assert "a secret" in before
    done = governed.succeed("repair", "prune", listed["run"])
    (run,) = done.report["finished_runs"]
    assert (run["command"], run["repairs"]) == ("repair prune", ["orphaned-notes"])
    assert run["rows"] == {f"remove copies of {listed['run']}": 2}
    assert "a secret" not in dump(governed.database)
    (left,) = governed.succeed("repair", "list").report["applied"]
    assert (left["bytes"], left["state"]) == (0, f"what it kept was removed by {run['id']}")
    refused = governed.ask("repair", "rollback", listed["run"])
    assert (refused.exit_code, run["id"] in refused.problem["why"]) == (4, True)
    governed.succeed("drift")
    governed.succeed("health")


def test_what_broke_off_keeps_its_copies_until_it_is_named(governed: Project) -> None:
    governed.write({"schema/governance.yaml": ORPHANS})
    leave_orphans(governed)
    governed.succeed("repair", "apply", "orphaned-notes", "--backup", "off")
    backup = "govern_backup.runs" if governed.database.dialect == "postgresql" else "govern_backup_runs"
    finished, broken_off = '"is_finished": true', '"is_finished": false'
    execute(
        governed.database,
        f"UPDATE {backup} SET record = replace(record, '{finished}', '{broken_off}')",
        f'UPDATE {backup} SET record = replace(record, \'"made_at": "20\', \'"made_at": "19\')',
    )
    (kept,) = governed.succeed("repair", "prune", "--older-than", "90 d").report["prune"]
    assert kept["fate"] == "stays"
    assert kept["why"].startswith("it broke off after 1 batch")
    (kept,) = governed.succeed("repair", "prune", kept["run"]).report["prune"]
    assert kept["fate"] == "removed"


def test_what_is_to_go_has_to_be_said(governed: Project) -> None:
    for arguments, said in (
        ((), "there is nothing said about what is to go"),
        (("20261121T175911Z-3fa2c1",), "the run 20261121T175911Z-3fa2c1 keeps nothing"),
        (("--older-than", "soon"), "must be a span of time"),
    ):
        done = governed.ask("repair", "prune", *arguments)
        assert done.exit_code == 2, done
        assert said in str(done.problem)
