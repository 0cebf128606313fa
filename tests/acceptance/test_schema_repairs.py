"""Repairs of the schema by name: planned on a copy, applied in stages, and taken back with the definitions before."""

from __future__ import annotations

from typing import Any

from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows

REPAIRS = """
repairs:
  - {name: notes, kind: recreate_missing, table: notes, reason: x, owner: y}
  - {name: index, kind: create_index_concurrently, index: notes_user_id_idx, reason: x, owner: y}
  - {name: columns, kind: create_index_concurrently, table: notes, columns: [user_id], reason: x, owner: y}
  - {name: key, kind: add_foreign_key, of: notes.user_id -> users.id, reason: x, owner: y}
  - {name: numbers, kind: convert_type, column: notes.user_id, to: integer, reason: x, owner: y}
  - {name: view, kind: recreate_missing, object: view note_counts, reason: x, owner: y}
"""


def plan_of(project: Project, name: str) -> dict[str, Any]:
    plan: dict[str, Any]
    (plan,) = project.succeed("repair", "plan", name).report["repairs"]
    return plan


def newest_run(project: Project) -> str:
    return str(project.succeed("repair", "list").report["applied"][0]["run"])


def schema_of(project: Project) -> str:
    return str(project.succeed("snapshot").report["snapshot"])


def test_a_missing_index_is_built_and_taken_back(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    execute(detailed.database, "DROP INDEX notes_user_id_idx")
    broken = schema_of(detailed)
    plan = plan_of(detailed, "columns")
    assert "notes_user_id_idx" in str(plan["statements"])
    assert schema_of(detailed) == broken
    detailed.succeed("repair", "apply", "index")
    assert schema_of(detailed) == declared
    detailed.succeed("drift")
    detailed.ask("repair", "rollback", "latest")
    assert schema_of(detailed) == broken
    assert plan_of(detailed, "index")["statements"]


def test_a_missing_foreign_key_is_added_once_no_orphan_is_in_its_way(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    drop_foreign_key(detailed)
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (71, 98, 'a secret')")
    (obstacle,) = plan_of(detailed, "key")["obstacles"]
    assert "1 row of notes refers to no row of users" in obstacle
    assert "delete_orphans" in obstacle
    refused = detailed.ask("repair", "apply", "key")
    assert refused.exit_code == 4, refused
    execute(detailed.database, "DELETE FROM notes")
    broken = schema_of(detailed)
    detailed.succeed("repair", "apply", "key")
    assert schema_of(detailed) == declared
    detailed.ask("repair", "rollback", newest_run(detailed))
    assert schema_of(detailed) == broken


def drop_foreign_key(project: Project) -> None:
    if project.database.dialect == "postgresql":
        execute(project.database, "ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey")
        return
    execute(
        project.database,
        "DROP VIEW note_counts",
        "DROP TABLE notes",
        "CREATE TABLE notes (id INTEGER NOT NULL, user_id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id))",
        "CREATE INDEX notes_user_id_idx ON notes (user_id)",
        "CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id",
    )


def test_a_missing_table_comes_back_empty_once_that_is_allowed(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    detailed.succeed("backup", "create")
    cascade = " CASCADE" if detailed.database.dialect == "postgresql" else ""
    execute(detailed.database, "DROP VIEW note_counts", f"DROP TABLE notes{cascade}")
    broken = schema_of(detailed)
    plan = plan_of(detailed, "notes")
    assert plan["hazards"] == ["empty:notes"]
    assert any("govern restore" in note for note in plan["notes"])
    refused = detailed.ask("repair", "apply", "notes")
    assert refused.exit_code == 4, refused
    assert "--allow empty:notes" in refused.problem["next"]
    detailed.ask("repair", "apply", "notes", "--allow", "empty:notes")
    detailed.succeed("repair", "apply", "view")
    assert schema_of(detailed) == declared
    detailed.ask("repair", "rollback", "latest")
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'written since')")
    lost = detailed.ask("repair", "rollback", "latest")
    assert lost.exit_code == 4, lost
    assert "--allow drops-table:notes" in lost.problem["next"]
    execute(detailed.database, "DELETE FROM notes")
    detailed.ask("repair", "rollback", "latest")
    assert schema_of(detailed) == broken


def test_numbers_kept_as_text_become_numbers_and_come_back_as_they_were(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    make_text(detailed)
    execute(
        detailed.database, "INSERT INTO users (id, email) VALUES (7, 'g@example.org'), (8, 'h@example.org')"
    )
    rows = (
        "(71, '1', 'a'), (72, '007', 'b'), (73, 'abc', 'c'), (74, '', 'd'), (75, '99999999999999999999', 'e')"
    )
    execute(detailed.database, f"INSERT INTO notes (id, user_id, body) VALUES {rows}")
    plan = plan_of(detailed, "numbers")
    assert "73" in str(plan["obstacles"])
    assert "a secret" not in str(plan)
    execute(detailed.database, "DELETE FROM notes WHERE id > 72")
    before, broken = notes(detailed), schema_of(detailed)
    refused = detailed.ask("repair", "apply", "numbers")
    assert refused.exit_code == 4, refused
    assert "respells-column:notes.user_id" in refused.problem["next"]
    detailed.ask("repair", "apply", "numbers", "--allow", "respells-column:notes.user_id")
    assert notes(detailed) == [(71, 1, "a"), (72, 7, "b")]
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (80, 8, 'newer')")
    detailed.ask("repair", "rollback", newest_run(detailed))
    assert notes(detailed) == [*before, (80, "8", "newer")]
    assert schema_of(detailed) == broken


def make_text(project: Project) -> None:
    drop_foreign_key(project)
    if project.database.dialect == "postgresql":
        execute(
            project.database,
            "DROP VIEW note_counts",
            "ALTER TABLE notes ALTER COLUMN user_id TYPE text",
            "CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id",
        )
        return
    execute(
        project.database,
        "DROP VIEW note_counts",
        "DROP TABLE notes",
        "CREATE TABLE notes (id INTEGER NOT NULL, user_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id))",
        "CREATE INDEX notes_user_id_idx ON notes (user_id)",
        "CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id",
    )


def notes(project: Project) -> list[tuple[object, ...]]:
    return read_rows(project.database, "SELECT id, user_id, body FROM notes ORDER BY id")
