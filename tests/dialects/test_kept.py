"""What restores keep is told by its name from everything else, and goes only while nobody is at it."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from govern.core.retention import KeptDatabase
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.errors import NotPermitted
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeRole, with_credentials

MOMENT = "20200229120000"


def names_of(url: DatabaseUrl) -> list[str]:
    return [kept.name for kept in dialect_of(url).find_kept(url)]


def make_beside(url: DatabaseUrl, name: str) -> str:
    """As it is called in the ledger."""
    if url.dialect == "sqlite":
        file = url.path.with_name(name)
        file.write_bytes(b"x" * 100)
        return str(file)
    execute(url, f'CREATE DATABASE "{name}"')
    return name


@pytest.fixture
def infix(any_database: DatabaseUrl) -> str:
    return ".before-restore-" if any_database.dialect == "sqlite" else "_before_restore_"


def test_only_what_is_named_so_is_found_and_dropped(any_database: DatabaseUrl, infix: str) -> None:
    dialect, live = dialect_of(any_database), any_database.database.rpartition("/")[2]
    made = make_beside(any_database, f"{live}{infix}{MOMENT}")
    others = [
        make_beside(any_database, name)
        for name in (
            f"{live}{infix}2020022912000x",
            f"{live}x{infix}{MOMENT}",
            f"{live}{infix}20201329120000",
        )
    ]
    try:
        (kept,) = dialect.find_kept(any_database)
        assert (kept.name, kept.kept_at) == (made, datetime(2020, 2, 29, 12, tzinfo=UTC))
        assert kept.bytes == 100 if any_database.dialect == "sqlite" else kept.bytes
        assert dialect.drop_kept(any_database, kept)
        assert dialect.find_kept(any_database) == ()
        assert dialect.drop_kept(any_database, kept), "it is gone already, as was asked for"
    finally:
        if any_database.dialect == "postgresql":
            execute(any_database, *(f'DROP DATABASE "{name}"' for name in others))
    assert any_database.dialect == "postgresql" or all(Path(name).exists() for name in others)


def test_a_database_of_another_role_is_found_and_not_dropped(
    postgresql_database: DatabaseUrl, make_role: MakeRole
) -> None:
    login = make_role("reader", "s3cret")
    credentials = psycopg.conninfo.conninfo_to_dict(login.conninfo)
    url = with_credentials(postgresql_database, str(credentials["user"]), str(credentials["password"]))
    name = make_beside(postgresql_database, f"{postgresql_database.database}_before_restore_{MOMENT}")
    try:
        execute(postgresql_database, f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
        (kept,) = dialect_of(url).find_kept(url)
        assert (kept.name, kept.bytes) == (name, None)
        with pytest.raises(NotPermitted):
            dialect_of(url).drop_kept(url, kept)
        assert names_of(postgresql_database) == [name]
    finally:
        execute(postgresql_database, f'DROP DATABASE "{name}"')


def test_a_link_is_no_kept_file_and_one_that_is_open_with_a_log_is_in_use(
    sqlite_database: DatabaseUrl,
) -> None:
    dialect = dialect_of(sqlite_database)
    file = Path(f"{sqlite_database.path}.before-restore-{MOMENT}")
    file.symlink_to(sqlite_database.path)
    assert names_of(sqlite_database) == []
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE a (b)")
        kept = KeptDatabase(name=str(file), kept_at=datetime.now(UTC), bytes=1)
        assert not dialect.drop_kept(sqlite_database, kept)
        assert file.exists()
    assert dialect.drop_kept(sqlite_database, kept)
    assert list(file.parent.glob(f"{file.name}*")) == []
