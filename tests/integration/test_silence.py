"""An answer that is not coming ends the wait for it; one that takes its time does not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.postgresql import server
from govern.database.postgresql.silence import WatchedConnection
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import Unreachable
from tests.fixtures.proxy import Proxy, proxied


@pytest.fixture
def proxy(postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(WatchedConnection, "silent_seconds", 0.3)
    monkeypatch.setattr("govern.database.postgresql.silence._ANSWER_SECONDS", 2)
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
    assert "what was sent has been lost" in raised.value.why
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
