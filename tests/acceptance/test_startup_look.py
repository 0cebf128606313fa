"""How ``validate_on_startup`` looks: in one round trip, without waiting for anybody, and only for a while."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from govern import SchemaRefused, config, validate_on_startup
from govern.core.report import Report
from govern.database.look import open_look
from govern.database.url import DatabaseUrl
from govern.errors import Unreachable
from govern.startup import Question, ask
from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.guarded import prepare
from tests.acceptance.program import Project, execute
from tests.fixtures.faults import wait_until
from tests.fixtures.projects import read_rows
from tests.fixtures.proxy import proxied

HEAVY = (
    *("alembic", "migra", "pydantic", "sqlalchemy", "structlog", "rich", "click", "yaml"),
    *("govern.checks.drift", "govern.database.live", "govern.database.dialect", "govern.revisions"),
    *("govern.database.postgresql.engine", "govern.database.sqlite.engine", "govern.source.manifest"),
)
IMPORTED = """
import os, sys
from govern import validate_on_startup
validate_on_startup(os.environ["DATABASE_URL"])
print(*sorted(sys.modules))
"""


@pytest.fixture
def postgresql(copy_prepared: CopyPrepared) -> Project:
    return copy_prepared("startup", prepare)


def start(project: Project, database: Any = None, **arguments: Any) -> Report:
    return validate_on_startup(database or project.url, config=project.root / "govern.toml", **arguments)


def question(project: Project, url: DatabaseUrl | None = None) -> Question:
    url = url or project.database
    return ask(config.load(config=project.root / "govern.toml", url=url.text, environ={}), url)


# --- fast -------------------------------------------------------------------------------------------------


def test_what_is_heavy_is_imported_only_to_look_closer(governed: Project) -> None:
    def imported() -> set[str]:
        return set(governed.run_python(IMPORTED).out.split())

    assert imported().isdisjoint(HEAVY)
    if governed.database.dialect == "postgresql":
        execute(governed.database, "TRUNCATE notes")
        assert "govern.database.postgresql.engine" in imported()  # the watermark has moved


def test_it_takes_the_round_trips_of_a_session_that_asks_one_question(postgresql: Project) -> None:
    with proxied(postgresql.database) as proxy:
        with psycopg.connect(proxy.url.conninfo, autocommit=True) as session:
            session.execute("SELECT 1")
        wait_until(lambda: proxy.is_quiet)
        bare, proxy.turns = proxy.turns, 0
        assert start(postgresql, proxy.url.text).status == "clean"
        wait_until(lambda: proxy.is_quiet)
        assert proxy.turns == bare


def test_it_opens_one_session_and_leaves_nothing_in_it(postgresql: Project) -> None:
    with open_look(postgresql.database) as look:
        asked = question(postgresql)
        assert look.glance(asked._table, asked.expected.minimum_rows) is not None
        settings = "SHOW statement_timeout", "SHOW lock_timeout", "SHOW transaction_read_only"
        assert [look.connection.value(one) for one in settings] == ["0", "0", "off"]


# --- harmless ---------------------------------------------------------------------------------------------


def test_a_migration_waits_for_neither_a_glance_nor_a_closer_look(postgresql: Project) -> None:
    execute(postgresql.database, "CREATE VIEW bodies AS SELECT body FROM notes")
    asked = question(postgresql)
    impatient = "SET lock_timeout = '50ms'"
    with open_look(postgresql.database) as look:
        look.glance(asked._table, asked.expected.minimum_rows)
        execute(postgresql.database, impatient, "ALTER TABLE users ADD COLUMN age integer")
        with look.reading():
            findings, _ = asked._look_closer(look)
            execute(postgresql.database, impatient, "ALTER TABLE notes ADD COLUMN age integer")
    assert {finding.subject.name for finding in findings} >= {"users.age", "bodies"}


@pytest.mark.parametrize("table", ["users", "alembic_version"])
def test_a_table_that_a_migration_has_locked_is_told_within_seconds_and_waited_for(
    postgresql: Project, table: str
) -> None:
    with psycopg.connect(postgresql.database.conninfo) as migration:
        migration.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        began = time.monotonic()
        with pytest.raises(SchemaRefused, match="is being changed") as caught:
            start(postgresql)
        assert time.monotonic() - began < 4
        assert {finding.rule.id for finding in caught.value.report.findings} == {"startup.migrating"}
        assert "wait_seconds" in caught.value.next

        def let_go(_seconds: float) -> None:
            migration.rollback()

        assert start(postgresql, wait_seconds=60, sleep=let_go).status == "clean"


# --- bounded ----------------------------------------------------------------------------------------------


def test_a_server_that_hangs_ends_the_look_in_time(postgresql: Project) -> None:
    asked = question(postgresql)
    with stopping() as stop:
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"does not answer within 0.2 s"):
            ask_a_session_that(stop, postgresql.database, asked)
        assert time.monotonic() - began < 3


def ask_a_session_that(stop: Callable[[int], None], url: DatabaseUrl, asked: Question) -> None:
    with open_look(url, timeout_seconds=0.2) as look:
        stop(look.connection.value("SELECT pg_backend_pid()"))
        look.glance(asked._table, {})


class stopping:  # noqa: N801 - used as a function
    """Stops sessions' processes; they go on at the end."""

    def __init__(self) -> None:
        self._stopped: list[int] = []

    def __enter__(self) -> Callable[[int], None]:
        return self._stop

    def _stop(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self._stopped.append(pid)

    def __exit__(self, *_: object) -> None:
        for pid in self._stopped:
            os.kill(pid, signal.SIGCONT)


def test_a_server_that_works_for_too_long_ends_it_too(postgresql: Project) -> None:
    began = time.monotonic()
    with (
        pytest.raises(Unreachable, match=r"does not answer within 0.3 s"),
        open_look(postgresql.database, timeout_seconds=0.3) as look,
        look.reading(),
    ):
        look.connection.rows("SELECT pg_sleep(60)")
    assert time.monotonic() - began < 3


def test_a_place_where_nobody_answers_is_unreachable(postgresql: Project) -> None:
    with pytest.raises(SchemaRefused) as caught:
        start(postgresql, "postgresql://app@127.0.0.1:1/app")
    assert {finding.rule.id for finding in caught.value.report.findings} == {"startup.unreachable"}


# --- engines ----------------------------------------------------------------------------------------------


def test_a_connection_is_borrowed_of_an_engine_whose_url_alone_leads_nowhere(postgresql: Project) -> None:
    made: list[int] = []

    def create() -> psycopg.Connection[Any]:
        made.append(1)
        return psycopg.connect(postgresql.database.conninfo)

    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere", creator=create)
    assert start(postgresql, engine).status == "clean"
    engine.dispose()
    assert made == [1]


def test_an_event_that_gives_the_password_is_heard(postgresql: Project) -> None:
    url = postgresql.database.text.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url.replace(postgresql.database.database, "not_there"), poolclass=NullPool)

    @event.listens_for(engine, "do_connect")
    def give(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["dbname"] = postgresql.database.database

    assert start(postgresql, engine).status == "clean"


@pytest.mark.parametrize("level", [None, "AUTOCOMMIT"])
def test_what_was_borrowed_goes_back_as_it_came(postgresql: Project, level: str | None) -> None:
    url = postgresql.database.text.replace("postgresql:", "postgresql+psycopg:")
    options: dict[str, Any] = {"isolation_level": level} if level else {}
    engine = create_engine(url, pool_size=1, max_overflow=0, **options)

    def describe() -> tuple[Any, ...]:
        lent = engine.raw_connection()
        driver: Any = lent.driver_connection
        told = driver.info.backend_pid, driver.autocommit, driver.prepare_threshold
        lent.close()
        return told

    before = describe()
    assert start(postgresql, engine).status == "clean"
    execute(postgresql.database, "ALTER TABLE users ADD COLUMN age integer")
    with pytest.raises(SchemaRefused):
        start(postgresql, engine)
    assert describe() == before
    engine.dispose()


def test_a_connection_that_hung_is_thrown_away(postgresql: Project) -> None:
    engine = create_engine(
        postgresql.database.text.replace("postgresql:", "postgresql+psycopg:"), pool_size=1, max_overflow=0
    )
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with stopping() as stop:
        stop(pid)
        with pytest.raises(SchemaRefused, match=r"does not answer within 0.2 s"):
            start(postgresql, engine, timeout_seconds=0.2)
    assert start(postgresql, engine).status == "clean"
    engine.dispose()


def test_an_engine_that_has_no_connection_left_is_not_waited_for_for_ever(postgresql: Project) -> None:
    engine = create_engine(
        postgresql.database.text.replace("postgresql:", "postgresql+psycopg:"), pool_size=1, max_overflow=0
    )
    with engine.connect(), pytest.raises(SchemaRefused, match=r"has not made a connection .* within 0.2 s"):
        start(postgresql, engine, timeout_seconds=0.2)
    engine.dispose()


def test_a_creator_that_raises_is_told_without_its_secrets(postgresql: Project) -> None:
    def create() -> Any:
        raise PermissionError("token of nobody:pass-77d is no longer valid")

    engine = create_engine("postgresql+psycopg://nobody:pass-77d@127.0.0.1:1/nowhere", creator=create)
    with pytest.raises(SchemaRefused, match="could not make a connection") as caught:
        start(postgresql, engine)
    assert "PermissionError: token of" in caught.value.why
    assert "pass-77d" not in str(caught.value)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_an_async_engine_is_asked_for_its_url_also_from_within_a_loop(
    postgresql: Project, driver: str
) -> None:
    async def main() -> str:
        engine = create_async_engine(postgresql.database.text.replace("postgresql:", f"postgresql+{driver}:"))
        try:
            return (await asyncio.to_thread(start, postgresql, engine)).status
        finally:
            await engine.dispose()

    assert asyncio.run(main()) == "clean"


def test_sessions_end_with_the_look(postgresql: Project) -> None:
    start(postgresql)
    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    wait_until(lambda: read_rows(postgresql.database, count) == [(0,)], seconds=5)
