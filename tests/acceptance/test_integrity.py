"""``govern integrity``: what a crash left is found with its keys, and nothing is found in a whole database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from govern.checks import integrity
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.source.manifest import parse_manifest
from tests.acceptance.program import Project, dump, execute

MANIFEST = """
critical_tables:
  - name: users
    unique: [email]
relationships:
  - from: notes.author
    to: users.email
"""


def let_sequences_pass(project: Project) -> None:
    """A revision inserts a user by a fixed id, which its sequence does not see."""
    if project.database.dialect == "postgresql":
        execute(project.database, "SELECT setval('users_id_seq', 100), setval('notes_id_seq', 100)")


def test_rows_that_were_inserted_past_a_sequence_are_found(governed: Project) -> None:
    done = governed.ask("integrity")
    if governed.database.dialect == "sqlite":  # which numbers rows by the largest there is
        assert done.findings == []
        return
    (found,) = done.findings
    assert found["rule"] == "integrity.sequence-behind"
    execute(governed.database, *found["fix"]["sql"])
    assert governed.succeed("integrity").findings == []


def test_a_whole_database_passes_and_is_left_as_it_is(governed: Project) -> None:
    governed.write({"schema/governance.yaml": "critical_tables:\n  - name: users\n    unique: [email]\n"})
    let_sequences_pass(governed)
    before = dump(governed.database)
    done = governed.succeed("integrity")
    assert done.findings == []
    assert {entry["name"] for entry in done.report["entries"]} == {"references", "types", "rows", "manifest"}
    assert dump(governed.database) == before


def test_what_a_crash_left_is_found_with_its_keys_and_no_rows(governed: Project) -> None:
    governed.write({"schema/governance.yaml": MANIFEST})
    let_sequences_pass(governed)
    is_sqlite = governed.database.dialect == "sqlite"
    execute(
        governed.database,
        "PRAGMA foreign_keys = off" if is_sqlite else "SET session_replication_role = replica",
        "ALTER TABLE notes ADD COLUMN author varchar(200)",
        "INSERT INTO users (id, email) VALUES (71, 'a@example.org')",
        "INSERT INTO notes (id, user_id, body, author) VALUES (71, 71, 'kept', 'a@example.org')",
        "INSERT INTO notes (id, user_id, body, author) VALUES (72, 99, 'a secret', 'gone@example.org')",
    )
    done = governed.ask("integrity")
    assert done.exit_code == 1, done
    assert done.rules == {"integrity.orphan"}
    declared, implied = sorted(done.findings, key=lambda finding: str(finding["subject"]["kind"]))
    assert (declared["evidence"]["rows"], declared["evidence"]["keys"]) == (1, ["99"])
    assert (implied["evidence"]["rows"], implied["evidence"]["keys"]) == (1, ["gone@example.org"])
    assert implied["subject"]["path"] == "schema/governance.yaml"
    assert implied["subject"]["line"] == 6
    assert declared["severity"] == "critical"  # of users
    assert "a secret" not in done.out


def test_a_reference_that_nobody_declared_is_suggested_with_its_evidence(governed: Project) -> None:
    key = "uuid" if governed.database.dialect == "postgresql" else "char(36)"
    ids = [f"00000000-0000-0000-0000-0000000000{number:02}" for number in range(20)]
    execute(
        governed.database,
        f"CREATE TABLE crm_customers (id {key} PRIMARY KEY)",
        f"CREATE TABLE orders (customer_id {key}, parent_message_id {key}, user_id integer)",
        f"CREATE TABLE chat_messages (id {key} PRIMARY KEY)",
        *(f"INSERT INTO crm_customers VALUES ('{one}')" for one in ids),
        *(f"INSERT INTO orders VALUES ('{one}', NULL, 1)" for one in ids[:15]),
    )
    done = governed.ask("integrity", "--suggest")
    assert done.exit_code == 0, done
    evidence = {finding["evidence"]["from"]: finding["evidence"] for finding in done.findings}
    assert evidence == {
        "orders.customer_id": {
            "from": "orders.customer_id",
            "to": "crm_customers.id",
            "values": 15,
            "found": 15,
        },
        "orders.user_id": {"from": "orders.user_id", "to": "users.id", "values": 1, "found": 1},
    }  # and parent_message_id not: nothing but its last word speaks for it


LOOSEN = {
    "postgresql": (
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        "ALTER TABLE users ALTER email DROP NOT NULL",
    ),
    "sqlite": (
        "PRAGMA foreign_keys = off",
        "CREATE TABLE loose (id INTEGER PRIMARY KEY, email VARCHAR(200))",
        "INSERT INTO loose SELECT * FROM users",
        "DROP TABLE users",
        "ALTER TABLE loose RENAME TO users",
    ),
}


def test_rows_that_came_after_a_constraint_was_lost_are_found_with_keys_and_a_repair(
    governed: Project,
) -> None:
    let_sequences_pass(governed)
    execute(governed.database, *LOOSEN[governed.database.dialect])
    assert governed.succeed("integrity").findings == []  # which is drift, and of rows there is nothing to say
    values = "(2, 'first@example.org'), (3, NULL)"
    execute(governed.database, f"INSERT INTO users (id, email) VALUES {values}")
    done = governed.ask("integrity")
    assert (done.exit_code, done.rules) == (1, {"integrity.duplicate", "integrity.broken-check"})
    found = {finding["rule"]: finding for finding in done.findings}
    duplicate, empty = found["integrity.duplicate"], found["integrity.broken-check"]
    assert duplicate["evidence"]["keys"] == ["first@example.org"]
    assert "is declared, and the database has it not" in duplicate["message"]
    assert (empty["evidence"]["rows"], empty["evidence"]["keys"]) == (1, ["3"])
    manifest = (
        f"repairs:\n  - {{name: unnamed, reason: r, owner: o, {as_flow(empty['evidence']['repair'])}}}\n"
    )
    governed.write({"schema/governance.yaml": manifest})
    governed.ask("repair", "apply", "unnamed", "--backup", "off")  # which finds the drift, too
    assert governed.ask("integrity").rules == {"integrity.duplicate"}


def as_flow(repair: dict[str, str]) -> str:
    return ", ".join(f"{key}: {json.dumps(value)}" for key, value in repair.items())


INVARIANTS = """
invariants:
  - {name: there is a user, sql: SELECT count(*) FROM users, expect: 1}
  - {name: one statement, sql: "SELECT 0; %s; SELECT 0", expect: 0}
  - {name: deletes, sql: DELETE FROM users RETURNING 0, expect: 0}
  - {name: writes, sql: "%s", expect: 0}
  - {name: typo, sql: SELECT count(*) FROM userz, expect: 0}
