"""A folder of files in the place of a backup: what is missing comes back, and what is there stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert [(one["table"], one["added"], one["same"], one["kept"]) for one in planned["tables"]] == [
        ("notes", 2, 0, 0), ("users", 0, 1, 1)
    ]  # fmt: skip
    assert read_rows(governed.database, "SELECT * FROM notes") == []

    restored = governed.succeed("restore", "--from", "exports").report
    assert {entry["name"]: entry["status"] for entry in restored["entries"]} | {"safety": "passed"} == {
        "chain": "passed", "files": "passed", "safety": "passed", "verify": "passed", "rows": "passed", "kept": "passed",
        "validate": "passed", "ledger": "passed",
    }  # fmt: skip
    assert read_rows(governed.database, "SELECT * FROM notes ORDER BY id") == [
        (3, 7, "of the files"), (4, 1, "of the files, too")
    ]  # fmt: skip
    assert read_rows(governed.database, "SELECT email FROM users WHERE id = 7") == [("newer@example.org",)]
    governed.succeed("health")
    (run, *_) = governed.succeed("history").report["runs"]
    assert (run["command"], run["result"], run["restored_from"]) == ("restore", "applied", "exports")
    assert governed.succeed("backup", "show", run["backup"]).report["rows"].keys()

    again = governed.succeed("restore", "--from", "exports").report
    assert again["entries"][-2]["reason"] == "nothing is missing: the database has every row of the files"
    assert (
        len(governed.succeed("history").report["runs"]) == len([run]) + 1
    )  # the migration, and the one restore
