"""What a migration asks of a real PostgreSQL: others' open transactions, the role's rights, replicas."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from govern import config
from govern.checks.guard import check_replicas
from govern.core.finding import Severity
from govern.core.right import Right
from govern.core.session import OpenTransaction, Replica
from govern.database.embedded.account import choose_account, give_to
from govern.database.live import LiveDatabase
from govern.database.postgresql.engine import PostgreSQL
from govern.database.url import DatabaseUrl
from govern.errors import NotPermitted
from tests.fixtures import majors
from tests.fixtures.databases import MakeRole, with_credentials
from tests.fixtures.server import wanted_major

ENGINE = PostgreSQL()
SCHEMA = """
CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE notes (id integer);
CREATE TYPE mood AS ENUM ('good');
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM users;
"""
CHANGES = {
    "ALTER TABLE users ADD COLUMN nick text": "public.users",
    "DROP TABLE notes": "public.notes",
    "CREATE TABLE stray (id integer)": "schema public",
    "CREATE VIEW v AS SELECT 1": "schema public",
    "CREATE INDEX i ON users (email)": "public.users",
    "ALTER TYPE mood ADD VALUE 'bad'": "public.mood",
    "COMMENT ON TABLE users IS 'people'": "public.users",
    "DROP FUNCTION one()": "public.one",
}
NO_CHANGES = (
    "INSERT INTO users VALUES (7, 'x')",
    "CREATE TEMPORARY TABLE t (id serial PRIMARY KEY, body text)",
    "CREATE TEMPORARY TABLE t AS SELECT * FROM users",
    "CREATE TEMPORARY TABLE t (id integer); DROP TABLE t",
    "REFRESH MATERIALIZED VIEW summary",
    "ANALYZE users",
    "SELECT lo_create(0)",
    "LOCK TABLE users IN ACCESS SHARE MODE",
)


@pytest.fixture
def database(postgresql_database: DatabaseUrl) -> DatabaseUrl:
    run(postgresql_database, SCHEMA)
    return postgresql_database


def run(url: DatabaseUrl, *statements: str) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


@contextmanager
def in_transaction(url: DatabaseUrl, statement: str) -> Iterator[int]:
    """A session that has executed it and has not committed; its pid."""
    with psycopg.connect(url.conninfo, application_name="by hand") as session:
        session.execute(statement.encode())
        yield session.info.backend_pid
        session.rollback()


def uncommitted(url: DatabaseUrl) -> tuple[OpenTransaction, ...]:
    with ENGINE.connect(url, read_only=True) as connection:
        return ENGINE.find_uncommitted_changes(connection)


def test_a_change_that_is_not_committed_is_seen_and_what_is_none_is_not(database: DatabaseUrl) -> None:
    for statement, held in CHANGES.items():
        with in_transaction(database, statement) as pid:
            (found,) = uncommitted(database)
        assert (found.pid, found.application, found.state) == (pid, "by hand", "idle in transaction"), (
            statement
        )
        assert held in found.holds, statement
        assert found.seconds is not None
    for statement in NO_CHANGES:
        with in_transaction(database, statement):
            assert uncommitted(database) == (), statement


def test_a_change_of_another_database_is_its_own_affair(
    database: DatabaseUrl, server_url: DatabaseUrl
) -> None:
    with in_transaction(database, "ALTER TABLE users ADD COLUMN nick text"):
        assert uncommitted(server_url) == ()


def test_a_prepared_transaction_is_named_as_commit_prepared_takes_it(database: DatabaseUrl) -> None:
    name = f"left of {database.database}"
    run(database, "BEGIN", "INSERT INTO users VALUES (9, 'x')", f"PREPARE TRANSACTION '{name}'")
    try:
        (found,) = uncommitted(database)
    finally:
        run(database, f"ROLLBACK PREPARED '{name}'")
    assert (found.pid, found.identifier) == (None, name)
    assert "public.users" in found.holds
    assert uncommitted(database) == ()


def long_ones(url: DatabaseUrl, tables: dict[str, bool], *, everywhere: bool = False) -> list[int | None]:
    with ENGINE.connect(url, read_only=True) as connection:
        found = ENGINE.find_long_transactions(connection, tables, seconds=0.0, everywhere=everywhere)
    return [transaction.pid for transaction in found]


def test_a_long_transaction_counts_if_it_holds_what_is_to_be_locked(database: DatabaseUrl) -> None:
    with in_transaction(database, "SELECT * FROM users") as reader:
        assert long_ones(database, {"public.users": True}) == [reader]
        assert long_ones(database, {"public.users": False}) == [], "who builds an index locks no readers out"
        assert long_ones(database, {"public.notes": True}) == []
        assert long_ones(database, {}, everywhere=True) == [reader]
    with in_transaction(database, "DELETE FROM users") as writer:
        assert long_ones(database, {"public.users": False}) == [writer]
    assert long_ones(database, {"public.users": True}, everywhere=True) == []


def test_a_role_that_may_not_see_since_when_says_so(make_role: MakeRole, database: DatabaseUrl) -> None:
    app = as_role(make_role("app", "a-password"), database)
    with in_transaction(database, "SELECT * FROM users"), pytest.raises(NotPermitted, match="how long"):
        long_ones(app, {"public.users": True})


def as_role(role: DatabaseUrl, database: DatabaseUrl) -> DatabaseUrl:
    user = urlsplit(role.text).username
    assert user is not None
    return with_credentials(database, user, "a-password")


def test_rights_are_missed_as_the_server_would_miss_them(make_role: MakeRole, database: DatabaseUrl) -> None:
    app = as_role(make_role("app", "a-password"), database)
    user = urlsplit(app.text).username
    run(database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", f"ALTER TABLE notes OWNER TO {user}")
    mine = Right("owns", "relation", "public", "notes")
    lacking = {
        Right("owns", "relation", "public", "users"): f"ALTER TABLE public.users OWNER TO {user}",
        Right("owns-or-drops", "type", "public", "mood"): f"ALTER TYPE public.mood OWNER TO {user}",
        Right("creates", "schema", "public", "public"): f"GRANT CREATE ON SCHEMA public TO {user}",
        Right("creates", "database", "", ""): f"GRANT CREATE ON DATABASE {database.database} TO {user}",
        Right("references", "relation", "public", "users"): f"GRANT REFERENCES ON public.users TO {user}",
        Right("triggers", "relation", "public", "users"): f"GRANT TRIGGER ON public.users TO {user}",
    }
    wanted = [mine, *lacking, Right("owns", "relation", "public", "made by the revisions")]
    with ENGINE.connect(app) as connection:
        missing = ENGINE.find_missing_rights(connection, wanted)
        assert {one.right: one.grant for one in missing} == lacking
        assert {one.by_set_role for one in missing} == {False}
        run(database, *lacking.values())  # what is advised is enough
        assert ENGINE.find_missing_rights(connection, wanted) == ()
    with ENGINE.connect(database) as connection:
        assert ENGINE.find_missing_rights(connection, wanted) == (), "a superuser lacks none"


def test_a_right_that_set_role_would_give_is_told_as_that(make_role: MakeRole, database: DatabaseUrl) -> None:
    app, boss = (as_role(make_role(name, "a-password"), database) for name in ("app", "boss"))
    users = {name: urlsplit(url.text).username for name, url in (("app", app), ("boss", boss))}
    run(
        database,
        f"ALTER ROLE {users['app']} NOINHERIT",
        f"GRANT {users['boss']} TO {users['app']}",
        f"ALTER TABLE users OWNER TO {users['boss']}",
    )
    with ENGINE.connect(app) as connection:
        (missing,) = ENGINE.find_missing_rights(connection, [Right("owns", "relation", "public", "users")])
    assert (missing.by_set_role, missing.owner) == (True, users["boss"])


@pytest.fixture
def followed(pytestconfig: pytest.Config) -> Iterator[tuple[DatabaseUrl, DatabaseUrl]]:
    """A server and another that follows it, both of this test's own."""
    major = wanted_major(pytestconfig)
    programs = majors.find_programs(major)
    if not (programs / "pg_basebackup").exists():
        pytest.skip(f"these programs of PostgreSQL {major} are without pg_basebackup")
    place = Path(tempfile.mkdtemp(prefix="govern-followed-"))
    place.chmod(0o711)  # the servers may run as another user
    try:
        primary = majors.start(place, major, {"fsync": "off", "max_connections": "20"})
        with _following(place, programs) as follower:
            yield primary, follower
        majors.stop(place, major)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _following(place: Path, programs: Path) -> Iterator[DatabaseUrl]:
    leader, home = place / "server", place / "follower"
    account = choose_account(
        data=leader / "data", project=leader, needed=(programs, programs / "postgres", leader)
    )
    home.mkdir(mode=0o711)
    (home / "log").touch(mode=0o600)
    give_to(account, home)
    give_to(account, home / "log")
    copying = (
        "--pgdata=data",
        f"--host={leader}",
        "--username=postgres",
        "--write-recovery-conf",
        "--no-sync",
    )
    majors.run(account, (programs / "pg_basebackup", *copying, "--checkpoint=fast"), home)
    options = f"--options=-c unix_socket_directories={home} -c listen_addresses= -c max_connections=20"
    control = (programs / "pg_ctl", "--silent", "--wait", "--pgdata=data")
    majors.run(account, (*control, "start", "--log=log", options), home)
    yield DatabaseUrl.parse(f"postgresql://postgres@/postgres?host={home}&port=5432")
    majors.run(account, (*control, "stop", "--mode=fast"), home)


