"""A table that somebody else is using: the migration lets the application through, and waits for its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import CopyPrepared
from tests.acceptance.program import Project
from tests.fixtures.projects import list_tables, read_rows, read_version

REVISION = """
from alembic import op
import sqlalchemy as sa
revision = "{revision}"
down_revision = "{parent}"


def upgrade():
{body}
"""
THIRD = "migrations/versions/r3_third.py"
WAITS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
LOCKS_TWO = """\
    op.execute("INSERT INTO counted VALUES (1)")
    op.execute("ALTER TABLE users ADD COLUMN nick text")
    op.execute("ALTER TABLE notes ADD COLUMN title text")"""
COMMITS_MIDWAY = """\
    op.execute("UPDATE amounts SET amount = amount * 100")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_amount ON amounts (amount)")
        op.execute("ALTER TABLE amounts ADD COLUMN alone integer")
    op.execute("ALTER TABLE notes ADD COLUMN title text")
    op.execute("INSERT INTO counted VALUES (1)")"""


def revision(body: str, *, parent: str = "r2", name: str = "r3") -> str:
    return REVISION.format(revision=name, parent=parent, body=body)


@contextmanager
def using(url: DatabaseUrl, table: str) -> Iterator[psycopg.Connection]:
    """A session that has read the table and keeps its transaction open."""
    with psycopg.connect(url.conninfo, application_name="long report") as session:
        session.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE".encode())
        yield session


@pytest.fixture
def project(copy_prepared: CopyPrepared) -> Project:
    """The project plain at r2, with tables that count what was done."""
    return copy_prepared("counted", migrate_with_counts)


def migrate_with_counts(project: Project) -> None:
    project.write(
        {"app/models.py": "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"}
    )
    first = "migrations/versions/r1_users.py"
    made = (
        '    op.execute("CREATE TABLE counted (id integer)")\n'
        '    op.execute("CREATE TABLE amounts (amount integer)")\n'
        '    op.execute("INSERT INTO amounts VALUES (7)")\n\n\ndef downgrade'
    )
    project.edit(first, "\n\ndef downgrade", made)
    project.succeed("migrate", "--backup", "off")


def test_a_migration_waits_for_its_turn_and_nobody_waits_for_it(project: Project) -> None:
    project.write({THIRD: revision(LOCKS_TWO)})
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(project.database, WAITS)
        slowest = _longest_query(project.database, "SELECT count(*) FROM notes", seconds=4)
        held = _locks_between_tries(project.database)
        report.rollback()
        released = time.monotonic()
        done = running.result(timeout=60)
    assert done.exit_code == 0, done
    assert time.monotonic() - released < 20  # the next try, validation and the end of two processes
    assert slowest < 1.0
    assert 0 in held, "the first table's lock is kept between two tries"
    assert "long report" in done.err
    assert read_version(project.database) == {"r3"}
    assert read_rows(project.database, "SELECT count(*) FROM counted") == [(1,)]


def test_without_a_lock_timeout_the_application_waits(project: Project) -> None:
    """The harm that the guard prevents."""
    project.write({THIRD: revision(LOCKS_TWO), "govern.toml": "lock_timeout_seconds = 0\n"})
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(project.database, WAITS)
        threading.Timer(2, report.rollback).start()
        slowest = _longest_query(project.database, "SELECT count(*) FROM notes", seconds=1)
        assert running.result(timeout=60).exit_code == 0
    assert slowest > 1.0


def test_a_lock_that_is_never_free_is_given_up_and_nothing_is_changed(project: Project) -> None:
    project.write({THIRD: revision(LOCKS_TWO), "govern.toml": "lock_retry_seconds = 3\n"})
    with using(project.database, "notes") as report:
        pid = report.info.backend_pid
        refused = project.ask("migrate", "--backup", "off")
    assert refused.exit_code == 4, refused
    assert refused.problem["what"] == "revision r3 did not get a lock it needs"
    assert f"pid {pid} (long report), idle in transaction" in refused.problem["why"]
    assert "tried for 3 s" in refused.problem["why"]
    assert "the database is as it was, at r2" in refused.problem["state"]
    assert read_version(project.database) == {"r2"}
    assert read_rows(project.database, "SELECT count(*) FROM counted") == [(0,)]
    newest, _ = project.succeed("history").report["runs"]
    assert newest["result"] == "failed"
    project.succeed("migrate", "--backup", "off")


def test_rows_that_were_committed_before_a_lock_was_not_to_be_had_are_told(project: Project) -> None:
    project.write({"govern.toml": "lock_retry_seconds = 2\n"})
    body = COMMITS_MIDWAY.partition('        op.execute("CREATE')[0]
    body += '        op.execute("ALTER TABLE notes ADD COLUMN title text")'
    project.write({THIRD: revision(body)})
    with using(project.database, "notes"):
        failed = project.ask("migrate", "--backup", "off")
    assert failed.exit_code == 5, failed
    assert "1 statement of revision r3 is noted as begun or committed" in failed.problem["state"]
    project.succeed("migrate", "--backup", "off")
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]


def test_each_revision_of_its_own_transaction_is_tried_again(project: Project) -> None:
    project.edit(
        "migrations/env.py",
        "target_metadata=target_metadata)\n        with",
        ("target_metadata=target_metadata, transaction_per_migration=True)\n        with"),
    )
    fourth = '    op.execute("ALTER TABLE notes ADD COLUMN title text")'
    third = '    op.execute("INSERT INTO counted VALUES (1)")'
    project.write(
        {THIRD: revision(third), "migrations/versions/r4.py": revision(fourth, parent="r3", name="r4")}
    )
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for_version(project.database, "r3")
        time.sleep(1)
        report.rollback()
        assert running.result(timeout=60).exit_code == 0
    assert read_version(project.database) == {"r4"}
    assert read_rows(project.database, "SELECT count(*) FROM counted") == [(1,)]


def test_what_is_committed_is_not_executed_again_while_a_later_lock_is_waited_for(project: Project) -> None:
    project.write({THIRD: revision(COMMITS_MIDWAY)})
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(
            project.database,
            "SELECT count(*) = 2 FROM information_schema.columns WHERE table_name = 'amounts'",
        )
        time.sleep(2)
        report.rollback()
        done = running.result(timeout=60)
    assert done.exit_code == 0, done
    assert read_rows(project.database, "SELECT amount FROM amounts") == [(700,)]
    assert read_rows(project.database, "SELECT count(*) FROM counted") == [(1,)]
    assert read_rows(project.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def test_a_statement_outside_of_a_transaction_is_tried_again_alone(project: Project) -> None:
    body = """\
    with op.get_context().autocommit_block():
        op.execute("INSERT INTO counted VALUES (1)")
        op.execute("ALTER TABLE notes ADD COLUMN title text")"""
    project.write({THIRD: revision(body)})
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(project.database, "SELECT count(*) = 1 FROM counted")
        slowest = _longest_query(project.database, "SELECT count(*) FROM notes", seconds=2)
        report.rollback()
        assert running.result(timeout=60).exit_code == 0
    assert slowest < 1.0
    assert read_rows(project.database, "SELECT count(*) FROM counted") == [(1,)]


def test_an_index_that_is_built_concurrently_waits_for_older_transactions_and_says_so(
    project: Project,
) -> None:
    body = """\
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_notes ON notes (body)")"""
    project.write({THIRD: revision(body)})
    with ThreadPoolExecutor(1) as pool, psycopg.connect(project.database.conninfo) as writer:
        writer.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(
            project.database,
            "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE datname = current_database()",
        )
        time.sleep(1)
        writer.rollback()
        done = running.result(timeout=60)
    assert done.exit_code == 0, done
    assert "waiting for writers before build, 1 older transactions to end" in done.err
    assert read_rows(project.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def test_a_statement_that_runs_too_long_is_ended(project: Project) -> None:
    project.write({THIRD: revision('    op.execute("SELECT pg_sleep(30)")')})
    project.write({"govern.toml": "statement_timeout_seconds = 1\n"})
    failed = project.ask("migrate", "--backup", "off", "--rehearse", "off")
    assert failed.exit_code == 5, failed
    assert "statement timeout" in failed.problem["why"]
    assert "the database is as it was, at r2" in failed.problem["state"]


def test_what_a_revision_sets_itself_counts(project: Project) -> None:
    body = """\
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("ALTER TABLE notes ADD COLUMN title text")"""
    project.write({THIRD: revision(body), "govern.toml": "lock_retry_seconds = 0\n"})
    with ThreadPoolExecutor(1) as pool, using(project.database, "notes") as report:
        running = pool.submit(project.govern, "migrate", "--backup", "off")
        _wait_for(project.database, WAITS)
        time.sleep(1)
        report.rollback()
        assert running.result(timeout=60).exit_code == 0


def _longest_query(url: DatabaseUrl, query: str, *, seconds: float) -> float:
    """Of queries one after the other, as an application's."""
    longest, deadline = 0.0, time.monotonic() + seconds
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        while time.monotonic() < deadline:
            began = time.monotonic()
            session.execute(query.encode())
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.01)
    return longest


def _locks_between_tries(url: DatabaseUrl) -> set[int]:
    """How many locks on users are held, looked at many times."""
    query = (
        b"SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock'"
    )
    seen = set()
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        for _ in range(100):
            seen.update(session.execute(query).fetchone() or ())
            time.sleep(0.01)
    return seen


def _wait_for(url: DatabaseUrl, query: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        while session.execute(query.encode()).fetchone() != (True,):
            assert time.monotonic() < deadline, query
            time.sleep(0.05)


def _wait_for_version(url: DatabaseUrl, version: str) -> None:
    assert "alembic_version" in list_tables(url)
    _wait_for(url, f"SELECT count(*) = 1 FROM alembic_version WHERE version_num = '{version}'")
