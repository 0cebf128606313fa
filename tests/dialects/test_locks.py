"""The migration lock: one contract, every engine."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import psycopg
import pytest

from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql import locks, server
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, Refused

HOLD = """
import sys, time
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
url = DatabaseUrl.parse(sys.argv[1])
with dialect_of(url).hold_migration_lock(url, wait_seconds=0):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_lock_is_refused_naming_its_holder(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    with (
        dialect.hold_migration_lock(any_database, wait_seconds=0),
        pytest.raises(Refused) as refusal,
        dialect.hold_migration_lock(any_database, wait_seconds=0),
    ):
        pass
    assert refusal.value.what == "the migration lock is held by another process"
    assert re.fullmatch(r"pid \d+ \(govern on \S+\) took it \d+s ago", refusal.value.why)
    assert "govern doctor --locks" in refusal.value.next


def test_a_released_lock_is_free(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    for _ in range(2):
        with dialect.hold_migration_lock(any_database, wait_seconds=0):
            pass


def test_a_lock_is_free_after_its_block_raised(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    with pytest.raises(ZeroDivisionError), dialect.hold_migration_lock(any_database, wait_seconds=0):
        _ = 1 / 0
    with dialect.hold_migration_lock(any_database, wait_seconds=0):
        pass


def test_the_wait_for_a_lock_is_bounded(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    with dialect.hold_migration_lock(any_database, wait_seconds=0):
        began = time.monotonic()
        with pytest.raises(Refused), dialect.hold_migration_lock(any_database, wait_seconds=0.6):
            pass
    assert 0.5 < time.monotonic() - began < 3


def test_a_killed_holder_frees_the_lock(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    arguments = [sys.executable, "-c", HOLD, any_database.text]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Refused), dialect.hold_migration_lock(any_database, wait_seconds=0):
            pass
        holder.kill()
    with dialect.hold_migration_lock(any_database, wait_seconds=5):
        pass


def test_databases_are_locked_one_by_one(any_database: DatabaseUrl, server_url: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    other = server_url
    if any_database.dialect == "sqlite":
        other = DatabaseUrl.parse(any_database.text + ".other")
    with (
        dialect.hold_migration_lock(any_database, wait_seconds=0),
        dialect_of(other).hold_migration_lock(other, wait_seconds=0),
    ):
        pass


def test_shared_holders_live_together_but_not_with_a_migration(postgresql_database: DatabaseUrl) -> None:
    url = postgresql_database
    with (
        locks.hold_migration_lock(url, wait_seconds=0, shared=True),
        locks.hold_migration_lock(url, wait_seconds=0, shared=True),
        pytest.raises(Refused),
        locks.hold_migration_lock(url, wait_seconds=0),
    ):
        pass
    with (
        locks.hold_migration_lock(url, wait_seconds=0),
        pytest.raises(Refused),
        locks.hold_migration_lock(url, wait_seconds=0, shared=True),
    ):
        pass


def test_the_queries_take_the_lock_and_name_the_holder(postgresql_database: DatabaseUrl) -> None:
    lock = locks.migration_lock(postgresql_database)
    assert lock.query is not None
    assert lock.holder_query is not None
    with (
        psycopg.connect(postgresql_database.conninfo) as first,
        psycopg.connect(postgresql_database.conninfo, autocommit=True) as second,
    ):
        assert second.execute(lock.holder_query.encode()).fetchall() == []
        assert first.execute(lock.query.encode()).fetchone() == (True,)
        first.commit()
        assert second.execute(lock.query.encode()).fetchone() == (False,)
        ((holder,),) = second.execute(lock.holder_query.encode()).fetchall()
        assert re.fullmatch(
            rf"pid {first.info.backend_pid} \(govern migrate on \S+\) took it \ds ago", holder
        )


def test_a_holder_of_another_name_is_told_as_it_is(postgresql_database: DatabaseUrl) -> None:
    lock = locks.migration_lock(postgresql_database)
    assert lock.holder_query is not None
    with psycopg.connect(postgresql_database.conninfo, application_name="psql since yesterday") as other:
        other.execute(f"SELECT pg_advisory_lock({locks.LOCK_KEY})".encode())
        ((holder,),) = other.execute(lock.holder_query.encode()).fetchall()
    assert re.fullmatch(r"pid \d+ \(psql\) took it \ds ago", holder)


def test_a_lock_lost_while_held_is_told(postgresql_database: DatabaseUrl) -> None:
    # what a proxy does that changes the session under its client
    unlock = f"SELECT pg_advisory_unlock({locks.LOCK_KEY})"
    connect = server.connect
    opened: list[Connection] = []

    def remember(url: DatabaseUrl, *, read_only: bool = False) -> Connection:
        opened.append(connect(url, read_only=read_only))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "connect", remember)
        holder = locks.hold_migration_lock(postgresql_database, wait_seconds=0)
        holder.__enter__()
        assert opened[0].value(unlock) is True
        with pytest.raises(CouldNotCheck, match="lost"):
            holder.__exit__(None, None, None)


def test_the_lock_file_stands_beside_the_database(sqlite_database: DatabaseUrl) -> None:
    lock = dialect_of(sqlite_database).migration_lock(sqlite_database)
    assert lock.file == sqlite_database.path.with_name("database.sqlite.govern-lock")
    assert lock.query is None
