"""Repairs of rows: planned, applied with copies of what they change, and taken back bit for bit."""

from __future__ import annotations

from tests.acceptance.program import Project, execute
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
