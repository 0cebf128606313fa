"""The migration lock as the runner takes it: one migrates, the others wait, and nobody deadlocks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from govern.config import Settings
from govern.database.dialect import MigrationLock
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.errors import NotPermitted, Refused, Unreachable
from govern.revisions.protocol import Event, Locked, Statement, Waiting
from govern.revisions.runner import Outcome, Runner
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version

pytestmark = pytest.mark.usefixtures("started_children")

REVISION = """
import time
from alembic import op
revision, down_revision = "r0", None

def upgrade():
    time.sleep({seconds})
    op.execute("CREATE TABLE counted (id INTEGER)")
    op.execute("INSERT INTO counted VALUES (1)")
"""


def slow_first_revision(seconds: float) -> dict[str, str | None]:
    return {
        "migrations/versions/r0.py": REVISION.format(seconds=seconds),
        "migrations/versions/r1_users.py": None,
        "migrations/versions/r2_notes.py": None,
    }


def start_at_once(count: int, settings: Settings, url: DatabaseUrl) -> list[Outcome]:
    """So many upgrades with the lock, behind a barrier: without one a race proves nothing."""
    barrier = threading.Barrier(count)
    lock = dialect_of(url).migration_lock(url)

    def start(_: int) -> Outcome:
        barrier.wait()
        return Runner(settings).upgrade(url, lock=lock, wait_seconds=120)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def applied(outcomes: list[Outcome]) -> list[str]:
    return sorted(done.revision for outcome in outcomes for done in outcome.revisions)


def test_ten_starters_from_empty_apply_each_revision_once(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcomes = start_at_once(10, copy_project("plain"), any_database)
    assert [outcome.error for outcome in outcomes] == [None] * 10
    assert applied(outcomes) == ["r1", "r2"]
    assert read_version(any_database) == {"r2"}
    assert read_rows(any_database, "SELECT count(*) FROM users") == [(1,)]


def test_without_the_lock_starters_do_harm(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain", slow_first_revision(4))
    barrier = threading.Barrier(3)

    def start(_: int) -> Outcome:
        barrier.wait()
        return Runner(settings).upgrade(postgresql_database)

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(start, range(3)))
    assert any(outcome.error is not None for outcome in outcomes)


def test_starters_of_a_chain_with_a_concurrent_index_do_not_deadlock(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    outcomes = start_at_once(5, copy_project("concurrent_index"), postgresql_database)
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert applied(outcomes) == ["r1", "r2", "r3"]
    assert read_version(postgresql_database) == {"r3"}
    assert read_rows(postgresql_database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def test_on_locked_sees_the_database_before_anything_is_executed(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    seen: list[set[str]] = []
    events: list[Event] = []
    Runner(copy_project("plain")).upgrade(
        any_database,
        lock=dialect_of(any_database).migration_lock(any_database),
        on_locked=lambda: seen.append(list_tables(any_database)),
        on_event=events.append,
    )
    assert seen == [set()]
    assert read_version(any_database) == {"r2"}
    if any_database.dialect == "postgresql":
        kinds = [type(event) for event in events]
        assert kinds.index(Locked) < kinds.index(Statement)


@pytest.mark.parametrize("name", ["plain", "asynchronous"])
def test_an_on_locked_that_raises_leaves_nothing_and_frees_the_lock(
    name: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    class No(Exception):
        pass

    def refuse() -> None:
        raise No

    dialect = dialect_of(any_database)
    lock = dialect.migration_lock(any_database)
    with pytest.raises(No):
        Runner(copy_project(name)).upgrade(any_database, lock=lock, on_locked=refuse)
    assert list_tables(any_database) == set()
    with dialect.hold_migration_lock(any_database, wait_seconds=5):
        pass


@pytest.mark.parametrize("name", ["plain", "asynchronous"])
def test_a_lock_that_is_held_is_refused_with_its_holder(
    name: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    dialect = dialect_of(any_database)
    lock = dialect.migration_lock(any_database)
    locked: list[None] = []
    events: list[Event] = []
    settings = copy_project(name)
    with dialect.hold_migration_lock(any_database, wait_seconds=0), pytest.raises(Refused) as refusal:
        Runner(settings).upgrade(
            any_database,
            lock=lock,
            wait_seconds=1,
            on_locked=lambda: locked.append(None),
            on_event=events.append,
        )
    assert refusal.value.what == "the migration lock is held by another process"
    assert "pid " in refusal.value.why
    assert "(govern on " in refusal.value.why
    assert "took it " in refusal.value.why
    assert refusal.value.state == "nothing was changed"
    assert locked == []
    assert list_tables(any_database) == set()
    if any_database.dialect == "postgresql":
        (waiting,) = [event for event in events if isinstance(event, Waiting)]
        assert waiting.holder is not None


@pytest.mark.parametrize("name", ["plain", "asynchronous"])
def test_the_lock_is_taken_as_soon_as_it_is_free(
    name: str, any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    dialect = dialect_of(any_database)
    lock = dialect.migration_lock(any_database)
    settings = copy_project(name)
    with ThreadPoolExecutor(1) as pool:
        with dialect.hold_migration_lock(any_database, wait_seconds=0):
            running = pool.submit(Runner(settings).upgrade, any_database, lock=lock, wait_seconds=60)
            with pytest.raises(TimeoutError):
                running.result(timeout=2)
            assert list_tables(any_database) == set()
        assert running.result(timeout=30).error is None
    assert read_version(any_database) == {"r2"}


def test_nobody_waits_in_an_open_transaction(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    dialect = dialect_of(postgresql_database)
    states: list[tuple[object, ...]] = []

    def look() -> None:
        query = (
            "SELECT state, application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        states.extend(read_rows(postgresql_database, query))

    lock = dialect.migration_lock(postgresql_database)
    Runner(copy_project("asynchronous")).upgrade(postgresql_database, lock=lock, on_locked=look)
    ((state, name),) = states
    assert state == "idle"
    assert str(name).startswith("govern migrate on ")


@pytest.mark.parametrize("name", ["plain", "asynchronous"])
def test_the_connection_that_has_the_lock_is_the_one_that_migrates(
    name: str, postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    check = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE held AS SELECT count(*) AS locks FROM pg_locks "
               "WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()")
"""
    lock = dialect_of(postgresql_database).migration_lock(postgresql_database)
    settings = copy_project(name, {"migrations/versions/r3.py": check})
    assert Runner(settings).upgrade(postgresql_database, lock=lock).error is None
    assert read_rows(postgresql_database, "SELECT locks FROM held") == [(1,)]