def test_a_replica_that_stands_still_is_seen_to_be_behind(followed: tuple[DatabaseUrl, DatabaseUrl]) -> None:
    primary, follower = followed
    live = LiveDatabase(replace(config.load(environ={}), replica_lag_seconds=0.5), primary)
    run(primary, "CREATE TABLE rows (text text)", "CREATE ROLE plain LOGIN")
    _until(lambda: read_replica(primary).lag_bytes == 0)
    assert check_replicas(live) == ((), "1 looked at")

    run(follower, "SELECT pg_wal_replay_pause()")
    run(primary, "INSERT INTO rows SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
    time.sleep(1.0)
    run(primary, "INSERT INTO rows VALUES ('what makes the replica answer')")
    _until(lambda: (read_replica(primary).lag_seconds or 0.0) > 0.5)
    (finding,), _ = check_replicas(live)
    assert (finding.rule.id, finding.severity) == ("guard.lagging-replica", Severity.WARNING)
    assert "MB behind" in finding.message

    plain = DatabaseUrl.parse(primary.text.replace("postgres@", "plain@"))
    with ENGINE.connect(plain) as connection, pytest.raises(NotPermitted, match="how far replicas"):
        ENGINE.read_replicas(connection)
    run(follower, "SELECT pg_wal_replay_resume()")
    _until(lambda: read_replica(primary).lag_bytes == 0)
    assert check_replicas(live)[0] == ()


def read_replica(url: DatabaseUrl) -> Replica:
    with ENGINE.connect(url, read_only=True) as connection:
        (replica,) = ENGINE.read_replicas(connection)
    return replica


def _until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_server_that_nobody_follows_has_no_replica(server_url: DatabaseUrl) -> None:
    with ENGINE.connect(server_url) as connection:
        assert ENGINE.read_replicas(connection) == ()
