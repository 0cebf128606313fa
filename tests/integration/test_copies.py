"""Copies of a database: all that is in it, quickly, and gone afterwards; the server that they are made on for tests."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psycopg
import pytest

from govern.config import load
from govern.database import embedded
from govern.database.copies import Copies
from govern.database.embedded import throwaway
from govern.database.engines import dialect_of
from govern.database.target import declared_like, throwaway_like
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck
from tests.acceptance.program import execute
from tests.fixtures.projects import list_tables, read_rows


def test_a_copy_has_the_rows_and_is_dropped_and_the_template_is_as_it_was(any_database: DatabaseUrl) -> None:
    execute(any_database, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (7)")
    copies = Copies(any_database, label="test")
    with contextlib.closing(copies), copies.copy() as first, copies.copy() as second:
        assert read_rows(first, "SELECT id FROM t") == [(7,)]
        execute(first, "DROP TABLE t")
        assert list_tables(second) == {"t"}
    assert not any(dialect_of(url).exists(url) for url in (first, second))
    assert list_tables(any_database) == {"t"}


def test_a_copy_has_the_settings_of_the_database_too(postgresql_database: DatabaseUrl) -> None:
    """They are kept beside it: CREATE DATABASE … TEMPLATE leaves them behind."""
    name = postgresql_database.database
    execute(
        postgresql_database,
        f"ALTER DATABASE {name} SET statement_timeout = '17s'",
        f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET search_path = 'Shop', public",
    )
    copies = Copies(postgresql_database, label="test")
    with contextlib.closing(copies), copies.copy() as copy:
        assert read_rows(copy, "SHOW statement_timeout") == [("17s",)]
        assert read_rows(copy, "SHOW search_path") == [('"Shop", public',)]
    untouched = postgresql_database.with_database("postgres")
    assert read_rows(untouched, "SHOW statement_timeout") == [("0",)]


def test_a_template_that_somebody_uses_cannot_be_copied(postgresql_database: DatabaseUrl) -> None:
    copies = Copies(postgresql_database, label="test")
    with (
        contextlib.closing(copies),
        psycopg.connect(postgresql_database.conninfo),
        pytest.raises(CouldNotCheck, match="could not be copied") as refused,
        copies.copy(),
    ):
        pass
    assert "being accessed by other users" in refused.value.why


def test_the_server_for_tests_is_in_memory_where_there_is_room_and_leaves_none_of_it(tmp_path: Path) -> None:
    memory, state = tmp_path / "memory", tmp_path / ".govern"
    memory.mkdir()
    memory.chmod(0o711)
    try:
        url = throwaway.ensure_running(state, memory=memory, room_bytes=0)
        assert read_rows(url, "SHOW fsync") == [("off",)]
        (inside,) = memory.iterdir()
        assert throwaway.ensure_running(state, memory=memory, room_bytes=2**62) == url, "the one that runs"
        assert not state.exists()
    finally:
        assert throwaway.stop(state, memory=memory)
    assert not inside.exists()
    assert not throwaway.stop(state, memory=memory)


def test_without_room_or_where_somebody_else_has_the_name_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []

    def note(folder: Path, **_: object) -> DatabaseUrl:
        started.append(folder)
        return DatabaseUrl.parse("postgresql:///app")

    monkeypatch.setattr(embedded, "ensure_running", note)
    state = tmp_path / ".govern"
    throwaway.ensure_running(state, memory=tmp_path, room_bytes=2**62)
    throwaway.ensure_running(state, memory=tmp_path / "missing", room_bytes=0)
    throwaway.ensure_running(state, memory=tmp_path, room_bytes=0)
    assert started[:2] == [state / "throwaway"] * 2
    assert started[2].parent == tmp_path
    started[2].rmdir()
    started[2].symlink_to("/etc")
    throwaway.ensure_running(state, memory=tmp_path, room_bytes=0)
    assert started[3] == state / "throwaway"
    assert os.geteuid() == tmp_path.stat().st_uid


def test_databases_of_tests_are_made_like_the_configured_one(
    sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    settings = load(start=tmp_path, url=sqlite_database.text, environ={})
    assert throwaway_like(settings) == declared_like(settings) == sqlite_database
