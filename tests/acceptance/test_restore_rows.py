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
    planned = governed.succeed("restore", "--table", "notes", "--plan")
    assert "notes has 2 rows that the backup has not" in planned.report["refusal"]
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


_HEAD = '''"""{doc}"""
import sqlalchemy as sa
from alembic import op
revision = "{id}"
down_revision = "{down}"

def upgrade():
    {upgrade}
'''
LATER = {
    "r3": ("notes get a title", """op.add_column("notes", sa.Column("title", sa.Text))"""),
    "r4": (
        "email becomes address",
        """with op.batch_alter_table("users") as users:
        users.alter_column("email", new_column_name="address", existing_type=sa.String(200))""",
    ),
    "r5": (
        "bodies get a table of their own",
        """op.create_table("bodies", sa.Column("note_id", sa.Integer, sa.ForeignKey("notes.id"), primary_key=True),
        sa.Column("content", sa.Text))
    op.execute("INSERT INTO bodies SELECT id, body FROM notes")
    with op.batch_alter_table("notes") as notes:
        notes.drop_column("body")""",
    ),
}


def later_revisions(**instead: str) -> dict[str, str | None]:
    """Three revisions after ``r2``, which rename a column and split a table."""
    files: dict[str, str | None] = {}
    down = "r2"
    for revision, (doc, upgrade) in LATER.items():
        text = _HEAD.format(doc=doc, id=revision, down=down, upgrade=instead.get(revision, upgrade))
        files[f"migrations/versions/{revision}.py"], down = text, revision
    return files


def test_a_table_that_the_newest_backup_has_not_is_named_with_the_backup_that_has_it(
    governed: Project,
) -> None:
    earlier = back_up(governed)
    execute(governed.database, "DROP TABLE notes")
    back_up(governed)
    assert_told(
        governed,
        "restore",
        "--merge",
        "--table",
        "notes",
        exit_code=2,
        said=f"govern restore {earlier} --merge",
    )


def test_a_backup_of_three_revisions_ago_arrives_in_the_schema_of_today(governed: Project) -> None:
    execute(
        governed.database,
        "INSERT INTO users (id, email) VALUES (2, 'b@example.org')",
        "INSERT INTO notes (id, user_id, body) VALUES (1, 2, 'one'), (2, 1, 'two')",
    )
    backup = back_up(governed)
    governed.write(later_revisions())
    governed.succeed("migrate", "--rehearse", "off", "--backup", "off", "--allow", "drops-column:notes.body")
    execute(
        governed.database,
        "DELETE FROM bodies",
        "DELETE FROM notes WHERE id = 2",
        "UPDATE users SET address = 'newer@example.org' WHERE id = 1",
    )
    planned = governed.succeed("restore", backup, "--merge", "--plan")
    assert "upgraded by r3, r4, r5" in planned.entry("revisions")["reason"]
    told = ["notes.body is in bodies.content", "users.email became users.address", "notes.title is new",
            "table bodies is new, with 2 rows that the upgrade put there"]  # fmt: skip
    assert planned.report["upgrade"] == told
    governed.succeed("restore", backup, "--merge")
    assert read_rows(governed.database, "SELECT * FROM bodies ORDER BY 1") == [(1, "one"), (2, "two")]
    assert read_rows(governed.database, "SELECT address FROM users ORDER BY id") == [
        ("newer@example.org",), ("b@example.org",)
    ]  # fmt: skip

    planned = governed.succeed("restore", backup, "--upgrade", "--plan")
    assert planned.report["upgrade"] == told
    assert "overwrites-rows:users" in planned.entry("rows")["reason"]
    whole = governed.succeed("restore", backup, "--upgrade", "--allow", "overwrites-rows:users")
    assert whole.entry("upgrade")["reason"] == "r3, r4, r5"
    assert governed.succeed("health").report["target"]["revision"] == ["r5"]
    assert read_rows(governed.database, "SELECT address FROM users WHERE id = 1") == [("first@example.org",)]
    assert read_rows(governed.database, "SELECT count(*) FROM bodies") == [(2,)]


@on_sqlite
def test_what_cannot_be_upgraded_is_matched_by_names_or_refused_before_anything_is_written(
    governed: Project,
) -> None:
    execute(governed.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'one')")
    backup = back_up(governed)
    governed.write(later_revisions())
    governed.succeed("migrate", "--rehearse", "off", "--backup", "off", "--allow", "drops-column:notes.body")
    execute(governed.database, "DELETE FROM bodies", "DELETE FROM notes")
    governed.write(later_revisions(r4="raise ValueError('needs the network')"))
    planned = governed.succeed("restore", backup, "--merge", "--plan")
    assert "it is not upgraded: ValueError: needs the network" in planned.entry("revisions")["reason"]
    assert_told(governed, "restore", backup, "--merge", exit_code=4, said="--allow drops-column:notes.body")
    assert_told(governed, "restore", backup, "--upgrade", exit_code=4, said="cannot be upgraded")
    newer = back_up(governed)
    execute(governed.database, "DROP TABLE notes")
    assert_told(
        governed, "restore", backup, "--merge", exit_code=4, said="the live database has no table notes"
    )
    governed.write(later_revisions())
    governed.succeed("restore", backup, "--allow", "overwrites-rows:users")
    assert_told(governed, "restore", newer, "--merge", exit_code=4, said="the backup is newer than r2")
    governed.database.path.unlink()
    assert_told(
        governed, "restore", "--merge", exit_code=4, said="there is no live database to take rows over into"
    )
