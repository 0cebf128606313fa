"""What the fixtures give to a test, without a server."""

from __future__ import annotations

import pytest

from govern.core.snapshot import ObjectKey, Snapshot
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.pytest_plugin import GovernDatabase
from govern.pytest_plugin.collection import choose_tests
from govern.pytest_plugin.database import explain_difference
from govern.pytest_plugin.suite import NAMES

POSTGRESQL = DatabaseUrl.parse("postgresql://app:s3cret@db/shop?sslmode=disable")


@pytest.mark.parametrize(
    ("own", "url", "engine"),
    [
        ("postgresql+psycopg", "postgresql+psycopg", "postgresql+psycopg"),
        ("postgresql+asyncpg", "postgresql+asyncpg", "postgresql+psycopg"),
        ("postgres", "postgresql+psycopg", "postgresql+psycopg"),
    ],
)
def test_the_url_has_the_projects_driver_and_the_engine_one_that_needs_no_loop(
    own: str, url: str, engine: str
) -> None:
    database = GovernDatabase(POSTGRESQL, own)
    assert database.url == f"{url}://app:s3cret@db/shop?sslmode=disable"
    assert database.engine.url.drivername == engine
    assert database.conninfo == POSTGRESQL.text
    assert "s3cret" not in repr(database)


def test_a_sqlite_database_has_a_path_and_postgresql_a_conninfo() -> None:
    sqlite = GovernDatabase(DatabaseUrl.parse("sqlite:////data/a.db"), "sqlite+aiosqlite")
    assert sqlite.url == "sqlite+aiosqlite:////data/a.db"
    assert str(sqlite.path) == "/data/a.db"
    with pytest.raises(ConfigurationError):
        _ = sqlite.conninfo
    with pytest.raises(ConfigurationError):
        _ = GovernDatabase(POSTGRESQL, "postgresql").path


def test_snapshots_that_differ_are_explained_by_what_differs() -> None:
    table = ObjectKey("table", "public", "audit")
    bare = Snapshot(dialect="postgresql", server_version="18.4", objects={})
    more = Snapshot(dialect="postgresql", server_version="18.4", objects={table: {}})
    lead, line = explain_difference(more, bare)
    assert "1 difference" in lead
    assert line == "table public.audit exists, but is not declared"


@pytest.mark.parametrize(
    ("given", "chosen"),
    [((), NAMES), (("True",), NAMES), (("all",), NAMES), (("up_down_up",), ("up_down_up",))],
)
def test_which_tests_are_meant(given: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert choose_tests(given) == chosen
