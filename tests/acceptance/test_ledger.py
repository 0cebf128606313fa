"""The ledger: what was applied, by whom, from which commit; and what became of the files since."""

from __future__ import annotations

import json
import subprocess

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows

SECOND = "migrations/versions/r2_notes.py"


@pytest.fixture
def project(make_project: MakeProject, sqlite_database: DatabaseUrl) -> Project:
    """The project plain, at its head."""
    project = make_project("plain", sqlite_database)
    project.succeed("migrate", "--backup", "off")
    return project


def test_a_run_says_what_was_executed_and_with_what(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    for command in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"),
    ):
        subprocess.run(("git", "-C", project.root, *command), check=True)
    project.succeed("migrate", "--backup", "off")
    (run,) = project.succeed("history").report["runs"]
    head = subprocess.run(
        ("git", "-C", project.root, "rev-parse", "HEAD"), capture_output=True, text=True, check=True
    )
    assert run["git_commit"] == head.stdout.strip()
    assert set(run["versions"]) == {"python", "alembic", "sqlalchemy"}
    first, second = run["revisions"]
    assert first["parents"] == {}
    assert second["parents"] == {"r1": first["checksum"]}
    assert any("CREATE TABLE notes" in one["sql"] for one in second["statements"])
    assert all(one["seconds"] >= 0 for one in second["statements"])
    lines = (project.root / ".govern/history.jsonl").read_text().splitlines()
    assert [json.loads(line)["result"] for line in lines] == ["started", "applied"]
    assert json.loads(lines[-1])["id"] == run["id"]
    assert (project.root / ".govern/history.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"INSERT INTO users (id, email)', '"INSERT  INTO users (id, email)', "chain.edited-revision"),
        ('down_revision = "r1"', 'down_revision = "r0"', "chain.repointed-revision"),
    ],
)
def test_an_applied_revision_that_changed_since_is_found_by_name(
    old: str, new: str, rule: str, project: Project
) -> None:
    project.edit(SECOND, old, new)
    first = (project.root / "migrations/versions/r1_users.py").read_text()
    zeroth = first.replace('revision = "r1"', 'revision = "r0"').replace(
        "down_revision = None", 'down_revision = "r1"'
    )
    if "r0" in new:
        body = zeroth.partition("def upgrade")[0] + "def upgrade():\n    op.execute('SELECT 1')\n"
        project.write({"migrations/versions/r0.py": body})
    refused = project.ask("migrate")
    assert refused.exit_code == 4, refused
    assert rule in refused.rules
    assert "revision r2" in refused.problem["what"]
    assert "applied to this database" in refused.problem["what"]


def test_white_space_at_the_ends_of_lines_and_line_endings_do_not_count(project: Project) -> None:
    file = project.root / SECOND
    file.write_bytes(file.read_bytes().replace(b"\n", b"  \r\n"))
    project.succeed("migrate")


def test_an_edit_that_was_reviewed_is_a_warning(project: Project) -> None:
    project.edit(SECOND, '"""notes"""', '"""the notes of users"""')
    project.succeed("lock")
    done = project.succeed("migrate")
    (finding,) = [one for one in done.findings if one["rule"] == "chain.edited-revision"]
    assert finding["severity"] == "warning"


def test_a_revision_that_was_deleted_is_named(project: Project) -> None:
    project.write({SECOND: None})
    refused = project.ask("migrate")
    assert refused.exit_code == 4, refused
    assert "r2" in refused.problem["what"]


def test_a_ledger_of_the_first_version_is_brought_up_to_date(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate", "--backup", "off", "--to", "r1")
    if any_database.dialect == "sqlite":
        execute(any_database, "DROP TABLE govern_ledger")
        version = "SELECT version FROM govern_ledger"
    else:
        execute(any_database, "DROP TABLE govern.ledger", "DROP TABLE govern.progress")
        version = "SELECT version FROM govern.ledger"
    project.succeed("migrate", "--backup", "off")
    assert read_rows(any_database, version) == [(2,)]
    assert len(project.succeed("history").report["runs"]) == 2


def test_a_ledger_of_a_newer_govern_is_refused(project: Project) -> None:
    execute(project.database, "INSERT INTO govern_ledger VALUES (99)")
    project.write({"migrations/versions/r3.py": _third()})
    refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert "newer govern" in refused.problem["what"]


def test_the_order_of_runs_is_not_the_clocks(project: Project) -> None:
    """A clock that was put back must not make an older run the newest."""
    row = "SELECT run FROM govern_runs"
    ((text,),) = read_rows(project.database, row)
    later = json.loads(text) | {
        "started_at": "2099-01-01T00:00:00+00:00",
        "finished_at": "2099-01-01T00:00:01+00:00",
    }
    quoted = json.dumps(later).replace("'", "''")
    execute(project.database, f"UPDATE govern_runs SET run = '{quoted}'")
    project.write({"migrations/versions/r3.py": _third()})
    project.ask("migrate", "--backup", "off")
    newest, oldest = project.succeed("history").report["runs"]
    assert newest["to_revision"] == ["r3"]
    assert oldest["started_at"].startswith("2099")


def _third() -> str:
    return (
        "from alembic import op\nrevision, down_revision = 'r3', 'r2'\n\n\n"
        "def upgrade():\n    op.execute('UPDATE users SET id = id')\n"
    )
