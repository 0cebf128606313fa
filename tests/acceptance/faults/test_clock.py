"""A clock that was put back, with libfaketime: what comes later is later all the same."""

from __future__ import annotations

import shutil

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN

pytestmark = pytest.mark.skipif(
    shutil.which("faketime") is None, reason="faketime is not installed (apt-get install faketime)"
)


@pytest.mark.long_fault
def test_a_run_under_a_clock_that_was_put_back_is_the_newest(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r1")
    done = project.run("faketime", "-f", "-400d", str(GOVERN), "migrate", "--rehearse", "off")
    assert done.exit_code == 0, done
    newest, oldest = project.succeed("history").report["runs"]
    assert (newest["to_revision"], oldest["to_revision"]) == (["r2"], ["r1"])
    assert newest["started_at"] < oldest["started_at"]
    project.succeed("migrate")  # nothing is pending, and nothing is marked unhealthy
    project.succeed("health")