def test_an_env_that_connects_twice_is_locked_twice(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    first = "    engine.connect().close()\n    with engine.connect() as connection:\n"
    env.write_text(env.read_text().replace("    with engine.connect() as connection:\n", first))
    locked: list[None] = []
    outcome = Runner(settings).upgrade(
        postgresql_database,
        lock=dialect_of(postgresql_database).migration_lock(postgresql_database),
        on_locked=lambda: locked.append(None),
    )
    assert outcome.error is None
    assert len(locked) == 2


def test_a_second_connection_beside_the_first_does_not_wait_for_itself(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    env = settings.root / "migrations/env.py"
    both = "    with engine.connect() as connection, engine.connect() as other:\n        other.close()\n"
    env.write_text(env.read_text().replace("    with engine.connect() as connection:\n", both))
    lock = dialect_of(postgresql_database).migration_lock(postgresql_database)
    assert Runner(settings).upgrade(postgresql_database, lock=lock, wait_seconds=5).error is None
    assert read_version(postgresql_database) == {"r2"}


def test_a_lock_file_that_cannot_be_written_is_named(
    sqlite_database: DatabaseUrl, copy_project: CopyProject, tmp_path: Path
) -> None:
    runner = Runner(copy_project("plain"))
    with pytest.raises(NotPermitted, match=r"the lock file .* cannot be written"):
        runner.upgrade(sqlite_database, lock=MigrationLock(file=tmp_path))
    with pytest.raises(Unreachable, match="there is no folder"):
        runner.upgrade(sqlite_database, lock=MigrationLock(file=tmp_path / "nowhere/lock"))
    assert not (tmp_path / "nowhere").exists()
    assert list_tables(sqlite_database) == set()
