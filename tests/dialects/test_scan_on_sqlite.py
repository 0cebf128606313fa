"""Code for SQLite, held against a schema of SQLite: what its engine knows and PostgreSQL's grammar cannot be asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from govern.api.standing import open_schema
from govern.checks.scan.judge import judge_code
from govern.code.files import Reader
from govern.core.finding import Severity
from govern.database.url import DatabaseUrl

ALARMS = {
    "a table whose name is not known": (
        "def empty(cursor, table):\n"
        "    cursor.execute(f'DELETE FROM {table} WHERE id = ?', (1,))\n"
        "    cursor.execute(f'ALTER TABLE {table} RENAME TO {table}_old')\n"
    ),
    "a table that the code makes": (
        "cursor.execute('CREATE TEMPORARY TABLE chosen (id INTEGER)')\n"
        "cursor.execute('INSERT INTO chosen SELECT id FROM users')\n"
    ),
    "a table that the code renames": (
        "cursor.execute('ALTER TABLE users RENAME TO former_users')\n"
        "cursor.execute('INSERT INTO users SELECT * FROM former_users')\n"
    ),
    "a branch for PostgreSQL": (
        "if isinstance(engine, PostgresEngine):\n"
        "    cursor.execute('SELECT id FROM users WHERE nick = 1')\n"
        "else:\n"
        "    cursor.execute('SELECT id FROM users')\n"
    ),
    "a condition that is not known, and an order": (
        "cursor.execute(f'SELECT id FROM users WHERE {wanted} ORDER BY {order} ASC')\n"
    ),
}


@pytest.mark.parametrize("code", ALARMS.values(), ids=ALARMS)
def test_nothing_is_wrong_with(tmp_path: Path, code: str) -> None:
    assert find_errors(tmp_path, code) == []


def test_a_branch_for_sqlite_is_judged(tmp_path: Path) -> None:
    code = "if dialect == 'postgresql':\n    pass\nelse:\n    cursor.execute('SELECT nick FROM users')\n"
    assert find_errors(tmp_path, code) == ["code:4 no such column: nick"]


def find_errors(folder: Path, code: str) -> list[str]:
    with sqlite3.connect(folder / "app.db") as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    connection.close()
    with open_schema(DatabaseUrl.parse(f"sqlite:///{folder / 'app.db'}")) as schema:
        judged = judge_code([Reader().read_source(code, "code", "python")], schema)
    graver = [finding for finding in judged.findings if finding.severity > Severity.INFO]
    return [f"{finding.subject.location} {finding.message}" for finding in graver]
