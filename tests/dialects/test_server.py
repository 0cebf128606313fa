"""Opening, creating and dropping databases: one contract for both engines, then what each engine can
refuse."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from govern.config import load
from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql import server as postgresql
from govern.database.postgresql.refusals import explain_refusal, role_of
from govern.database.sqlite import server as sqlite
from govern.database.target import create_target, declared_like, resolve_target
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck, NoSuchDatabase, NotPermitted, Unreachable
from tests.fixtures.databases import MakeRole, with_credentials
from tests.fixtures.server import wanted_major

PASSWORD = "p@ss/w%rd-s3cret"


def beside(url: DatabaseUrl, name: str) -> DatabaseUrl:
    """Another database of the same server or folder."""
    if url.dialect == "sqlite":
        return DatabaseUrl.parse(f"sqlite:///{url.path.parent / name}")
    return url.with_database(name)


# -- the contract of both engines ---------------------------------------------------------------------------


def test_an_existing_database_is_opened(any_database: DatabaseUrl) -> None:
    with dialect_of(any_database).connect(any_database) as connection:
        assert connection.value("SELECT 1") == 1
        connection.execute("CREATE TABLE t (n integer)")
        assert connection.rows("SELECT n FROM t") == []


def test_each_statement_outside_a_transaction_is_committed(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    with dialect.connect(any_database) as connection:
        connection.execute("CREATE TABLE t (n integer)")
    with dialect.connect(any_database) as connection:
        assert connection.rows("SELECT n FROM t") == []


def test_a_transaction_that_fails_leaves_nothing(any_database: DatabaseUrl) -> None:
    with dialect_of(any_database).connect(any_database) as connection:
        connection.execute("CREATE TABLE t (n integer)")
        with pytest.raises((psycopg.Error, sqlite3.Error)):
            _insert_then_fail(connection)
        assert connection.value("SELECT count(*) FROM t") == 0


def test_a_read_only_connection_refuses_to_write(any_database: DatabaseUrl) -> None:
    with (
        dialect_of(any_database).connect(any_database, read_only=True) as connection,
        pytest.raises((psycopg.errors.ReadOnlySqlTransaction, sqlite3.OperationalError)),
    ):
        connection.execute("CREATE TABLE t (n integer)")


def test_connecting_creates_nothing(any_database: DatabaseUrl) -> None:
    dialect, missing = dialect_of(any_database), beside(any_database, "missing_one")
    assert not dialect.exists(missing)
    for read_only in (False, True):
        with pytest.raises(Unreachable) as raised:
            dialect.connect(missing, read_only=read_only)
        assert "missing_one" in raised.value.what
        assert raised.value.next
    assert not dialect.exists(missing)
    assert dialect.exists(any_database)


def test_a_database_is_created_listed_and_dropped(any_database: DatabaseUrl) -> None:
    dialect, url = dialect_of(any_database), beside(any_database, 'made "here"; drop')
    dialect.create_database(url)
    try:
        assert dialect.exists(url)
        assert dialect.list_databases(any_database, 'made "h') == ('made "here"; drop',)
        assert dialect.list_databases(any_database, "made%") == ()
        with pytest.raises(CouldNotCheck):
            dialect.create_database(url)
    finally:
        dialect.drop_database(url)
    assert not dialect.exists(url)
    dialect.drop_database(url)


def test_the_server_version_is_said_as_people_say_it(
    any_database: DatabaseUrl, pytestconfig: pytest.Config
) -> None:
    dialect = dialect_of(any_database)
    with dialect.connect(any_database) as connection:
        version = dialect.read_server_version(connection)
    assert version.replace(".", "").isdigit()
    assert version.startswith((f"{wanted_major(pytestconfig)}.", "3."))


# -- PostgreSQL ---------------------------------------------------------------------------------------------


def test_a_wrong_password_is_said_and_not_shown(make_role: MakeRole) -> None:
    right = make_role("reader", PASSWORD)
    postgresql.connect(right).close()
    wrong = with_credentials(right, role_of(right), "wr0ng-s3cret")
    with pytest.raises(NotPermitted, match="refused the password of reader_") as raised:
        postgresql.connect(wrong)
    assert "wr0ng-s3cret" not in str(raised.value)
    assert "percent-encoded" in raised.value.next


def test_a_missing_password_is_asked_for(make_role: MakeRole) -> None:
    url = make_role("reader", PASSWORD)
    without = DatabaseUrl.parse(url.text.replace(":" + quote(PASSWORD, safe=""), ""))
    assert without != url
    with pytest.raises(NotPermitted, match="for a password, and the URL has none"):
        postgresql.connect(without)


def test_no_server_at_a_port(free_port: int) -> None:
    with pytest.raises(Unreachable, match=f"no PostgreSQL server answers at 127.0.0.1:{free_port}") as raised:
        postgresql.connect(DatabaseUrl.parse(f"postgresql://u:s3cret@127.0.0.1:{free_port}/app"))
    assert "s3cret" not in str(raised.value)


def test_no_server_at_a_socket(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no PostgreSQL server answers at /"):
        postgresql.connect(DatabaseUrl.parse(f"postgresql:///app?host={tmp_path}"))


def test_whether_a_database_exists_is_not_answered_without_a_server(free_port: int) -> None:
    with pytest.raises(Unreachable):
        postgresql.exists(DatabaseUrl.parse(f"postgresql://u@127.0.0.1:{free_port}/app"))


def test_no_such_host() -> None:
    with pytest.raises(Unreachable, match=r"there is no host nowhere\.invalid"):
        postgresql.connect(DatabaseUrl.parse("postgresql://u@nowhere.invalid/app"))


def test_a_missing_role_is_named(server_url: DatabaseUrl) -> None:
    url = with_credentials(server_url, "no_such_role", "irrelevant")
    with pytest.raises(NotPermitted) as raised:
        postgresql.connect(url)
    # a server that asks everybody for a password does not say who exists
    assert "no_such_role" in raised.value.what


def test_no_connection_left(make_role: MakeRole, server_url: DatabaseUrl) -> None:
    url = make_role("crowded", PASSWORD)
    with postgresql.connect(server_url) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(sql.Identifier(role_of(url))))
    with pytest.raises(Unreachable, match="has no connection left"):
        postgresql.connect(url)


def test_no_connect_right_comes_with_the_grant(postgresql_database: DatabaseUrl, make_role: MakeRole) -> None:
    name = postgresql_database.database
    with postgresql.connect(postgresql_database) as connection:
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    with pytest.raises(NotPermitted) as raised:
        postgresql.connect(make_role("outsider", PASSWORD).with_database(name))
    assert f'GRANT CONNECT ON DATABASE "{name}" TO "outsider_' in raised.value.next


def test_no_createdb_right_comes_with_the_statement(make_role: MakeRole) -> None:
    url = make_role("limited", PASSWORD)
    with pytest.raises(NotPermitted) as raised:
        postgresql.create_database(url.with_database("never_made"))
    assert f'ALTER ROLE "{role_of(url)}" CREATEDB;' in raised.value.next
    assert not postgresql.exists(url.with_database("never_made"))


def test_another_roles_database_is_not_dropped(postgresql_database: DatabaseUrl, make_role: MakeRole) -> None:
    url = make_role("stranger", PASSWORD, createdb=True).with_database(postgresql_database.database)
    with pytest.raises(NotPermitted):
        postgresql.drop_database(url)
    assert postgresql.exists(postgresql_database)


def test_a_database_in_use_is_dropped_by_force_alone(postgresql_database: DatabaseUrl) -> None:
    with postgresql.connect(postgresql_database):
        assert not postgresql.drop_unused_database(postgresql_database)
        assert postgresql.exists(postgresql_database)
        postgresql.drop_database(postgresql_database)
    assert not postgresql.exists(postgresql_database)


def test_a_database_is_created_with_the_locale_of_another(
    postgresql_database: DatabaseUrl, pytestconfig: pytest.Config
) -> None:
    facts = """
        SELECT encoding, datcollate, datctype, to_jsonb(d) -> 'datlocprovider',
          coalesce(to_jsonb(d) -> 'datlocale', to_jsonb(d) -> 'daticulocale')
        FROM pg_database d WHERE datname = current_database()
    """
    provider = sql.SQL("LOCALE_PROVIDER libc" if wanted_major(pytestconfig) >= 15 else "")
    first = postgresql_database.with_database(f"{postgresql_database.database}_latin1")
    second = postgresql_database.with_database(f"{postgresql_database.database}_copy")
    with postgresql.connect(postgresql_database) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' {}").format(
                sql.Identifier(first.database), provider
            )
        )
    try:
        postgresql.create_database(second, like=first)
        with postgresql.connect(first) as one, postgresql.connect(second) as other:
            assert one.rows(facts) == other.rows(facts)
            assert one.value("SHOW server_encoding") == "LATIN1"
    finally:
        postgresql.drop_database(first)
        postgresql.drop_database(second)


def test_an_encrypted_connection_that_cannot_be_had(server_without_tls: int) -> None:
    url = DatabaseUrl.parse(f"postgresql://u@127.0.0.1:{server_without_tls}/app?sslmode=require")
    with pytest.raises(Unreachable, match="there is no encrypted connection"):
        postgresql.connect(url)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("postgresql://u:p@ss@host/app", "%40"),
        ("postgresql://u:secret@host/app?no_such_parameter=1", "correct the URL"),
        ("postgresql://u:secret@host:x/app", ""),
    ],
)
def test_a_url_that_cannot_be_read_is_a_configuration_error(text: str, hint: str) -> None:
    with pytest.raises((ConfigurationError, Unreachable)) as raised:
        postgresql.connect(DatabaseUrl.parse(text))
    assert hint in raised.value.next
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("exists", "kind"), [(None, NoSuchDatabase), (False, NotPermitted), (True, Unreachable)]
)
def test_a_server_that_speaks_another_language_is_asked(
    exists: bool | None, kind: type[CouldNotCheck]
) -> None:
    error = psycopg.OperationalError("VERHÄNGNISVOLL:  Datenbank »app« existiert nicht")
    url = DatabaseUrl.parse("postgresql://u@db/app")
    explained = explain_refusal(error, url, {"host": "db"}, ask_server=lambda _url: exists)
    assert type(explained) is kind
    assert "existiert nicht" in explained.why


def test_what_is_asked_is_what_the_server_knows(
    postgresql_database: DatabaseUrl, make_role: MakeRole, server_url: DatabaseUrl
) -> None:
    name = postgresql_database.database
    outsider = make_role("outsider", PASSWORD)
    with postgresql.connect(server_url) as connection:
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    assert postgresql._may_connect(postgresql_database) is True
    assert postgresql._may_connect(outsider.with_database(name)) is False
    assert postgresql._may_connect(server_url.with_database("missing_one")) is None


def test_the_session_says_who_it_is(postgresql_database: DatabaseUrl) -> None:
    with postgresql.connect(postgresql_database) as connection:
        assert connection.value("SHOW application_name") == "govern"


def test_options_of_the_url_are_kept_when_reading_only(postgresql_database: DatabaseUrl) -> None:
    separator = "&" if "?" in postgresql_database.text else "?"
    url = DatabaseUrl.parse(
        f"{postgresql_database.text}{separator}options=-csearch_path%3Dpg_catalog&application_name=mine"
    )
    with postgresql.connect(url, read_only=True) as connection:
        assert connection.value("SHOW search_path") == "pg_catalog"
        assert connection.value("SHOW application_name") == "mine"
        assert connection.value("SHOW default_transaction_read_only") == "on"


# -- SQLite -------------------------------------------------------------------------------------------------


def test_a_file_of_no_bytes_is_an_empty_database(sqlite_database: DatabaseUrl) -> None:
    with sqlite.connect(sqlite_database) as connection:
        assert connection.value("SELECT count(*) FROM sqlite_schema") == 0
    assert sqlite_database.path.stat().st_size == 0


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("This is not a database.\n" * 100, encoding="utf-8")
    with pytest.raises(Unreachable, match=r"notes\.txt is not a SQLite database"):
        sqlite.connect(DatabaseUrl.parse(f"sqlite:///{file}"))
    assert file.read_text(encoding="utf-8").startswith("This is not")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="there is no SQLite database") as raised:
        sqlite.connect(DatabaseUrl.parse(f"sqlite:///{tmp_path}"))
    assert "a folder" in raised.value.why


def test_a_name_with_signs_that_mean_something_in_uris(tmp_path: Path) -> None:
    url = DatabaseUrl.parse(f"sqlite:///{tmp_path}/a b&mode=memory.db")
    sqlite.create_database(url)
    with sqlite.connect(url) as connection:
        connection.execute("CREATE TABLE t (n)")
    assert [path.name for path in tmp_path.iterdir()] == ["a b&mode=memory.db"]
    assert url.path.stat().st_size > 0


def test_a_created_file_is_its_owners_alone(tmp_path: Path) -> None:
    url = DatabaseUrl.parse(f"sqlite:///{tmp_path}/new.db")
    sqlite.create_database(url)
    assert url.path.stat().st_mode & 0o777 == 0o600


def test_a_database_is_not_created_in_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck) as raised:
        sqlite.create_database(DatabaseUrl.parse(f"sqlite:///{tmp_path}/none/new.db"))
    assert "there is no folder" in raised.value.why


def test_dropping_takes_the_files_beside_it(tmp_path: Path) -> None:
    url = DatabaseUrl.parse(f"sqlite:///{tmp_path}/new.db")
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{url.path}{suffix}").touch()
    sqlite.drop_database(url)
    assert list(tmp_path.iterdir()) == []


def test_a_locked_database_says_so(sqlite_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_SECONDS", 0.1)
    with sqlite.connect(sqlite_database) as holder:
        holder.execute("CREATE TABLE t (n)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unreachable, match="is locked"):
            sqlite.connect(sqlite_database)
        holder.execute("ROLLBACK")


def test_a_write_transaction_takes_its_lock_at_once(
    sqlite_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_SECONDS", 0.1)
    with sqlite.connect(sqlite_database) as one, sqlite.connect(sqlite_database) as other:
        with one.transaction(), pytest.raises(sqlite3.OperationalError), other.transaction():
            pass
        with one.transaction():
            one.execute("CREATE TABLE t (n)")


# -- the target ---------------------------------------------------------------------------------------------


def test_a_relative_sqlite_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(url="sqlite+pysqlite:///data/my app.db?timeout=5", start=tmp_path, environ={})
    url = resolve_target(settings)
    assert url.text == f"sqlite+pysqlite:///{tmp_path}/data/my app.db?timeout=5"
    assert url.path == tmp_path / "data" / "my app.db"


def test_a_missing_sqlite_target_is_created_when_asked_to(tmp_path: Path) -> None:
    settings = load(url=f"sqlite:///{tmp_path}/app.db", start=tmp_path, environ={})
    assert not resolve_target(settings).path.exists()
    assert create_target(settings).path.exists()
    create_target(settings)


def test_a_url_of_another_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        resolve_target(load(url="mysql://u@h/d", start=tmp_path, environ={}))


def test_the_declared_schema_is_made_like_the_target(
    postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    settings = load(url=postgresql_database.text, start=tmp_path, environ={})
    assert declared_like(settings) == postgresql_database


def test_without_a_target_that_answers_scratch_url_stands_in(
    server_url: DatabaseUrl, tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "govern.toml").write_text(f'scratch_url = "{server_url.text}"\n', encoding="utf-8")
    settings = load(url=f"postgresql://u@127.0.0.1:{free_port}/app", start=tmp_path, environ={})
    assert declared_like(settings) == server_url


def _insert_then_fail(connection: Connection) -> None:
    with connection.transaction():
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("INSERT INTO no_such_table VALUES (1)")


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server_without_tls() -> Iterator[int]:
    """The port of a server that answers, as the protocol has it, N to a request for encryption."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=_answer(listener, b"N"), daemon=True)
        answering.start()
        yield listener.getsockname()[1]
        answering.join(timeout=10)


def _answer(listener: socket.socket, answer: bytes) -> Callable[[], None]:
    def run() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(8)
            client.sendall(answer)
            client.recv(1024)

    return run
