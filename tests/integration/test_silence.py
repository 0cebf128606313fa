"""An answer that is not coming ends the wait for it; one that takes its time does not."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from govern.core.snapshot import Snapshot
from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql import server, silence
from govern.database.postgresql.silence import WatchedConnection
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import Unreachable
from tests.fixtures.proxy import Proxy, proxied


@pytest.fixture
def proxy(postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(silence, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(silence, "_ANSWER_SECONDS", 2)
    with proxied(postgresql_database) as one:
        yield one


def test_a_statement_may_take_longer_than_a_session_is_silent(proxy: Proxy) -> None:
    with server.connect(proxy.url) as connection:
        assert connection.value("SELECT 'done' FROM pg_sleep(1.5)") == "done"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_question_that_was_lost_on_its_way_is_not_waited_for(proxy: Proxy, read_only: bool) -> None:
    proxy.swallows = lambda data: b"lost" in data
    with pytest.raises(Unreachable) as raised, server.connect(proxy.url, read_only=read_only) as connection:
        connection.value("SELECT 'lost'")
    assert raised.value.what.endswith("broke off")
    assert "what was sent was lost" in raised.value.why
    assert raised.value.next


def test_nor_where_new_connections_hang_as_well(proxy: Proxy) -> None:
    connection = server.connect(proxy.url)
    proxy.swallows = lambda _: True
    with pytest.raises(Unreachable) as raised, connection:
        connection.value("SELECT 1")
    assert "a new connection gets no answer either" in raised.value.why


def test_a_transaction_around_it_ends_with_the_same_error(proxy: Proxy) -> None:
    proxy.swallows = lambda data: b"lost" in data
    with (
        pytest.raises(Unreachable),
        server.connect(proxy.url) as connection,
        connection.transaction(),
    ):
        connection.value("SELECT 'lost'")


def test_a_server_that_has_no_connection_left_may_still_answer(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.connect(proxy.url) as connection:

        def refuse(**_: object) -> None:
            raise psycopg.OperationalError("FATAL:  sorry, too many clients already")

        monkeypatch.setattr(psycopg, "connect", refuse)
        assert connection.value("SELECT 'done' FROM pg_sleep(1)") == "done"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that has just become idle has answered."""
    monkeypatch.setattr(silence, "_HAVE_ANSWERED", silence._HAVE_ANSWERED.replace("'5 s'", "'0 s'"))


def _driver(connection: Connection) -> Any:
    return connection.driver


@pytest.mark.usefixtures("at_once")
def test_who_waits_for_a_notification_is_owed_nothing(proxy: Proxy) -> None:
    with server.connect(proxy.url) as connection:
        connection.execute("LISTEN news")
        assert list(_driver(connection).notifies(timeout=1)) == []
        connection.execute("NOTIFY news")
        assert len(list(_driver(connection).notifies(timeout=1, stop_after=1))) == 1


