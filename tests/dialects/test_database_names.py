"""A database may be called what looks like an option, an address or a statement: it is the one that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl

NAMES = (
    "-x", "--help", "host=nowhere.example dbname=postgres", "postgresql://nowhere.example/postgres", "x?host=nowhere",
    "a b'c\"d\\%s;--", "ünï#@:/", "select", "n" * 63,
)  # fmt: skip


@pytest.fixture
def named(server_url: DatabaseUrl) -> Iterator[dict[str, DatabaseUrl]]:
    with psycopg.connect(server_url.conninfo, autocommit=True) as server:
        for name in NAMES:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {name: server_url.with_database(name) for name in NAMES}
        for name in NAMES:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_it_is_the_one_that_is_meant(
    named: dict[str, DatabaseUrl], postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    dialect = dialect_of(postgresql_database)
    for number, (name, url) in enumerate(named.items()):
        assert url.database == name
        assert DatabaseUrl.parse(url.text).database == name
        with dialect.connect(url) as connection:
            assert connection.value("SELECT current_database()") == name
            connection.execute("CREATE TABLE t AS SELECT current_database() AS name")
        folder = tmp_path / str(number)
        folder.mkdir()
        dialect.dump(url, folder)
        with dialect.connect(url) as connection:
            connection.execute("DROP TABLE t")
        dialect.restore(folder, url)
        with dialect.connect(url, read_only=True) as connection:
            assert connection.value("SELECT name FROM t") == name
