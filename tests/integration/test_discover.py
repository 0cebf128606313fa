"""Whatever could be restored from is found, told what it holds, and made a backup like any other."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from govern.actions.backup import adopt, create_backup, find_backup
from govern.actions.discover import Search, discover
from govern.config import Settings, load
from govern.core.backup import Backup
from govern.core.report import Draft
from govern.database.live import LiveDatabase
from govern.database.postgresql.dump import find_clients
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, NotPermitted, Refused

TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, email varchar(320) NOT NULL);
CREATE TABLE notes (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), body text);
INSERT INTO users VALUES (1, 'a@example.org'), (2, 'b@example.org');
INSERT INTO notes VALUES
  (1, 1, 'hello'), (2, 1, E'back\\\\slash\\n\\\\! touch never'), (3, 2, 'COPY x FROM stdin;');
"""
FORMATS = {"app.pgdump": "custom", "app.tar": "tar", "app.folder": "directory", "app.sql": "plain"}
KINDS = {
    "custom": "pg_dump archive",
    "tar": "pg_dump tar",
    "directory": "pg_dump folder",
    "plain": "pg_dump script",
}
PLACES = (("", "users"), ("", "notes"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "project").mkdir()
    return load(start=tmp_path / "project", environ={})


def search(settings: Settings, url: DatabaseUrl, folder: Path) -> Search:
    places = tuple(("public" if url.dialect == "postgresql" else "", name) for _, name in PLACES)
    return discover(LiveDatabase(settings, url), folder, places, narrate=lambda _: None)


def take_in(settings: Settings, url: DatabaseUrl, path: Path) -> Backup:
    draft = Draft("backup adopt", datetime.now(UTC))
    backup = adopt(LiveDatabase(settings, url), draft, path, narrate=lambda _: None)
    assert [entry.status for entry in draft.entries] == ["passed", "passed"], draft.entries
    return find_backup(settings, backup.id)


def make_sqlite(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES.replace("E'", "'"))
    return path


def test_every_format_of_pg_dump_is_found_and_adopted(
    settings: Settings, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    with psycopg.connect(postgresql_database.conninfo, autocommit=True) as connection:
        connection.execute(TABLES.encode())
        connection.execute("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'x;'::text $$")
        connection.execute("GRANT SELECT ON users TO pg_monitor")
    folder = tmp_path / "old"
    folder.mkdir()
    for name, form in FORMATS.items():
        program = find_clients()[-1].pg_dump
        target = f"--file={folder / name}"
        subprocess.run([program, f"--format={form}", target, postgresql_database.conninfo], check=True)
    (folder / "app.sql.gz").write_bytes(gzip.compress((folder / "app.sql").read_bytes()))
    (folder / "app.pgdump.gz").write_bytes(gzip.compress((folder / "app.pgdump").read_bytes()))
    os.utime(folder / "app.sql", (1_700_000_000, 1_700_000_000))

    found = {one.path.name: one for one in search(settings, postgresql_database, tmp_path).found}
    assert {name: one.kind for name, one in found.items()} == {
        **{name: KINDS[form] for name, form in FORMATS.items()},
        "app.sql.gz": "pg_dump script", "app.pgdump.gz": "pg_dump archive",
    }  # fmt: skip
    assert {one.tables for one in found.values()} == {("notes", "users"), None}
    assert found["app.pgdump.gz"].trouble
    assert found["app.folder"].server_version
    assert found["app.pgdump"].is_own_time
    for path in sorted(folder.iterdir()):
        assert found[path.name].next == f"govern backup adopt {path}"
        backup = take_in(settings, postgresql_database, path)
        assert backup.manifest.rows == {"public.users": 2, "public.notes": 3}
        assert backup.manifest.reason == "adopted"
        assert backup.manifest.adopted_from is not None
        assert backup.manifest.adopted_from.path == str(path)
        assert backup.manifest.verified is not None
    assert backup.manifest.created_at != datetime.fromtimestamp(1_700_000_000, UTC)
    by_time = take_in(settings, postgresql_database, folder / "app.sql").manifest.created_at
    assert by_time == datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.sql", "-- PostgreSQL database dump\n\\! touch {canary}\n", "line 2 is for psql"),
        ("b.sql", "-- PostgreSQL database cluster dump\n\\connect template1\n", "line 2 is for psql"),
        ("c.sql", "-- PostgreSQL database dump\nSELECT 1 \\! touch {canary}\n;", "syntax error"),
        ("d.sql", "-- PostgreSQL database dump\nCREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n", "cut off"),
        ("e.dump", "PGDMP\x01\x10\x00and then nothing of it", "pg_restore"),
        ("f.sql", "-- PostgreSQL database dump\nCREATE TABLE t (a nothing);\n", "does not exist"),
    ],
)
def test_a_dump_that_is_none_or_wants_a_program_run_is_refused(
    settings: Settings, postgresql_database: DatabaseUrl, tmp_path: Path, name: str, content: str, why: str
) -> None:
    path = tmp_path / name
    path.write_text(content.replace("{canary}", str(tmp_path / "canary")), encoding="latin-1")
    with pytest.raises(Refused, match="cannot be adopted") as refused:
        take_in(settings, postgresql_database, path)
    assert why in refused.value.why
    assert not (tmp_path / "canary").exists()
    assert not settings.backups.exists()