@pytest.mark.usefixtures("at_once")
def test_an_answer_that_comes_while_the_server_is_asked_is_taken(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_loss = WatchedConnection._find_loss

    def come_late(self: WatchedConnection, waited: float) -> str | None:
        time.sleep(1)
        found.append(find_loss(self, waited))
        return found[-1]

    found: list[str | None] = []
    monkeypatch.setattr(WatchedConnection, "_find_loss", come_late)
    with server.connect(proxy.url) as connection:
        assert connection.value("SELECT 'done' FROM pg_sleep(0.6)") == "done"
    assert found[0] is not None


@pytest.mark.usefixtures("at_once")
def test_a_session_of_another_age_is_another_one(proxy: Proxy) -> None:
    """Of a proxy, or of a second server behind one address, whose processes have the same numbers."""
    with server.connect(proxy.url) as connection:
        assert _driver(connection)._find_loss(0) is not None
        _driver(connection)._opened -= 60
        assert _driver(connection)._find_loss(0) is None


@pytest.mark.usefixtures("at_once")
def test_a_role_without_any_right_sees_its_own_session(
    proxy: Proxy, postgresql_database: DatabaseUrl
) -> None:
    role = sql.Identifier("nobody_" + postgresql_database.database)
    with server.connect(postgresql_database) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    try:
        url = DatabaseUrl.parse(
            proxy.url.text.replace("postgres@", f"nobody_{postgresql_database.database}@")
        )
        proxy.swallows = lambda data: b"lost" in data
        with pytest.raises(Unreachable) as raised, server.connect(url) as connection:
            connection.value("SELECT 'lost'")
        assert "was lost" in raised.value.why
    finally:
        with server.connect(postgresql_database) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.usefixtures("at_once")
def test_a_copy_and_a_wait_for_a_lock_are_work(proxy: Proxy, postgresql_database: DatabaseUrl) -> None:
    with server.connect(postgresql_database) as other, server.connect(proxy.url) as connection:
        other.execute("CREATE TABLE t (n integer)")
        _driver(other).execute("BEGIN; LOCK t")
        release = threading.Timer(1.5, lambda: other.execute("COMMIT"))
        release.start()
        with _driver(connection).cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
            for number in range(1000):
                copy.write_row((number,))
        release.join()
        assert connection.value("SELECT count(*) FROM t") == 1000


@pytest.mark.usefixtures("at_once")
def test_a_session_that_is_stopped_at_its_work_may_go_on(proxy: Proxy) -> None:
    with server.connect(proxy.url) as connection:
        process = connection.value("SELECT pg_backend_pid()")
        stop = threading.Timer(0.2, os.kill, (process, signal.SIGSTOP))
        go_on = threading.Timer(2, os.kill, (process, signal.SIGCONT))
        try:
            stop.start()
            go_on.start()
            assert connection.value("SELECT 'done' FROM pg_sleep(0.5)") == "done"
        finally:
            stop.join()
            go_on.join()


@pytest.mark.usefixtures("proxy")
def test_another_thread_may_cancel_a_wait(postgresql_database: DatabaseUrl) -> None:
    with server.connect(postgresql_database) as connection:
        cancel = threading.Timer(1, _driver(connection).cancel_safe)
        cancel.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.value("SELECT pg_sleep(60)")
        cancel.join()
        assert connection.value("SELECT 1") == 1


def test_nothing_of_the_connection_tells_the_password(postgresql_database: DatabaseUrl) -> None:
    url = DatabaseUrl.parse(f"{postgresql_database.text}&password=s3cr3t")
    with server.connect(url) as connection:
        driver = _driver(connection)
        assert driver._parameters()["password"] == "s3cr3t"
        kept = [getattr(driver, name, None) for name in dir(driver) if name != "info"]
        assert "s3cr3t" not in f"{driver!r}{vars(driver)!r}{kept!r}"


def test_a_snapshot_is_asked_for_at_once(proxy: Proxy) -> None:
    """At fifty milliseconds a round trip, one for each kind of object is what a look at a tenant takes."""
    dialect, table = dialect_of(proxy.url), VersionTable()
    with server.connect(proxy.url) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n > 0))")
        connection.execute("CREATE VIEW v AS SELECT id FROM t")
    with server.connect(proxy.url, read_only=True) as connection:
        before = proxy.turns
        snapshot: Snapshot = dialect.read_snapshot(connection, table)
        turns = proxy.turns - before
    assert len({key.kind for key in snapshot.objects}) > 4
    assert turns <= 8


def test_a_large_schema_is_read_the_same_one_by_one(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect, table = dialect_of(proxy.url), VersionTable()
    with server.connect(proxy.url) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n > 0))")
        before = proxy.turns
        at_once = dialect.read_snapshot(connection, table)
        turns = proxy.turns - before
        monkeypatch.setattr("govern.database.postgresql.catalog.snapshot._IS_SMALL", "SELECT false")
        assert dialect.read_snapshot(connection, table) == at_once
        assert proxy.turns - before > 2 * turns
