"""The fixtures. Nothing is imported before one is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from govern.pytest_plugin.database import GovernDatabase, GovernSnapshot, GovernTemplate


@pytest.fixture(scope="session")
def govern_template(pytestconfig: pytest.Config) -> GovernTemplate:
    """A database with all revisions applied, made once a worker: ``with govern_template.copy() as database:``."""
    from govern.pytest_plugin.database import GovernTemplate

    return GovernTemplate(pytestconfig)


@pytest.fixture
def govern_database(
    request: pytest.FixtureRequest, govern_template: GovernTemplate
) -> Iterator[GovernDatabase]:
    """A migrated database for this test alone: a copy of the template, dropped afterwards."""
    changes_schema = request.node.get_closest_marker("govern_ddl") is not None
    with govern_template.copy(used_by=request.node.nodeid, changes_schema=changes_schema) as database:
        yield database


@pytest.fixture
def govern_snapshot(request: pytest.FixtureRequest, govern_template: GovernTemplate) -> GovernSnapshot:
    """Call it for a database's schema as a value; without one it is that of this test's ``govern_database``."""
    from govern.pytest_plugin.database import GovernSnapshot

    return GovernSnapshot(govern_template, lambda: request.getfixturevalue("govern_database"))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Two snapshots that should be equal: what differs, and not all of both."""
    if op != "==" or type(left).__name__ != "Snapshot" or type(right).__name__ != "Snapshot":
        return None
    from govern.pytest_plugin.database import explain_difference

    return explain_difference(left, right)
