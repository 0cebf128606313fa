"""Repairs of the schema by name: planned on a copy, applied in stages, and taken back with the definitions before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from govern.core.snapshot import Facts, ObjectKey
from govern.database.engines import dialect_of
from govern.database.version_table import VersionTable
from tests.acceptance.program import Done, Project, execute
from tests.fixtures.projects import read_rows

REPAIRS = """
repairs:
  - {name: notes, kind: recreate_missing, table: notes, reason: x, owner: y}
  - {name: index, kind: create_index_concurrently, index: notes_user_id_idx, reason: x, owner: y}
  - {name: columns, kind: create_index_concurrently, table: notes, columns: [user_id], reason: x, owner: y}
  - {name: key, kind: add_foreign_key, of: notes.user_id -> users.id, reason: x, owner: y}
  - {name: indexes, kind: rebuild_invalid_index, reason: x, owner: y}
  - {name: users, kind: convert_type, column: users.id, to: integer, using: "trim(id)", reason: x, owner: y}
"""


def schema_of(project: Project) -> Mapping[ObjectKey, Facts]:
    dialect = dialect_of(project.database)
    with dialect.connect(project.database) as connection:
        return dialect.read_snapshot(connection, VersionTable("alembic_version", None)).objects


def repair(project: Project, *arguments: str) -> Done:
    """Without a backup, which other tests have."""
    done = project.ask("repair", *arguments, "--backup", "off")
    assert done.exit_code in (0, 1, 4), done  # 1: what differs elsewhere is told
    return done


def long_form_alone(request: pytest.FixtureRequest, project: Project, engine: str) -> None:
    if project.database.dialect == engine and not request.config.getoption("--long-faults"):
        pytest.skip(f"--long-faults: {engine}, too")


def test_a_missing_index_and_foreign_key_are_made_and_taken_back(detailed: Project) -> None:
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    drop_foreign_key(detailed)
    execute(detailed.database, "DROP INDEX notes_user_id_idx")
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (71, 98, 'a secret')")
    broken = schema_of(detailed)
    if detailed.database.dialect == "sqlite":
        refused = repair(detailed, "apply", "key", "columns")
        assert "1 row of notes refers to no row of users" in refused.problem["why"]
        assert "delete_orphans" in refused.problem["why"]
        assert schema_of(detailed) == broken
    execute(detailed.database, "DELETE FROM notes")
    done = repair(detailed, "apply", "key", "columns").report
    if detailed.database.dialect == "postgresql":
        (key, index) = [plan["statements"] for plan in done["repairs"]]
        assert [key[0].endswith(" NOT VALID"), " VALIDATE CONSTRAINT " in key[1]] == [True, True]
        assert index == ["CREATE INDEX CONCURRENTLY notes_user_id_idx ON public.notes USING btree (user_id)"]
    assert schema_of(detailed) == declared
    for run in reversed(done["finished_runs"]):
        repair(detailed, "rollback", run["id"])
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


def test_a_missing_table_comes_back_empty_once_that_is_allowed(
    detailed: Project, request: pytest.FixtureRequest
) -> None:
    long_form_alone(request, detailed, "postgresql")
    detailed.write({"schema/governance.yaml": REPAIRS})
    cascade = " CASCADE" if detailed.database.dialect == "postgresql" else ""
    execute(detailed.database, "DROP VIEW note_counts", f"DROP TABLE notes{cascade}")
    broken = schema_of(detailed)
    refused = repair(detailed, "apply", "notes")
    assert "--allow empty:notes" in refused.problem["next"]
    assert "comes back empty; no backup has that table" in str(refused.report["repairs"][0]["notes"])
    repair(detailed, "apply", "notes", "--allow", "empty:notes")
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'written since')")
    lost = repair(detailed, "rollback", "latest")
    assert "--allow drops-table:notes" in lost.problem["next"]
    execute(detailed.database, "DELETE FROM notes")
    repair(detailed, "rollback", "latest")
    assert schema_of(detailed) == broken


def notes(project: Project) -> list[tuple[object, ...]]:
    return read_rows(project.database, "SELECT id, user_id, body FROM notes ORDER BY id")


@pytest.mark.parametrize("detailed", ["postgresql"], indirect=True)
def test_an_invalid_index_is_rebuilt_and_there_is_nothing_to_take_back(detailed: Project) -> None:
    """With the verified backup that every repair takes: pg_dump knows no invalid index."""
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    execute(
        detailed.database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_user_id_idx'::regclass",
        "CREATE INDEX notes_user_id_idx_ccnew ON notes (user_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_user_id_idx_ccnew'::regclass",
    )
    done = detailed.succeed("repair", "apply", "indexes")
    assert done.report["repairs"][0]["statements"] == [
        'DROP INDEX CONCURRENTLY IF EXISTS "public"."notes_user_id_idx_ccnew"',
        'REINDEX INDEX CONCURRENTLY "public"."notes_user_id_idx"',
    ]
    assert schema_of(detailed) == declared
    back = repair(detailed, "rollback", done.report["finished_runs"][0]["id"])
    assert "nothing to take back" in back.entry("rollback")["reason"]


def test_columns_that_hold_the_same_keys_are_converted_together(
    detailed: Project, request: pytest.FixtureRequest
) -> None:
    long_form_alone(request, detailed, "sqlite")
    detailed.write({"schema/governance.yaml": REPAIRS})
    declared = schema_of(detailed)
    keep_keys_as_text(detailed)
    before, broken = (notes(detailed), users(detailed)), schema_of(detailed)
    assert "respells-column:notes.user_id" in repair(detailed, "apply", "users").problem["next"]
    allowed = ("--allow", "respells-column:users.id", "--allow", "respells-column:notes.user_id")
    (plan,) = repair(detailed, "apply", "users", *allowed).report["repairs"]
    assert sorted((table["table"], table["rows"]) for table in plan["tables"]) == [("notes", 1), ("users", 2)]
    assert schema_of(detailed) == declared
    assert (notes(detailed), users(detailed)) == (
        [(71, 7, "a")],
        [(1, "first@example.org"), (7, "g@example.org")],
    )
    execute(detailed.database, "INSERT INTO notes (id, user_id, body) VALUES (80, 1, 'newer')")
    repair(detailed, "rollback", "latest")
    execute(detailed.database, "DELETE FROM notes WHERE user_id = '1'")
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


@pytest.mark.parametrize("detailed", ["postgresql"], indirect=True)
def test_the_repair_of_drift_is_taken_back_unless_something_newer_is_in_the_way(detailed: Project) -> None:
    execute(
        detailed.database,
        "DROP INDEX notes_user_id_idx",
        "CREATE INDEX made_by_hand ON notes (body)",
        "ALTER TABLE users ADD COLUMN nick VARCHAR(20)",
    )
    broken = schema_of(detailed)
    detailed.succeed("repair", "apply", "--allow", "drops-column:users.nick")  # with a backup
    execute(detailed.database, "DROP INDEX notes_user_id_idx", "CREATE INDEX notes_user_id_idx ON notes (id)")
    newer = schema_of(detailed)
    refused = repair(detailed, "rollback", "latest")
    assert "notes_user_id_idx was changed" in refused.problem["why"]
    assert schema_of(detailed) == newer
    execute(
        detailed.database, "DROP INDEX notes_user_id_idx", "CREATE INDEX notes_user_id_idx ON notes (user_id)"
    )
    execute(detailed.database, "CREATE INDEX of_another ON notes (id)")
    repair(detailed, "rollback", "latest", "--allow", "empty:users.nick")
    execute(detailed.database, "DROP INDEX of_another")
    assert schema_of(detailed) == broken
