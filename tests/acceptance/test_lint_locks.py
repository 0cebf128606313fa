"""What ``govern lint`` observes on a copy, with the rows of the live database; and what ``migrate`` makes of the
manifest's allowances."""

from __future__ import annotations

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.acceptance.test_lint import DROPS, MANIFEST, NEW

INDEX = DROPS.replace(
    'op.drop_column("notes", "body")', 'op.create_index("ix", "notes", ["user_id"])'
).replace('op.add_column("notes", sa.Column("body", sa.Text))', 'op.drop_index("ix", "notes")')


@pytest.fixture
def deployed(make_project: MakeProject, postgresql_database: DatabaseUrl) -> Project:
    project = make_project("plain", postgresql_database)
    project.succeed("migrate", "--backup", "off")
    return project


def test_a_large_table_is_an_error_and_a_small_one_an_information(deployed: Project) -> None:
    deployed.write({NEW: INDEX})
    (small,) = deployed.succeed("lint").findings
    assert (small["rule"], small["severity"]) == ("lint.index-not-concurrent", "info")
    execute(
        deployed.database,
        "INSERT INTO notes SELECT n, 1, '' FROM generate_series(1, 20000) n",
        "ANALYZE notes",
    )
    done = deployed.ask("lint")
    assert done.exit_code == 1, done
    (large,) = done.findings
    assert large["severity"] == "error"
    assert large["message"].startswith("building index ix blocks all writes to notes, 20.0 k rows")
    assert large["subject"]["path"] == NEW


@pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
def test_a_hazard_the_manifest_allows_is_allowed_to_migrate(governed: Project) -> None:
    model = "    body = Column(Text, nullable=False)\n"
    governed.edit("app/models.py", model, "")
    governed.write({NEW: DROPS})
    governed.ask("lock")
    refused = governed.ask("migrate")
    assert refused.exit_code == 4, refused
    governed.write({"schema/governance.yaml": MANIFEST % "2020-12-31"})
    assert governed.ask("migrate").exit_code == 4
    governed.write({"schema/governance.yaml": MANIFEST % "2999-12-31"})
    governed.succeed("migrate")
