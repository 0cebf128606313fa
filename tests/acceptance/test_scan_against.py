"""Code beside other schemas than the declared one, and beside both that a deployment meets."""

from __future__ import annotations

import pytest

from tests.acceptance.program import Project, assert_told

CODE = {
    "service/notes.py": """
def notes(connection):
    connection.execute("SELECT id, title FROM notes")
    connection.execute("SELECT id, body FROM notes")
    return connection.execute("SELECT id, boddy FROM notes")
""",
}
RENAME = """
from alembic import op

revision, down_revision = "r3", "r2"


def upgrade():
    op.alter_column("notes", "body", new_column_name="title")


def downgrade():
    op.alter_column("notes", "title", new_column_name="body")
"""


def rename(project: Project) -> Project:
    """A revision is pending that renames a column, as the models say already."""
    models = (project.root / "app/models.py").read_text().replace("body = ", "title = ")
    project.write({**CODE, "app/models.py": models, "migrations/versions/r3_rename.py": RENAME})
    return project


def missing(project: Project, *arguments: str) -> dict[str, str | None]:
    """The columns that are found missing, and in which schema they are where the finding says so."""
    done = project.ask("scan", "service", *arguments)
    assert {finding["rule"] for finding in done.findings} <= {"scan.undefined-column"}
    return {finding["subject"]["name"]: finding["evidence"].get("schema") for finding in done.findings}


def test_code_that_breaks_while_revisions_are_applied_is_found_with_the_schema_that_refuses_it(
    governed: Project,
) -> None:
    project = rename(governed)
    assert missing(project) == {"body": None, "boddy": None}
    assert missing(project, "--across-pending") == {"title": "before", "body": "after", "boddy": None}
    ignored = CODE["service/notes.py"].replace(
        'title FROM notes")', 'title FROM notes")  # govern: ignore[scan.undefined-column] deployed later'
    )
    project.write({"service/notes.py": ignored})
    assert missing(project, "--across-pending") == {"body": "after", "boddy": None}
    project.succeed("migrate")
    report = project.ask("scan", "service", "--across-pending")
    assert "no revision is pending" in report.out


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_a_workaround_is_none_of_the_pending_revisions(governed: Project) -> None:
    project = rename(governed)
    project.write(
        {
            "service/notes.py": "def owner(connection):\n"
            '    row = connection.execute("SELECT user_id FROM notes").fetchone()\n'
            '    return int(row["user_id"])\n'
        }
    )
    done = project.ask("scan", "service", "--across-pending", "--column", "notes.user_id")
    [finding] = done.findings
    assert finding["message"].startswith("certain: ")
    assert "schema" not in finding["evidence"]


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_code_is_held_against_the_schema_that_is_named(governed: Project) -> None:
    project = rename(governed)
    assert missing(project, "--against", "head") == {"body": None, "boddy": None}
    assert project.url is not None
    assert missing(project, "--against", project.url) == {"title": None, "boddy": None}
    assert_told(
        project, "scan", "service", "--against", "schema/schema.lock", exit_code=2, said="snapshot file"
    )
