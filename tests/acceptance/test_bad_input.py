"""Files and command lines that are wrong: each is told in four sentences, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, assert_told, dump

MANIFEST = "schema/governance.yaml"
ENV = "migrations/env.py"
THIRD = "migrations/versions/r3_third.py"


@pytest.fixture
def project(make_project: MakeProject, sqlite_database: DatabaseUrl) -> Project:
    return make_project("plain", sqlite_database)


@pytest.mark.parametrize(
    ("files", "command", "said"),
    [
        ({MANIFEST: "critical_tables:\n  - name: [users\n"}, "migrate", "governance.yaml:"),
        (
            {MANIFEST: "critical_tables:\n  - name: users\n\ncritical_tables: []\n"},
            "migrate",
            "governance.yaml:4",
        ),
        ({MANIFEST: "critical_tables:\n  - name: users\n    min_row: 1\n"}, "migrate", "governance.yaml:3"),
        ({"govern.toml": "models = \n"}, "migrate", "govern.toml"),
        ({"govern.toml": 'modles = "app.models:Base"\n'}, "migrate", "did you mean 'models'?"),
        ({"govern.toml": "lock_wait_seconds = 'soon'\n"}, "migrate", "lock_wait_seconds must be a number"),
        ({"pyproject.toml": "[tool.govern\n"}, "migrate", "pyproject.toml is not valid TOML"),
        ({"govern.toml": 'models = "app.nowhere:Base"\n'}, "check", "app.nowhere"),
        ({"govern.toml": 'models = "app.models:Nothing"\n'}, "check", "Nothing"),
        ({"alembic.ini": "[alembic\nscript_location = migrations\n"}, "migrate", "alembic.ini"),
        ({"app/models.py": "import not_installed\n"}, "migrate", "app/models.py"),
        ({ENV: "def\n"}, "migrate", "migrations/env.py, line 1"),
        ({ENV: None}, "migrate", "env.py"),
    ],
    ids=[
        "malformed manifest", "duplicate key", "unknown manifest key", "malformed govern.toml",
        "unknown setting", "wrong type", "malformed pyproject.toml", "models not there", "metadata not there",
        "malformed alembic.ini", "models that do not import", "env.py with a syntax error", "no env.py",
    ],
)  # fmt: skip
def test_a_wrong_file_is_named(
    files: dict[str, str | None], command: str, said: str, project: Project, sqlite_database: DatabaseUrl
) -> None:
    project.write(files)
    before, there = dump(sqlite_database), project.read_files()
    assert_told(project, command, exit_code=2, said=said)
    assert dump(sqlite_database) == before
    assert project.read_files() == there


def test_an_option_that_env_py_gives_twice_is_named_with_its_line(project: Project) -> None:
    twice = 'connection=connection, render_as_batch=True, **{"render_as_batch": True},'
    project.edit(ENV, "connection=connection,", twice)
    assert_told(project, "migrate", exit_code=2, said="migrations/env.py, line 24")


def test_a_project_without_metadata_says_where_to_name_it(project: Project) -> None:
    project.edit(ENV, "target_metadata = Base.metadata", "target_metadata = None")
    assert_told(project, "check", exit_code=2, said='models = "package.module:metadata"')


def test_a_folder_without_a_project_is_refused(tmp_path: Path, sqlite_database: DatabaseUrl) -> None:
    (tmp_path / "empty").mkdir()
    project = Project(root=tmp_path / "empty", url=sqlite_database.text)
    assert_told(project, "migrate", exit_code=4, said="there are no revision files")
    assert project.read_files() == {}


def test_a_revision_with_a_syntax_error_is_named_with_its_line(
    project: Project, sqlite_database: DatabaseUrl
) -> None:
    project.write({THIRD: 'revision = "r3"\ndown_revision = "r2"\n\ndef upgrade(:\n    pass\n'})
    before, there = dump(sqlite_database), project.read_files()
    assert_told(project, "migrate", exit_code=4, said=f"{THIRD}:4")
    checked = project.ask("check")
    assert checked.exit_code == 1, checked
    (finding,) = (found for found in checked.findings if found["rule"] == "chain.broken-file")
    assert (finding["subject"]["path"], finding["subject"]["line"]) == (THIRD, 4)
    assert dump(sqlite_database) == before
    assert project.read_files() == there


def test_a_manifest_that_names_what_is_not_declared_is_a_finding_with_its_line(project: Project) -> None:
    project.write(
        {
            MANIFEST: "critical_tables:\n"
            "  - name: users\n    required_columns: [id, emial]\n"
            "  - name: nots\n"
            "relationships:\n  - from: notes.author_id\n    to: users.id\n"
        }
    )
    checked = project.ask("check")
    assert checked.exit_code == 1, checked
    places = {(found["rule"], found["subject"]["line"]) for found in checked.entry("manifest")["findings"]}
    assert places == {
        ("integrity.unknown-column", 3),
        ("integrity.unknown-table", 4),
        ("integrity.unknown-column", 6),
    }
    project.write({MANIFEST: "critical_tables:\n  - name: users\n    required_columns: [id, email]\n"})
    assert project.succeed("check").entry("manifest")["status"] == "passed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["migrate", "--target", "nowhere"], "there is no target 'nowhere'"),
        (["migrate", "--url", "nonsense"], "it has no '://'"),
        (["migrate", "--url", "mysql://app@db/app"], "it begins with 'mysql'"),
        (["migrate", "--url", ""], "the URL is empty"),
        (["migrate", "--to", "nowhere"], "nowhere"),
        (["migrate", "--config", "nowhere.toml"], "there is no configuration file nowhere.toml"),
        (["migrate", "--backup", "perhaps"], "perhaps"),
        (["migrate", "--output", "no/such/folder/report.json"], "there is no folder no/such/folder"),
        (["migrat"], "migrat"),
        (["drift", "--against", "nothing.lock"], "there is no snapshot file nothing.lock"),
        (["backup", "verify", "../../etc"], "there is no backup"),
        (["explain", "chain.cylce"], "chain.cycle"),
    ],
)
def test_a_wrong_command_line_is_told_and_nothing_is_changed(
    arguments: list[str], said: str, project: Project, sqlite_database: DatabaseUrl
) -> None:
    before, there = dump(sqlite_database), project.read_files()
    assert_told(project, *arguments, exit_code=2, said=said)
    assert dump(sqlite_database) == before
    assert project.read_files() == there
