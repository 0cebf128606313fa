"""The connection that migrates notices a network that swallows everything, whatever its driver."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from govern.database.url import DatabaseUrl
from govern.revisions.child.driver_connection import find_descriptor
from govern.revisions.child.keepalive import keep_alive
from tests.fixtures.proxy import proxied

USER_TIMEOUT = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the option is of Linux")


@pytest.fixture
def over_tcp(server_url: DatabaseUrl) -> Iterator[sa.URL]:
    with proxied(server_url) as proxy:
        yield sa.make_url(proxy.url.text).set(query={})


def read_options(connection: sa.Connection, url: sa.URL) -> tuple[int, int]:
    """Whether it is kept alive, and the milliseconds after which what is not confirmed is given up."""
    driver = connection.connection.dbapi_connection
    keep_alive(driver, url)
    with socket.socket(fileno=os.dup(find_descriptor(driver))) as connected:
        return (
            connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
        )


@USER_TIMEOUT
def test_a_connection_over_tcp_is_kept_alive(over_tcp: sa.URL) -> None:
    engine = sa.create_engine(over_tcp.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        assert read_options(connection, over_tcp) == (1, 10_000)


@USER_TIMEOUT
def test_an_asynchronous_one_is_kept_alive(over_tcp: sa.URL) -> None:
    async def ask() -> tuple[int, int]:
        engine = create_async_engine(over_tcp.set(drivername="postgresql+asyncpg"), poolclass=NullPool)
        async with engine.connect() as connection:
            return await connection.run_sync(read_options, over_tcp)

    assert asyncio.run(ask()) == (1, 10_000)


@USER_TIMEOUT
def test_what_the_url_says_of_it_counts(over_tcp: sa.URL) -> None:
    said = over_tcp.set(drivername="postgresql+psycopg", query={"tcp_user_timeout": "60000"})
    with sa.create_engine(said, poolclass=NullPool).connect() as connection:
        assert read_options(connection, said)[1] == 60_000


def test_a_unix_socket_and_sqlite_are_left_alone(server_url: DatabaseUrl) -> None:
    for text in (server_url.text.replace("postgresql://", "postgresql+psycopg://"), "sqlite://"):
        url = sa.make_url(text)
        with sa.create_engine(url, poolclass=NullPool).connect() as connection:
            keep_alive(connection.connection.dbapi_connection, url)
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
