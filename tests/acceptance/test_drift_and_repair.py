"""A schema that was changed by hand: found, named, repaired by a proven script, and never at the cost of rows."""

from __future__ import annotations

from pathlib import Path

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.projects import read_rows

HAND_MADE_CHANGES = """
    ALTER TABLE users ALTER COLUMN email DROP NOT NULL, ALTER COLUMN email TYPE text;
    ALTER TABLE notes ALTER COLUMN body TYPE varchar(500);
    ALTER TABLE notes ADD COLUMN scratch text;
    DROP INDEX ix_notes_user;
"""
ROWS = """
    INSERT INTO users (id, email) SELECT n, n || '@example.org' FROM generate_series(2, 50) n;
    INSERT INTO notes (id, user_id, body) SELECT n, n, 'note ' || n FROM generate_series(2, 50) n;
"""
ALL_ROWS = (
    "SELECT u.id, u.email, n.id, n.body FROM users u LEFT JOIN notes n ON n.user_id = u.id ORDER BY u.id"
)
FOUND = {
    ("drift.column-changed", "users.email"),
    ("drift.column-changed", "notes.body"),
    ("drift.column-added", "notes.scratch"),
    ("drift.index-removed", "ix_notes_user"),
}


def drift(project: Project, url: DatabaseUrl) -> list[tuple[object, ...]]:
    """Migrates, fills in rows, and changes the schema by hand; returns the rows."""
    project.succeed("migrate")
    project.succeed("drift")
    execute(url, ROWS)
    rows = read_rows(url, ALL_ROWS)
    execute(url, HAND_MADE_CHANGES)
    return rows


def test_a_proven_script_takes_the_drift_away(
    make_project: MakeProject, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    project = make_project("concurrent_index", postgresql_database)
    rows = drift(project, postgresql_database)
    changed = dump(postgresql_database)

    script = tmp_path / "repair.sql"
    found = project.ask("drift", "--sql", str(script))
    assert found.exit_code == 1, found
    assert {(finding["rule"], _last_name(finding)) for finding in found.findings} == FOUND
    assert all(finding["fix"]["proven"] for finding in found.findings)
    losses = {_last_name(finding) for finding in found.findings if finding["fix"]["loses_data"]}
    assert losses == {"notes.scratch", "users.email"}
    assert dump(postgresql_database) == changed  # looking changes nothing

    told = project.govern("drift")
    assert told.exit_code == 1
    for name in ("users.email", "notes.body", "notes.scratch", "ix_notes_user"):
        assert name in told.out

    assert "drops-column:notes.scratch" in script.read_text()
    execute(postgresql_database, script.read_text())
    assert project.succeed("drift").findings == []
    assert read_rows(postgresql_database, ALL_ROWS) == rows


def _last_name(finding: dict[str, dict[str, str]]) -> str:
    """Of an index, which a snapshot may name with its table, the index's own."""
    subject = finding["subject"]
    return subject["name"].split(".")[-1] if subject["kind"] == "index" else subject["name"]


def test_a_repair_drops_nothing_that_was_not_named(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("concurrent_index", postgresql_database)
    rows = drift(project, postgresql_database)
    execute(postgresql_database, "UPDATE notes SET scratch = 'precious' WHERE id = 7")
    before = dump(postgresql_database)

    planned = project.succeed("repair", "plan").report["repair"]
    assert planned["proven"]
    assert planned["hazards"] == ["drops-column:notes.scratch", "retypes-column:users.email"]

    for allowed in ((), ("--allow", "retypes-column:users.email"), ("--allow", "drops-column:notes.body")):
        refused = project.ask("repair", "apply", *allowed)
        assert refused.exit_code == 4, refused
        assert "--allow drops-column:notes.scratch" in refused.problem["next"]
        assert refused.problem["state"] == "nothing was changed"
    assert dump(postgresql_database) == before

    allow = ("--allow", "drops-column:notes.scratch", "--allow", "retypes-column:users.email")
    applied = project.succeed("repair", "apply", *allow)
    assert project.succeed("drift").findings == []
    assert read_rows(postgresql_database, ALL_ROWS) == rows

    run, migration = project.succeed("history").report["runs"]
    assert (run["command"], run["result"], migration["command"]) == ("repair", "applied", "migrate")
    assert run["statements"] == planned["statements"]
    assert applied.report["run"]["backup"] == run["backup"]
    assert project.succeed("backup", "verify", run["backup"]).findings == []
    project.succeed("health")


def test_nothing_to_repair_is_said_and_nothing_is_done(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate")
    before = dump(any_database)
    assert "nothing to repair" in project.succeed("repair", "apply").entry("repair")["reason"]
    assert dump(any_database) == before


def rows_of(dumped: str) -> list[str]:
    return [
        line
        for line in dumped.splitlines()
        if line.startswith(('INSERT INTO "users"', 'INSERT INTO "notes"'))
    ]


def test_drift_of_a_sqlite_file_is_repaired_by_a_rebuild_that_keeps_the_rows(
    make_project: MakeProject, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    project = make_project("plain", sqlite_database)
    project.succeed("migrate")
    execute(sqlite_database, "INSERT INTO users (id, email) VALUES (7, 'a@example.org')")
    execute(sqlite_database, "INSERT INTO notes (id, user_id, body) VALUES (7, 7, 'kept')")
    before = dump(sqlite_database)
    assert len(rows_of(before)) >= 2
    execute(sqlite_database, "ALTER TABLE notes ADD COLUMN scratch text", "CREATE TABLE stray (id integer)")
    script = tmp_path / "repair.sql"
    found = project.ask("drift", "--sql", str(script))
    assert found.exit_code == 1, found
    assert {(finding["rule"], finding["subject"]["name"]) for finding in found.findings} >= {
        ("drift.column-added", "notes.scratch"),
        ("drift.table-added", "stray"),
    }
    assert "proven" in script.read_text()
    assert project.ask("repair", "apply").exit_code == 4
    assert project.ask("health").exit_code == 1
    allowed = ("--allow", "drops-column:notes.scratch", "--allow", "drops-table:stray")
    project.succeed("repair", "apply", *allowed)
    assert project.ask("drift").exit_code == 0
    assert [line for line in dump(sqlite_database) if "notes" in line] == [
        line for line in before if "notes" in line
    ]
