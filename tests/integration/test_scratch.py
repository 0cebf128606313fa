"""Scratch databases: made where they may be made, dropped whatever happens."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql
from structlog.testing import capture_logs

from govern.config import Settings, load
from govern.database import container, embedded, scratch
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase
from govern.database.postgresql import server as postgresql
from govern.database.postgresql.refusals import role_of
from govern.database.scratch import PREFIX, dropping_meanwhile, scratch_database
from govern.database.url import DatabaseUrl
from govern.declared import schema_copy
from govern.errors import ConfigurationError, NotPermitted, ToolMissing, Unreachable
from tests.fixtures.databases import MakeRole

HOLD = """
import sys, time
from pathlib import Path
from govern.config import load
from govern.database.scratch import scratch_database
from govern.database.url import DatabaseUrl
from govern.declared import schema_copy
like = DatabaseUrl.parse(sys.argv[1])
settings = load(start=Path(sys.argv[2]), environ={})
with scratch_database(settings, like=like, label="held") as url:
    print(url.text, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Of a project without any configuration; an embedded server started there is stopped."""
    project = tmp_path / "project"
    project.mkdir()
    yield load(start=project, environ={})
    if (project / ".govern").exists():
        embedded.stop(project / ".govern")


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of SQLite scratch databases of other tests are not seen."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "is_docker_answering", lambda: False)


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)


def exists(url: DatabaseUrl) -> bool:
    return dialect_of(url).exists(url)


def hold_scratch(like: DatabaseUrl, settings: Settings) -> tuple[subprocess.Popen[str], DatabaseUrl]:
    """A process that has a scratch database, and its URL."""
    command = (sys.executable, "-c", HOLD, like.text, str(settings.root))
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, DatabaseUrl.parse(holder.stdout.readline().strip())


def kill(holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=10)


# -- made and dropped, on both engines ----------------------------------------------------------------------


def test_it_is_empty_usable_and_gone_afterwards(any_database: DatabaseUrl, settings: Settings) -> None:
    with dialect_of(any_database).connect(any_database) as connection:
        connection.execute("CREATE TABLE t (n integer)")
    with scratch_database(settings, like=any_database, label="replay") as url:
        assert url.dialect == any_database.dialect
        with dialect_of(url).connect(url) as connection:
            connection.execute("CREATE TABLE t (n integer)")
        assert exists(url)
    assert not exists(url)
    assert exists(any_database)


def test_it_is_gone_after_an_exception(any_database: DatabaseUrl, settings: Settings) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        scratch_database(settings, like=any_database, label="replay") as url,
    ):
        raise ZeroDivisionError
    assert not exists(url)


def test_it_is_gone_after_an_interruption(any_database: DatabaseUrl, settings: Settings) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        scratch_database(settings, like=any_database, label="replay") as url,
    ):
        raise KeyboardInterrupt
    assert not exists(url)


def test_it_is_gone_though_somebody_is_still_connected(any_database: DatabaseUrl, settings: Settings) -> None:
    with scratch_database(settings, like=any_database, label="replay") as url:
        left_open = dialect_of(url).connect(url)
    assert not exists(url)
    left_open.close()


def test_two_at_once_are_two(any_database: DatabaseUrl, settings: Settings) -> None:
    with (
        scratch_database(settings, like=any_database, label="a") as one,
        scratch_database(settings, like=any_database, label="a") as other,
    ):
        assert one.database != other.database
        assert exists(one)
        assert exists(other)


def test_the_next_start_sweeps_what_a_killed_process_left(
    any_database: DatabaseUrl, settings: Settings
) -> None:
    holder, left = hold_scratch(any_database, settings)
    kill(holder)
    assert exists(left)
    with scratch_database(settings, like=any_database, label="next"):
        assert not exists(left)


def test_the_scratch_database_of_a_living_process_is_let_be(
    any_database: DatabaseUrl, settings: Settings
) -> None:
    holder, held = hold_scratch(any_database, settings)
    try:
        with scratch_database(settings, like=any_database, label="next"):
            assert exists(held)
        assert exists(held)
    finally:
        kill(holder)
        with scratch_database(settings, like=any_database, label="sweep"):
            assert not exists(held)


def test_a_name_fits_and_is_understood_again() -> None:
    name = scratch.scratch_name("A label, far too long: with signs")
    assert name.startswith(f"{PREFIX}alabelfarto_")
    assert len(name.replace(str(os.getpid()), "4194304")) <= 63
    assert not scratch._is_orphaned(name)
    assert scratch._is_orphaned(name.replace(f"_{os.getpid()}_", "_99999999_"))
    made_by_a_clock_put_back = re.sub(r"_\d{14}_", "_20010101000000_", name)
    assert not scratch._is_older_than(made_by_a_clock_put_back, timedelta(hours=1))
    assert scratch.scratch_name("…").startswith(f"{PREFIX}x_")


def test_what_only_looks_like_ours_is_let_be(postgresql_database: DatabaseUrl, settings: Settings) -> None:
    kept = postgresql_database.with_database(f"{PREFIX}of_somebody_{postgresql_database.database}")
    postgresql.create_database(kept)
    try:
        with scratch_database(settings, like=postgresql_database, label="sweep"):
            assert exists(kept)
    finally:
        postgresql.drop_database(kept)


# -- left behind on another machine -------------------------------------------------------------------------


def left_behind(like: DatabaseUrl, age: timedelta) -> DatabaseUrl:
    """A scratch database that a process of another machine made ``age`` ago."""
    made_at = (datetime.now(UTC) - age).strftime("%Y%m%d%H%M%S")
    random = like.database[-6:]
    url = like.with_database(f"{PREFIX}other_{made_at}_0a0b0c_1_{random}")
    postgresql.create_database(url)
    return url


def test_an_old_one_of_another_machine_is_swept(postgresql_database: DatabaseUrl, settings: Settings) -> None:
    left = left_behind(postgresql_database, timedelta(hours=1, minutes=1))
    with scratch_database(settings, like=postgresql_database, label="next"):
        assert not exists(left)


def test_an_old_one_of_another_machine_in_use_is_let_be(
    postgresql_database: DatabaseUrl, settings: Settings
) -> None:
    left = left_behind(postgresql_database, timedelta(hours=2))
    try:
        with (
            postgresql.connect(left),
            scratch_database(settings, like=postgresql_database, label="next"),
        ):
            assert exists(left)
    finally:
        postgresql.drop_database(left)


def test_a_young_one_of_another_machine_is_let_be(
    postgresql_database: DatabaseUrl, settings: Settings
) -> None:
    left = left_behind(postgresql_database, timedelta(minutes=59))
    try:
        with scratch_database(settings, like=postgresql_database, label="next"):
            assert exists(left)
    finally:
        postgresql.drop_database(left)


# -- PostgreSQL: where it is made ---------------------------------------------------------------------------


def test_it_is_made_beside_the_target_with_its_encoding(
    postgresql_database: DatabaseUrl, settings: Settings
) -> None:
    like = postgresql_database.with_database(f"{postgresql_database.database}_latin1")
    statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"
    with postgresql.connect(postgresql_database) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(like.database)))
    try:
        with (
            scratch_database(settings, like=like, label="replay") as url,
            postgresql.connect(url) as connection,
        ):
            assert url == like.with_database(url.database)
            assert connection.value("SHOW server_encoding") == "LATIN1"
    finally:
        postgresql.drop_database(like)
    assert not settings.state_folder.exists()


def test_a_role_that_may_create_databases_needs_no_more(make_role: MakeRole, settings: Settings) -> None:
    like = make_role("owner", "s3cret", createdb=True)
    with scratch_database(settings, like=like, label="replay") as url, postgresql.connect(url) as connection:
        connection.execute("CREATE TABLE public.t (n integer)")
    assert not postgresql.exists(url)


def test_without_the_right_the_embedded_server_is_used(make_role: MakeRole, settings: Settings) -> None:
    like = make_role("limited", "s3cret")
    with scratch_database(settings, like=like, label="replay") as url:
        found = embedded.status(settings.state_folder)
        assert found is not None
        assert found.url is not None
        assert url == found.url.with_database(url.database)
    assert not exists(url)


@pytest.mark.usefixtures("without_docker", "without_wheel")
def test_where_no_way_works_each_is_named_with_its_reason(make_role: MakeRole, settings: Settings) -> None:
    like = make_role("limited", "s3cret")
    with (
        pytest.raises(NotPermitted, match="no scratch database could be made") as raised,
        scratch_database(settings, like=like, label="replay"),
    ):
        pass
    why = raised.value.why
    assert "the target's own server:" in why
    assert "the embedded PostgreSQL:" in why
    assert "a container:" in why
    assert "CREATEDB;" in raised.value.next
    assert "scratch_url" in raised.value.next
    assert "s3cret" not in str(raised.value)


def test_a_target_that_does_not_answer_is_named_at_once(settings: Settings, tmp_path: Path) -> None:
    like = DatabaseUrl.parse(f"postgresql://u@/app?host={tmp_path}")
    with (
        pytest.raises(Unreachable, match="no PostgreSQL server answers"),
        scratch_database(settings, like=like, label="replay"),
    ):
        pass


def with_scratch_url(settings: Settings, url: str) -> Settings:
    (settings.root / "govern.toml").write_text(f'scratch_url = "{url}"\n', encoding="utf-8")
    return load(start=settings.root, environ={})


def test_scratch_url_is_used_and_nothing_else(
    postgresql_database: DatabaseUrl, make_role: MakeRole, settings: Settings
) -> None:
    configured = make_role("scratcher", "s3cret", createdb=True)
    settings = with_scratch_url(settings, configured.text)
    with (
        scratch_database(settings, like=postgresql_database, label="replay") as url,
        postgresql.connect(url) as connection,
    ):
        assert connection.value("SELECT current_user") == role_of(configured)


def test_a_scratch_url_that_does_not_work_is_not_passed_over(
    postgresql_database: DatabaseUrl, make_role: MakeRole, settings: Settings
) -> None:
    settings = with_scratch_url(settings, make_role("scratcher", "s3cret").text)
    with (
        pytest.raises(NotPermitted, match="no scratch database") as raised,
        scratch_database(settings, like=postgresql_database, label="replay"),
    ):
        pass
    assert raised.value.why.startswith("scratch_url: ")


def test_a_scratch_url_of_another_engine_is_refused(
    postgresql_database: DatabaseUrl, settings: Settings
) -> None:
    settings = with_scratch_url(settings, "sqlite:///scratch.db")
    with (
        pytest.raises(ConfigurationError, match="not of the target's engine"),
        scratch_database(settings, like=postgresql_database, label="replay"),
    ):
        pass


def test_another_major_is_not_passed_off_as_the_same() -> None:
    with pytest.raises(ToolMissing, match="the embedded PostgreSQL is PostgreSQL 18, the target is 15"):
        scratch._require_same_major(embedded.MAJOR, 15, "the embedded PostgreSQL")


def test_a_failure_to_drop_is_logged_and_hides_nothing(
    make_role: MakeRole, settings: Settings, server_url: DatabaseUrl
) -> None:
    like = make_role("owner", "s3cret", createdb=True)
    taken: list[DatabaseUrl] = []

    def take(url: DatabaseUrl) -> None:
        statement = sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(url.database))
        with postgresql.connect(server_url) as connection:
            connection.execute(statement)
        taken.append(url)
        raise ZeroDivisionError

    with (
        capture_logs() as logs,
        pytest.raises(ZeroDivisionError),
        scratch_database(settings, like=like, label="taken") as scratch_url,
    ):
        take(scratch_url)
    postgresql.drop_database(server_url.with_database(taken[0].database))
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "scratch_database_not_dropped"
    ]


# -- SQLite -------------------------------------------------------------------------------------------------


def test_a_sqlite_scratch_is_private_and_leaves_no_folder(
    sqlite_database: DatabaseUrl, settings: Settings
) -> None:
    with scratch_database(settings, like=sqlite_database, label="replay") as url:
        assert url.path.parent.stat().st_mode & 0o077 == 0
        with closing(sqlite3.connect(url.path)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("CREATE TABLE t (n)")
    assert not url.path.parent.exists()


def test_a_sqlite_target_need_not_exist(settings: Settings, tmp_path: Path) -> None:
    like = DatabaseUrl.parse(f"sqlite:///{tmp_path}/not-yet.db")
    with scratch_database(settings, like=like, label="models") as url:
        assert exists(url)
    assert not exists(like)


# -- folders --------------------------------------------------------------------------------------------------


def test_a_copy_of_a_schema_leaves_no_folder_that_the_next_start_would_not_sweep(
    any_database: DatabaseUrl, settings: Settings, tmp_path: Path
) -> None:
    with schema_copy(LiveDatabase(settings, any_database)):
        assert [folder.name for folder in (tmp_path / "tmp").iterdir() if not is_swept(folder)] == []
    assert list((tmp_path / "tmp").iterdir()) == []


def is_swept(folder: Path) -> bool:
    """Whether it is, once the process that made it is gone."""
    return scratch._is_orphaned(folder.name.replace(f"_{os.getpid()}_", "_99999999_"))


def test_a_drop_keeps_nobody_waiting_and_is_done_in_the_end(
    settings: Settings, postgresql_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_drop = threading.Event()
    drop = postgresql.drop_database

    def drop_later(url: DatabaseUrl) -> None:
        assert may_drop.wait(60)
        drop(url)

    monkeypatch.setattr(postgresql, "drop_database", drop_later)
    with dropping_meanwhile():
        with scratch_database(settings, like=postgresql_database, label="first") as url:
            pass
        assert exists(url)
        may_drop.set()
    assert not exists(url)
