"""A backup in the place of a database: exactly what was backed up, and nothing anybody wrote since is lost unnamed."""

from __future__ import annotations

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project, assert_told, dump, execute
from tests.fixtures.projects import list_tables, read_rows, read_version, third_revision

NEWER = """op.add_column("users", sa.Column("nick", sa.String(20)))
    op.create_table("more", sa.Column("id", sa.Integer, primary_key=True), sa.Column("user_id", sa.Integer,
        sa.ForeignKey("users.id")))
    op.execute("INSERT INTO more VALUES (1, 1)")"""


def back_up(project: Project) -> str:
    backup: str = project.succeed("backup", "create").report["backups"][0]["id"]
    return backup


def kept(done: object) -> str:
    return str(done.report["run"]["kept_as"])  # type: ignore[attr-defined]


def test_a_newer_schema_becomes_exactly_that_of_the_backup(governed: Project) -> None:
    before = dump(governed.database, ledger=False)
    backup = back_up(governed)
    governed.write(third_revision(NEWER))
    governed.succeed("migrate", "--rehearse", "off")
    assert "more" in list_tables(governed.database)

    planned = governed.succeed("restore", backup, "--plan")
    assert "more" in list_tables(governed.database)
    print(planned)
    refused = governed.ask("restore", backup)
    print(refused)
    assert refused.exit_code == 4, refused
    assert "overwrites-rows:more" in refused.problem["next"]

    done = governed.succeed("restore", backup, "--allow", "overwrites-rows:more")
    print(governed.govern("history"))
    print(done)
    assert read_version(governed.database) == {"r2"}
    assert dump(governed.database, ledger=False) == before
    assert governed.ask("health").exit_code == 0
    governed.succeed("migrate", "--rehearse", "off")
