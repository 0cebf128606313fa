"""No command needs a superuser, and no role can do more than docs/roles.md gives to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from govern.config import load
from govern.database.url import DatabaseUrl
from govern.web.monitor import MonitorApi, bearer
from govern.web.monitor.request import Reply, Request
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.acceptance.test_row_repairs import ORPHANS
from tests.acceptance.test_unable import give_to
from tests.fixtures.databases import MakeRole, with_credentials

PASSWORD, SECRET = "not-a-secret", "correct-horse-battery-staple"


@dataclass(frozen=True)
class Governed:
    """A project that its keeper migrated, and the same as others see it."""

    keeper: Project
    reader: Project
    asker: Project


@pytest.fixture
def governed(
    make_project: MakeProject, make_role: MakeRole, postgresql_database: DatabaseUrl, server_url: DatabaseUrl
) -> Governed:
    keeper = make_project(
        "plain", give_to(make_role("keeper", PASSWORD, createdb=True), postgresql_database, server_url)
    )
    keeper.write({"schema/governance.yaml": ORPHANS + "critical_tables:\n  - name: users\n"})
    keeper.succeed("lock")
    keeper.succeed("migrate")
    execute(
        postgresql_database,
        "SELECT setval('users_id_seq', 100), setval('notes_id_seq', 100)",
        "SET session_replication_role = replica",
        "INSERT INTO notes (id, user_id, body) VALUES (72, 98, 'orphan')",
    )
    keeper.govern("monitor", "run", "--once")
    others = []
    for name in ("reader", "asker"):
        user = urlsplit(make_role(name, PASSWORD).text).username
        assert user is not None
        execute(postgresql_database, f'GRANT pg_read_all_data TO "{user}"')
        others.append(keeper.with_url(with_credentials(postgresql_database, unquote(user), PASSWORD)))
        if name == "asker":
            execute(
                postgresql_database,
                f'GRANT INSERT, UPDATE, DELETE ON govern.monitor, govern.monitor_events TO "{user}"',
                f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA govern TO "{user}"',
            )
    return Governed(keeper, *others)


WRITES = (
    "DELETE FROM notes", "UPDATE users SET email = 'x'", "INSERT INTO users (email) VALUES ('x')", "TRUNCATE notes",
    "DROP TABLE notes", "CREATE TABLE more ()", "CREATE SCHEMA more", "CREATE DATABASE more", "CREATE ROLE more",
    "DELETE FROM govern.runs", "UPDATE govern.runs SET run = run", "COPY (SELECT 1) TO '/tmp/never'",
    "SELECT pg_read_file('/etc/passwd')", "ALTER TABLE users OWNER TO CURRENT_USER", "SET ROLE postgres",
    "SELECT setval('users_id_seq', 1)", "DO $$ BEGIN LOCK TABLE users IN ACCESS EXCLUSIVE MODE; END $$",
)  # fmt: skip


def list_allowed(project: Project, statements: tuple[str, ...]) -> list[str]:
    """Those that the server does not refuse to the project's role; nothing of them stays."""
    allowed = []
    with psycopg.connect(project.database.conninfo, autocommit=True) as session:
        for statement in statements:
            try:
                session.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            allowed.append(statement)
    return allowed


def ask(project: Project, method: str, path: str) -> Reply:
    settings = load(start=project.root, environ={"DATABASE_URL": project.url or ""})
    api = MonitorApi(settings, project.database, access=bearer(SECRET))
    return api.answer(Request(method=method, path=path, headers={"authorization": f"Bearer {SECRET}"}))


def test_each_role_does_what_it_is_for_and_nothing_else(
    governed: Governed, postgresql_database: DatabaseUrl
) -> None:
    reader, asker, keeper = governed.reader, governed.asker, governed.keeper

    assert "integrity.orphan" in reader.ask("integrity").rules
    assert reader.succeed("repair", "plan", "orphaned-notes").report["repairs"][0]["rows"] == 1
    for words in (["repair", "list"], ["history"], ["monitor", "status"]):
        reader.succeed(*words)
    assert ask(reader, "GET", "/issues").status == 200
    assert ask(reader, "POST", "/stop").status == 503
    refused = reader.ask("repair", "apply", "orphaned-notes", "--backup", "off")
    assert refused.exit_code == 3, refused
    assert (
        list_allowed(reader, (*WRITES, "DELETE FROM govern.monitor", "DELETE FROM govern.monitor_events"))
        == []
    )

    assert ask(asker, "GET", "/issues").status == 200
    assert ask(asker, "POST", "/stop").status == 200
    assert ask(asker, "GET", "/history").status == 200
    refused = asker.ask("repair", "apply", "orphaned-notes", "--backup", "off")
    assert refused.exit_code == 3, refused
    assert list_allowed(asker, WRITES) == []

    assert ask(keeper, "POST", "/start").status == 200
    keeper.ask("repair", "apply", "orphaned-notes", "--backup", "off")
    rollback = ("repair", "rollback", "latest", "--backup", "off")
    refused = keeper.ask(
        *rollback
    )  # the foreign key is in the way of an orphan, and the role may not silence it
    assert refused.exit_code == 4, refused
    assert "session_replication_role" in str(refused.problem), refused
    user = urlsplit(keeper.url or "").username
    execute(postgresql_database, f'GRANT SET ON PARAMETER session_replication_role TO "{user}"')
    keeper.succeed(*rollback)
    superusers = (
        "CREATE ROLE more",
        "COPY (SELECT 1) TO '/tmp/never'",
        "SELECT pg_read_file('/etc/passwd')",
        "SET ROLE postgres",
    )
    assert list_allowed(keeper, superusers) == []
    execute(keeper.database, "DELETE FROM notes WHERE id = 72")
    backup = keeper.succeed("backup", "create").report["backups"][0]["id"]
    execute(keeper.database, "DROP TABLE notes")
    keeper.succeed("restore", backup)
    keeper.succeed("integrity")
