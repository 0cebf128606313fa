"""A migration speaks of the revisions that it is about to run, and not of what those lack that ran long ago."""

from __future__ import annotations

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Done, Project

ONE_WAY = '''"""something"""
from alembic import op

revision = "{id}"
down_revision = "{after}"


def upgrade():
    op.execute("SELECT 1")


def downgrade():
    {downgrade}
'''


def write_revision(project: Project, id_: str, after: str, *, downgrade: str = "pass") -> None:
    text = ONE_WAY.format(id=id_, after=after, downgrade=downgrade)
    project.write({f"migrations/versions/{id_}.py": text})


def list_remarks(done: Done) -> list[str]:
    return [finding["subject"]["name"] for finding in done.entry("chain")["findings"]]


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_a_migration_tells_of_the_pending_revisions_alone(governed: Project) -> None:
    write_revision(governed, "r3", "r2")
    assert list_remarks(governed.succeed("plan")) == ["r3"]
    assert list_remarks(governed.succeed("migrate")) == ["r3"]
    write_revision(governed, "r4", "r3", downgrade='op.execute("SELECT 1")')
    assert list_remarks(governed.succeed("migrate")) == []
    assert list_remarks(governed.succeed("chain")) == ["r3"]


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_the_history_before_govern_is_no_remark_of_a_migration_from_empty(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, {"govern.toml": 'since = ["r3"]\n'})
    write_revision(project, "r3", "r2")
    write_revision(project, "r4", "r3")
    assert list_remarks(project.succeed("migrate")) == ["r4"]
