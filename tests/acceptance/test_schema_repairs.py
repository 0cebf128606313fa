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
  - {name: indexes, kind: rebuild_invalid_index, reason: x, owner: y}
  - {name: users, kind: convert_type, column: users.id, to: integer, using: "trim(id)", reason: x, owner: y}
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


def test_an_invalid_index_is_rebuilt_and_there_is_nothing_to_take_back(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    assert plan_of(detailed, "indexes")["statements"] == []
    if detailed.database.dialect == "sqlite":
        return
    declared = schema_of(detailed)
    execute(
        detailed.database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_user_id_idx'::regclass",
        "CREATE INDEX notes_user_id_idx_ccnew ON notes (user_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_user_id_idx_ccnew'::regclass",
    )
    assert plan_of(detailed, "indexes")["statements"] == [
        'DROP INDEX CONCURRENTLY IF EXISTS "public"."notes_user_id_idx_ccnew"',
        'REINDEX INDEX CONCURRENTLY "public"."notes_user_id_idx"',
    ]
    detailed.succeed("repair", "apply", "indexes")
    assert schema_of(detailed) == declared
    listed = detailed.succeed("repair", "list")
    assert listed.report["applied"][0]["state"] == "there is nothing to take back"
    back = detailed.succeed("repair", "rollback", listed.report["applied"][0]["run"])
    assert "nothing to take back" in back.entry("rollback")["reason"]


def test_columns_that_hold_the_same_keys_are_converted_together(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    keep_keys_as_text(detailed)
    before, broken = (notes(detailed), users(detailed)), schema_of(detailed)
    plan = plan_of(detailed, "users")
    assert sorted((table["table"], table["rows"]) for table in plan["tables"]) == [("notes", 1), ("users", 2)]
    allowed = ("--allow", "respells-column:users.id", "--allow", "respells-column:notes.user_id")
    detailed.succeed("repair", "apply", "users", *allowed, "--backup", "off")
    assert schema_of(detailed) == declared
    assert (notes(detailed), users(detailed)) == (
        [(71, 7, "a")],
        [(1, "first@example.org"), (7, "g@example.org")],
    )
    detailed.ask("repair", "rollback", "latest", "--backup", "off")
    assert (notes(detailed), users(detailed)) == before
    assert schema_of(detailed) == broken


def keep_keys_as_text(project: Project) -> None:
    """With a foreign key from text to text."""
    rows = (
        "INSERT INTO users (id, email) VALUES (' 7', 'g@example.org')",
        "INSERT INTO notes (id, user_id, body) VALUES (71, ' 7', 'a')",
    )
    if project.database.dialect == "postgresql":
        execute(
            project.database,
            "DROP VIEW note_counts",
            "ALTER TABLE notes DROP CONSTRAINT notes_user_id_fkey",
            "ALTER TABLE notes ALTER COLUMN user_id TYPE text",
            "ALTER TABLE users ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text",
            "ALTER TABLE notes ADD CONSTRAINT notes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)",
            "CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id",
            *rows,
        )
        return
    execute(
        project.database,
        "DROP VIEW note_counts",
        "DROP TABLE notes",
        "CREATE TABLE people (id TEXT NOT NULL, email VARCHAR(200) NOT NULL, PRIMARY KEY (id), UNIQUE (email))",
        "INSERT INTO people SELECT * FROM users",
        "DROP TABLE users",
        "ALTER TABLE people RENAME TO users",
        "CREATE TABLE notes (id INTEGER NOT NULL, user_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id), "
        "FOREIGN KEY(user_id) REFERENCES users (id))",
        "CREATE INDEX notes_user_id_idx ON notes (user_id)",
        "CREATE VIEW note_counts AS SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id",
        *rows,
    )


def users(project: Project) -> list[tuple[object, ...]]:
    return read_rows(project.database, "SELECT id, email FROM users ORDER BY email")


def test_the_repair_of_drift_is_taken_back_unless_something_newer_is_in_the_way(detailed: Project) -> None:
    execute(
        detailed.database,
        "DROP INDEX notes_user_id_idx",
        "CREATE INDEX made_by_hand ON notes (body)",
        "ALTER TABLE users ADD COLUMN nick VARCHAR(20)",
    )
    broken = schema_of(detailed)
    detailed.succeed("repair", "apply", "--allow", "drops-column:users.nick")
    detailed.succeed("drift")
    refused = detailed.ask("repair", "rollback", "latest")
    assert "--allow empty:users.nick" in refused.problem["next"], refused
    execute(detailed.database, "DROP INDEX notes_user_id_idx", "CREATE INDEX notes_user_id_idx ON notes (id)")
    newer = schema_of(detailed)
    refused = detailed.ask("repair", "rollback", "latest", "--allow", "empty:users.nick")
    assert refused.exit_code == 4, refused
    assert "notes_user_id_idx was changed" in refused.problem["why"]
    assert schema_of(detailed) == newer
    execute(
        detailed.database, "DROP INDEX notes_user_id_idx", "CREATE INDEX notes_user_id_idx ON notes (user_id)"
    )
    execute(detailed.database, "CREATE INDEX of_another ON notes (id)")
    detailed.ask("repair", "rollback", "latest", "--allow", "empty:users.nick")
    execute(detailed.database, "DROP INDEX of_another")
    assert schema_of(detailed) == broken
