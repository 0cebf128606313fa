"""Alembic waits for no answer that is known not to come, whatever the driver; for one that takes its time it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from govern import api
from govern.config import Settings
from govern.database.postgresql import silence
from govern.database.url import DatabaseUrl
from govern.errors import FailedMidway
from govern.revisions import runner
from govern.revisions.protocol import ChildError
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject, read_rows, read_version
from tests.fixtures.proxy import Proxy, proxied

LOST = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE amounts AS SELECT 7 AS amount")
    op.execute("SELECT 'lost'")
"""
FILES = {"migrations/versions/r3.py": LOST}
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database <> 0"


@pytest.fixture
def proxy(postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for module in (runner, silence):
        monkeypatch.setattr(module, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(silence, "_HAVE_ANSWERED", silence._HAVE_ANSWERED.replace("'5 s'", "'0.3 s'"))
    monkeypatch.setattr(silence, "_ANSWER_SECONDS", 2)
    with proxied(postgresql_database) as one:
        yield one


def upgrade_on(settings: Settings, driver: str, url: DatabaseUrl) -> ChildError | None:
    ini = settings.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://", f"postgresql+{driver}://"))
    return Runner(settings).upgrade(url).error


@pytest.mark.parametrize(
    ("project", "driver"),
    [("plain", "psycopg"), ("asynchronous", "psycopg"), ("asynchronous", "asyncpg")],
)
def test_a_statement_that_was_lost_is_a_connection_that_broke(
    project: str, driver: str, proxy: Proxy, copy_project: CopyProject
) -> None:
    proxy.swallows = lambda data: b"'lost'" in data
    error = upgrade_on(copy_project(project, FILES), driver, proxy.url)
    assert error is not None
    assert error.is_cut
    assert "what was sent was lost" in error.message
    assert (error.revision, error.statement) == ("r3", "SELECT 'lost'")
    assert (error.file, error.line) == ("migrations/versions/r3.py", 7)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_so_is_a_commit(driver: str, proxy: Proxy, copy_project: CopyProject) -> None:
    proxy.swallows = lambda data: data[:1] in b"QP" and b"COMMIT" in data
    error = upgrade_on(copy_project("asynchronous", FILES), driver, proxy.url)
    assert error is not None
    assert error.is_cut
    assert "what was sent was lost" in error.message


def test_it_ends_where_new_connections_hang_as_well(proxy: Proxy, copy_project: CopyProject) -> None:
    def swallow_from_then_on(data: bytes) -> bool:
        hangs.append(b"'lost'" in data)
        return any(hangs)

    hangs: list[bool] = []
    proxy.swallows = swallow_from_then_on
    error = upgrade_on(copy_project("plain", FILES), "psycopg", proxy.url)
    assert error is not None
    assert error.is_cut
    assert "a new connection gets no answer either" in error.message


def test_a_child_that_waits_all_the_same_is_ended(proxy: Proxy, copy_project: CopyProject) -> None:
    """As with a driver that shows nobody its socket."""
    waiting = f"import sys\nsys.modules['govern_child.silence'].Silence.cut = lambda _: None\n{LOST}"
    proxy.swallows = lambda data: b"'lost'" in data
    error = upgrade_on(copy_project("plain", {"migrations/versions/r3.py": waiting}), "psycopg", proxy.url)
    assert error is not None
    assert (error.type, error.is_cut, error.revision) == ("ChildDied", True, "r3")
    assert "what was sent was lost" in error.message


@pytest.mark.parametrize(
    ("project", "driver"), [("plain", "psycopg"), ("asynchronous", "psycopg"), ("asynchronous", "asyncpg")]
)
def test_a_statement_may_take_its_time(
    project: str, driver: str, proxy: Proxy, copy_project: CopyProject
) -> None:
    slow = {"migrations/versions/r3.py": LOST.replace("'lost'", "pg_sleep(3)")}
    assert upgrade_on(copy_project(project, slow), driver, proxy.url) is None


def test_and_so_may_a_revision_that_asks_nothing(proxy: Proxy, copy_project: CopyProject) -> None:
    """Its session is idle, and owes no answer."""
    slow = {
        "migrations/versions/r3.py": LOST.replace(
            "op.execute(\"SELECT 'lost'\")", "__import__('time').sleep(3)"
        )
    }
    assert upgrade_on(copy_project("plain", slow), "psycopg", proxy.url) is None


def test_a_migration_reads_back_what_became_of_it(
    proxy: Proxy, postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    def swallow_once(data: bytes) -> bool:
        is_lost = (
            b"'lost'" in data and not seen
        )  # what is written down of the failure names the statement, too
        seen.extend([data] if is_lost else [])
        return is_lost

    seen: list[bytes] = []
    proxy.swallows = swallow_once
    project = copy_project("plain", FILES)
    began = time.monotonic()
    with pytest.raises(FailedMidway) as raised:
        api.migrate(replace(project, url=proxy.url.text), backup="off", rehearse="off")
    assert time.monotonic() - began < 60
    assert "what was sent was lost" in raised.value.why
    assert raised.value.state.startswith("the database is as it was, at base")
    assert read_rows(postgresql_database, LOCKS) == [(0,)]
    proxy.swallows = lambda _: False
    api.migrate(replace(project, url=proxy.url.text), backup="off", rehearse="off")
    assert read_version(postgresql_database) == {"r3"}
