"""A folder of files in the place of a backup: what is missing comes back, and what is there stays as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from govern.database.postgresql.dump import find_clients
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows

USERS = [{"id": 1, "email": "first@example.org"}, {"id": 7, "email": "ada@example.org"}]
NOTES = {"3": {"user_id": 7, "body": "of the files"}, "4": {"user_id": 1, "body": "of the files, too"}}


def write(project: Project, **tables: Any) -> Path:
    folder = project.root / "exports"
    folder.mkdir(exist_ok=True)
    for table, content in tables.items():
        (folder / f"{table}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_missing_rows_are_planned_inserted_and_not_inserted_again(governed: Project) -> None:
    execute(governed.database, "INSERT INTO users VALUES (7, 'newer@example.org')")
    write(governed, users=USERS, notes=NOTES)
    planned = governed.succeed("restore", "--from", "exports", "--plan").report
    assert planned["next"] == ["govern restore --from exports", "govern health"]
    assert [(one["table"], one["added"], one["same"], one["other_content"]) for one in planned["tables"]] == [
        ("notes", 2, 0, 0), ("users", 0, 1, 1)
    ]  # fmt: skip
    assert read_rows(governed.database, "SELECT * FROM notes") == []

    restored = governed.succeed("restore", "--from", "exports").report
    assert [
        (entry["name"], entry["status"]) for entry in restored["entries"] if entry["name"] != "chain"
    ] == [(name, "passed") for name in ("files", "rows", "safety", "verify", "restore", "validate", "ledger")]
    assert read_rows(governed.database, "SELECT * FROM notes ORDER BY id") == [
        (3, 7, "of the files"), (4, 1, "of the files, too")
    ]  # fmt: skip
    assert read_rows(governed.database, "SELECT email FROM users WHERE id = 7") == [("newer@example.org",)]
    governed.succeed("health")
    (run, *_) = governed.succeed("history").report["runs"]
    assert (run["command"], run["result"], run["restored_from"]) == ("restore", "applied", "exports")
    assert governed.succeed("backup", "show", run["backup"]).report["rows"].keys()

    again = governed.succeed("restore", "--from", "exports").report
    assert again["entries"][-1]["reason"] == "nothing is missing; 1 row with other content, kept as they are"
    assert (
        len(governed.succeed("history").report["runs"]) == len([run]) + 1
    )  # the migration, and the one restore


def test_a_table_that_was_never_made_and_a_row_without_a_parent_are_in_the_way(governed: Project) -> None:
    """The plan says what to type, in which order, and typing it gets there."""
    execute(governed.database, "DROP TABLE notes")
    execute(governed.database, "DELETE FROM users")
    folder = write(governed, users=USERS, notes={**NOTES, "5": {"user_id": 99, "body": "an orphan"}})
    planned = governed.ask("restore", "--from", "exports", "--plan")
    assert (planned.exit_code, planned.rules) == (1, {"backup.missing-table"})
    commands = ["govern repair apply  # makes notes", "govern restore --from exports", "govern health"]
    assert planned.report["next"] == commands
    refused = governed.ask("restore", "--from", "exports")
    assert (refused.exit_code, refused.report["next"]) == (4, commands)
    assert read_rows(governed.database, "SELECT count(*) FROM users") == [(0,)]

    governed.succeed("repair", "apply")
    orphaned = governed.ask("restore", "--from", "exports")
    assert orphaned.exit_code == 4
    assert orphaned.problem["why"] == ("1 row of notes refer to rows of users that are nowhere: user_id = 99")
    assert "integrity.orphan" in governed.ask("restore", "--from", "exports", "--plan").rules
    (folder / "notes.json").write_text(
        json.dumps([{"id": 3, "user_id": 7, "body": "x"}, {"id": "4"}]), encoding="utf-8"
    )
    bad = governed.ask("restore", "--from", "exports")
    assert (bad.exit_code, bad.rules, bad.report["next"]) == (4, {"backup.bad-row"}, [])
    assert read_rows(governed.database, "SELECT count(*) FROM users") == [(0,)]
    write(governed, notes=NOTES)
    governed.succeed("restore", "--from", "exports", "--table", "users")
    governed.succeed("restore", "--from", "exports")
    assert read_rows(governed.database, "SELECT id, user_id FROM notes ORDER BY id") == [(3, 7), (4, 1)]
    governed.succeed("health")


def test_what_has_to_be_typed_first_depends_on_where_the_database_is(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    """Without a lock, too: then the models say which tables there should be."""
    project = make_project("plain", sqlite_database)
    write(project, users=USERS, notes=NOTES)
    last = ["govern restore --from exports", "govern health"]

    def ask_next() -> list[str]:
        planned = project.ask("restore", "--from", "exports", "--plan")
        assert planned.exit_code == 1, planned
        commands: list[str] = planned.report["next"]
        return commands

    assert ask_next() == ["govern migrate  # makes notes, users", *last]
    project.succeed("migrate", "--to", "r1", "--backup", "off", "--rehearse", "off")
    assert ask_next() == ["govern migrate  # makes notes", *last]
    execute(sqlite_database, "DROP TABLE alembic_version")
    baseline, *others = ask_next()
    assert baseline.startswith("govern baseline  #")
    assert others == ["govern migrate  # makes notes", *last]


def test_an_adopted_dump_is_restored_from_as_any_other_backup(governed: Project) -> None:
    execute(governed.database, "INSERT INTO notes VALUES (3, 1, 'of the dump')")
    (governed.root / "old").mkdir()
    dump(governed.database, governed.root / "old" / "app.dump")
    execute(governed.database, "DELETE FROM notes")
    (found,) = governed.succeed("backup", "list", "--search", "old").report["found"]
    assert "notes" in found["tables"]
    adopted = governed.succeed(*found["next"].split()[1:]).report["backups"][0]
    assert (adopted["reason"], adopted["revision"]) == ("adopted", ["r2"])
    governed.succeed("restore", adopted["id"], "--merge")
    assert read_rows(governed.database, "SELECT id, body FROM notes") == [(3, "of the dump")]
    governed.succeed("health")


def dump(url: DatabaseUrl, path: Path) -> None:
    """As somebody without govern would."""
    if url.dialect == "sqlite":
        shutil.copy(url.path, path)
        return
    program = find_clients()[-1].pg_dump
    subprocess.run([program, "--format=custom", f"--file={path}", url.conninfo], check=True)