"""
SNEAKY = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; DELETE FROM notes; DELETE FROM users",
        "SELECT nextval('users_id_seq')",
    ),
    "sqlite": ("DELETE FROM users", "PRAGMA user_version = 7"),
}


def test_an_invariant_that_would_write_is_told_and_writes_nothing(governed: Project) -> None:
    let_sequences_pass(governed)
    sneaky = SNEAKY[governed.database.dialect]
    governed.write({"schema/governance.yaml": INVARIANTS % sneaky})
    before = dump(governed.database)
    done = governed.ask("integrity")
    assert (done.exit_code, done.rules) == (1, {"integrity.unusable-invariant"})
    assert [finding["subject"]["name"] for finding in done.findings] == [
        "one statement",
        "deletes",
        "writes",
        "typo",
    ]
    assert [finding["subject"]["line"] for finding in done.findings] == [4, 5, 6, 7]
    assert dump(governed.database) == before


def test_an_invariant_that_never_ends_is_ended(
    postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "INVARIANT_SECONDS", 0.1)
    text = "invariants:\n  - {name: slow, sql: SELECT 0 FROM pg_sleep(60), expect: 0}\n"
    manifest = parse_manifest(text, Path("governance.yaml"))
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database, read_only=True) as connection:
        (found,) = integrity.check_integrity(connection, dialect, manifest, path="governance.yaml")
    assert found.message == "slow cannot be asked: canceling statement due to statement timeout"