def test_a_sqlite_file_with_its_log_is_found_and_adopted_and_a_damaged_one_is_not(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    make_sqlite(sqlite_database.path)
    old = make_sqlite(tmp_path / "old.db")
    with closing(sqlite3.connect(old)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO users VALUES (3, 'c')")
        writer.commit()
        (tmp_path / "copied").mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{old}{suffix}", tmp_path / "copied" / f"app{suffix}")
    (found,) = search(settings, sqlite_database, tmp_path / "copied").found
    assert (found.kind, found.tables, found.rows) == ("SQLite database", ("notes", "users"), 6)
    backup = take_in(settings, sqlite_database, found.path)
    assert backup.manifest.rows == {"users": 3, "notes": 3}
    assert backup.manifest.database == sqlite_database.database

    content = bytearray(old.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    (tmp_path / "damaged.db").write_bytes(content)
    with pytest.raises(Refused, match="cannot be adopted"):
        take_in(settings, sqlite_database, tmp_path / "damaged.db")
    assert sqlite_database.path.resolve() not in {
        one.path.resolve() for one in search(settings, sqlite_database, tmp_path).found
    }  # the database itself is no backup of it


def test_backups_that_lie_elsewhere_and_folders_of_rows_are_found(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    make_sqlite(sqlite_database.path)
    live = LiveDatabase(settings, sqlite_database)
    backup = create_backup(settings, live.dialect, live.url, reason="manual")
    elsewhere = tmp_path / "usb"
    shutil.copytree(settings.backups, elsewhere)
    (elsewhere / "rows").mkdir()
    (elsewhere / "rows" / "users.json").write_text('[{"id": 1}]', encoding="utf-8")
    (elsewhere / "rows" / "notes.csv").write_text("id\n1\n2\n", encoding="utf-8")
    (elsewhere / "rows" / "loop").symlink_to(elsewhere)
    (elsewhere / "package.json").write_text('{"name": "no rows"}', encoding="utf-8")
    (elsewhere / "all.json").write_text(json.dumps({"users": [{"id": 1}], "notes": []}), encoding="utf-8")
    found = {one.path.name: one for one in search(settings, sqlite_database, tmp_path).found}
    assert {name: (one.kind, one.tables, one.rows) for name, one in found.items()} == {
        backup.id: ("govern backup", ("notes", "users"), 5),
        "rows": ("folder of rows", ("notes", "users"), 3),
        "all.json": ("file of rows", ("notes", "users"), 1),
    }
    assert found["rows"].next == f"govern restore --from {elsewhere / 'rows'} --plan"
    adopted = take_in(settings, sqlite_database, elsewhere / backup.id)
    assert adopted.manifest.created_at == backup.manifest.created_at
    (elsewhere / backup.id / "data" / "database.sqlite").write_bytes(b"")
    with pytest.raises(Refused, match="not as it was written"):
        take_in(settings, sqlite_database, elsewhere / backup.id)


def test_a_search_ends_in_the_deepest_folder_and_says_so(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    make_sqlite(sqlite_database.path)
    shallow, deep = tmp_path / "a" / "b", tmp_path.joinpath("a", *"0123456789")
    for folder in (shallow, deep):
        folder.mkdir(parents=True)
        make_sqlite(folder / "app.db")
    cut_short = search(settings, sqlite_database, tmp_path)
    assert ([one.path.parent for one in cut_short.found], cut_short.is_cut_short) == ([shallow], True)
    whole = search(settings, sqlite_database, deep.parent)
    assert ([one.path.parent for one in whole.found], whole.is_cut_short) == ([deep], False)


def test_what_cannot_be_looked_into_is_told(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "open" / "closed"
    closed.mkdir(parents=True)
    (tmp_path / "open" / "fifo").mkdir()
    scandir = os.scandir

    def refuse(folder: Path) -> object:  # root may read every folder
        if folder == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert search(settings, sqlite_database, tmp_path).unread == [f"{closed}: Permission denied"]
    with pytest.raises(NotPermitted, match="cannot be read"):
        search(settings, sqlite_database, closed)
    with pytest.raises(ConfigurationError, match="there is no folder"):
        search(settings, sqlite_database, tmp_path / "none")
    for path in (tmp_path / "none", tmp_path / "open"):
        with pytest.raises(ConfigurationError, match="nothing that can be adopted"):
            take_in(settings, sqlite_database, path)
