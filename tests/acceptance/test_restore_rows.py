"""Rows of a backup taken over into a database in use: what is missing comes back, and what came since stays."""

from __future__ import annotations

import pytest

from tests.acceptance.program import Project, assert_told, execute
from tests.acceptance.test_restore import back_up
from tests.fixtures.projects import list_tables, read_rows

on_postgresql = pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)


def test_what_was_wiped_comes_back_beside_what_came_since(governed: Project) -> None:
    execute(
        governed.database,
        "INSERT INTO users (id, email) VALUES (2, 'b@example.org')",
        "INSERT INTO notes (id, user_id, body) VALUES (1, 2, 'one'), (2, 1, 'two')",
    )
    backup = back_up(governed)
    execute(
        governed.database,
        "DELETE FROM notes",
        "DELETE FROM users WHERE id = 2",
        "UPDATE users SET email = 'newer@example.org'",
        "INSERT INTO notes (id, user_id, body) VALUES (3, 1, 'since')",
    )
    planned = governed.succeed("restore", "--merge", "--plan")
    assert planned.entry("rows")["reason"] == (
        "3 rows of 2 tables missing; 1 row with other content, kept as they are"
    )
    assert {row["table"]: row["added"] for row in planned.report["tables"]} == {"users": 1, "notes": 2}
    assert len(read_rows(governed.database, "SELECT * FROM notes")) == 1

    done = governed.succeed("restore", "--merge")
    assert done.entry("restore")["reason"] == "3 rows inserted into 2 tables, in one transaction"
    assert read_rows(governed.database, "SELECT id, email FROM users ORDER BY id") == [
        (1, "newer@example.org"),
        (2, "b@example.org"),
    ]
    assert read_rows(governed.database, "SELECT id FROM notes ORDER BY id") == [(1,), (2,), (3,)]
    newest, *_ = governed.succeed("history").report["runs"]
    assert (newest["command"], newest["result"], newest["restored_from"]) == ("restore", "applied", backup)
    assert newest["backup"] == done.report["safety"]
    again = governed.succeed("restore", backup, "--merge")
    assert again.entry("restore")["reason"] == "nothing is missing: nothing was done"
    governed.succeed("health")


def test_one_table_becomes_what_it_was_if_that_is_allowed_by_name(governed: Project) -> None:
    execute(governed.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'one')")
    back_up(governed)
    execute(
        governed.database,
        "UPDATE notes SET body = 'other'",
        "UPDATE users SET email = 'newer@example.org'",
        "INSERT INTO notes (id, user_id, body) VALUES (2, 1, 'since')",
    )
    assert_told(
        governed, "restore", "--table", "notes", exit_code=4, said="notes has 2 rows that the backup has not"
    )
    governed.succeed("restore", "--table", "notes", "--allow", "overwrites-rows:notes")
    assert read_rows(governed.database, "SELECT id, body FROM notes") == [(1, "one")]
    assert read_rows(governed.database, "SELECT email FROM users") == [("newer@example.org",)]
    assert_told(governed, "restore", "--table", "note", exit_code=2, said="did you mean notes?")
    execute(governed.database, "CREATE TABLE since (id INTEGER PRIMARY KEY)")
    assert_told(governed, "restore", "--table", "since", exit_code=4, said="the backup has no table since")


def test_a_table_that_was_dropped_by_accident_is_made_again_with_all_that_was_on_it(
    governed: Project,
) -> None:
    """A table of another one's foreign key; on PostgreSQL the key goes with it, and comes with it."""
    is_postgresql = governed.database.dialect == "postgresql"
    if is_postgresql:
        execute(governed.database, "COMMENT ON TABLE users IS 'people'", "GRANT SELECT ON users TO PUBLIC",
                "CREATE INDEX by_email ON users (lower(email))")  # fmt: skip
    execute(governed.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'one')")
    before = governed.succeed("snapshot").report["snapshot"]
    backup = back_up(governed)
    execute(governed.database, f"DROP TABLE users{' CASCADE' if is_postgresql else ''}")
    planned = governed.succeed("restore", backup, "--merge", "--plan")
    assert "to be made: users" in planned.entry("rows")["reason"]
    assert "users" not in list_tables(governed.database)
    done = governed.ask("restore", backup, "--table", "users")
    assert done.exit_code == (1 if is_postgresql else 0), done  # comment, grant and index are drift
    assert read_rows(governed.database, "SELECT email FROM users") == [("first@example.org",)]
    assert governed.succeed("snapshot").report["snapshot"] == before
    if is_postgresql:
        execute(governed.database, "INSERT INTO users (email) VALUES ('next')")
