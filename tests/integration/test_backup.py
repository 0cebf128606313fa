"""Backups are made whole or not at all, and only their owner may touch them."""

from __future__ import annotations

import errno
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from govern.actions.backup import (
    BackupDamaged,
    create_backup,
    find_backup,
    find_damaged,
    list_backups,
    verify_backup,
)
from govern.config import Settings, load
from govern.core.backup import Backup
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck, NotPermitted, Refused, Unreachable
from tests.fixtures.databases import MakeRole

TABLES = """
CREATE TABLE users (id integer PRIMARY KEY, email varchar(320) NOT NULL);
CREATE TABLE notes (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), body text);
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);
INSERT INTO users VALUES (1, 'a@example.org'), (2, 'b@example.org');
INSERT INTO notes VALUES (1, 1, 'hello'), (2, 1, 'again'), (3, 2, 'world');
INSERT INTO alembic_version VALUES ('3f2a');
"""
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CANARY = "kanarienvogel%@:/#'\"\\ü"


@pytest.fixture
def database(any_database: DatabaseUrl) -> DatabaseUrl:
    run(any_database, TABLES)
    return any_database


@pytest.fixture
def settings(tmp_path: Path, database: DatabaseUrl) -> Settings:
    project = tmp_path / "project"
    project.mkdir()
    return load(start=project, url=database.text, environ={})


def test_a_backup_holds_its_manifest_its_schema_and_its_data(
    settings: Settings, database: DatabaseUrl
) -> None:
    backup = back_up(settings, database, reason="manual")
    assert re.fullmatch(r"\d{8}T\d{6}Z-manual-[0-9a-f]{6}", backup.id)
    assert backup.path == settings.backups / backup.id
    names = {path.relative_to(backup.path).as_posix() for path in backup.path.rglob("*") if path.is_file()}
    assert names == {"manifest.json", *(file.path for file in backup.manifest.files)}
    assert {name for name in names if "/" not in name} == {"manifest.json", "snapshot.lock"}
    assert backup.bytes == sum((backup.path / file.path).stat().st_size for file in backup.manifest.files)


def test_the_manifest_says_what_was_backed_up(settings: Settings, database: DatabaseUrl) -> None:
    manifest = back_up(settings, database, reason="manual", now=lambda: NOON).manifest
    prefix = "public." if database.dialect == "postgresql" else ""
    assert manifest.rows == {f"{prefix}users": 2, f"{prefix}notes": 3}
    assert manifest.revision == ("3f2a",)
    assert manifest.created_at == NOON
    assert manifest.dialect == database.dialect
    assert manifest.verified is None
    assert manifest.lock_digest is None
    assert manifest.tool.startswith("pg_dump" if database.dialect == "postgresql" else "sqlite3")


def test_a_database_without_a_version_table_has_no_revision(
    settings: Settings, database: DatabaseUrl
) -> None:
    run(database, "DROP TABLE alembic_version")
    assert back_up(settings, database).manifest.revision is None


def test_a_broken_lock_file_does_not_keep_from_backing_up(settings: Settings, database: DatabaseUrl) -> None:
    settings.lock.parent.mkdir()
    settings.lock.write_text("nonsense")
    assert back_up(settings, database).manifest.lock_digest is None


def test_any_reason_becomes_a_word_of_the_id(settings: Settings, database: DatabaseUrl) -> None:
    backup = back_up(settings, database, reason="Before ../../the /etc\0 Big One!", now=lambda: NOON)
    assert re.fullmatch(r"20261121T120000Z-before-the-etc-big-one-[0-9a-f]{6}", backup.id)
    assert find_backup(settings, backup.id) == backup
    assert back_up(settings, database, reason="…").id.split("-")[1] == "manual"


def test_narration_tells_what_goes_on(settings: Settings, database: DatabaseUrl) -> None:
    told: list[str] = []
    backup = create_backup(settings, dialect_of(database), database, reason="manual", narrate=told.append)
    assert backup.id in told[0]


def test_nothing_but_the_owner_may_read_a_backup_whatever_the_umask(
    settings: Settings, database: DatabaseUrl
) -> None:
    before = os.umask(0)
    try:
        backup = back_up(settings, database)
        verify(settings, database, backup)
    finally:
        os.umask(before)
    for path in (settings.backups, backup.path, *backup.path.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


@pytest.mark.parametrize(("mode", "who"), [(0o777, "everybody"), (0o770, "a group"), (0o1777, "everybody")])
def test_a_folder_that_others_may_write_into_is_refused(
    settings: Settings, database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, mode: int, who: str
) -> None:
    monkeypatch.setattr("govern.actions.backup.store._is_private_group", lambda _: False)
    settings.backups.mkdir()
    settings.backups.chmod(mode)
    with pytest.raises(Refused, match=who) as caught:
        back_up(settings, database)
    assert "chmod go-w" in caught.value.next
    assert list(settings.backups.iterdir()) == []


def test_a_folder_that_others_may_read_but_not_write_is_taken(
    settings: Settings, database: DatabaseUrl
) -> None:
    settings.backups.mkdir()
    settings.backups.chmod(0o755)
    (settings.backups / "README.md").write_text("from a clone")
    backup = back_up(settings, database)
    assert list_backups(settings) == (backup,)


def test_a_file_in_the_place_of_the_folder_is_said(settings: Settings, database: DatabaseUrl) -> None:
    settings.backups.write_text("not a folder")
    with pytest.raises(CouldNotCheck, match="backups folder"):
        back_up(settings, database)


def test_backups_are_listed_newest_first(settings: Settings, database: DatabaseUrl) -> None:
    made = [back_up(settings, database, now=lambda day=day: NOON.replace(day=day)) for day in (2, 3, 1)]
    assert [backup.manifest.created_at.day for backup in list_backups(settings)] == [3, 2, 1]
    assert find_backup(settings) == made[1]
    assert find_backup(settings, made[2].id) == made[2]


def test_no_folder_is_an_empty_list(settings: Settings, database: DatabaseUrl) -> None:
    assert list_backups(settings) == ()
    assert find_damaged(settings) == ()
    with pytest.raises(ConfigurationError, match="no backup of default"):
        find_backup(settings)


def test_the_latest_is_the_targets_own(settings: Settings, database: DatabaseUrl) -> None:
    mine = back_up(settings, database, now=lambda: NOON)
    other = replace(settings, target="staging")
    theirs = back_up(other, database, now=lambda: NOON.replace(day=22))
    assert find_backup(settings) == mine
    assert find_backup(other) == theirs


@pytest.mark.parametrize(
    "wanted",
    [
        "", ".", "..", "../x", "/etc/passwd", "a\0b", "20261121T120000Z-manual-00000g", "README.md",
        "20261121T120000Z-manual-000000/../x", "20261121T120000Z-manual-000000\n",
        "２０261121T120000Z-manual-000000",
        ".partial-20261121T120000Z-manual-000000", "20261121T120000Z-manual-000000", "%2e%2e", "~", "-rf",
    ],
)  # fmt: skip
def test_an_id_that_is_none_is_not_looked_for(settings: Settings, database: DatabaseUrl, wanted: str) -> None:
    with pytest.raises(ConfigurationError, match="no backup"):
        find_backup(settings, wanted)


def test_a_link_is_no_backup(settings: Settings, database: DatabaseUrl, tmp_path: Path) -> None:
    backup = back_up(settings, database)
    elsewhere = tmp_path / "elsewhere"
    backup.path.rename(elsewhere)
    backup.path.symlink_to(elsewhere)
    assert list_backups(settings) == ()
    with pytest.raises(ConfigurationError):
        find_backup(settings, backup.id)


def test_a_manifest_behind_a_link_is_damage(
    settings: Settings, database: DatabaseUrl, tmp_path: Path
) -> None:
    backup = back_up(settings, database)
    manifest = backup.path / "manifest.json"
    manifest.rename(tmp_path / "manifest.json")
    manifest.symlink_to(tmp_path / "manifest.json")
    assert [finding.rule.id for finding in find_damaged(settings)] == ["backup.damaged-file"]


def test_a_damaged_or_missing_manifest_is_not_passed_over_in_silence(
    settings: Settings, database: DatabaseUrl
) -> None:
    first, second, whole = (back_up(settings, database) for _ in range(3))
    (first.path / "manifest.json").unlink()
    (second.path / "manifest.json").write_text("{}")
    assert list_backups(settings) == (whole,)
    assert {finding.rule.id for finding in find_damaged(settings)} == {
        "backup.missing-file",
        "backup.damaged-file",
    }
    with pytest.raises(BackupDamaged) as caught:
        find_backup(settings, first.id)
    assert caught.value.finding.rule.id == "backup.missing-file"


def test_the_manifest_of_another_backup_is_damage(settings: Settings, database: DatabaseUrl) -> None:
    first, second = back_up(settings, database), back_up(settings, database)
    (second.path / "manifest.json").write_bytes((first.path / "manifest.json").read_bytes())
    (finding,) = find_damaged(settings)
    assert first.id in finding.message


def test_equal_moments_do_not_collide(settings: Settings, database: DatabaseUrl) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: back_up(settings, database, now=lambda: NOON), range(8)))
    assert len({backup.id for backup in made}) == 8
    assert sorted(backup.id for backup in list_backups(settings)) == sorted(backup.id for backup in made)
    assert [path.name for path in settings.backups.iterdir() if path.name.startswith(".")] == []


def test_a_backup_that_fails_leaves_nothing(settings: Settings, database: DatabaseUrl) -> None:
    def fail(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_backup(settings, dialect_of(database), database, reason="manual", narrate=fail)
    assert list(settings.backups.iterdir()) == []


def test_a_database_that_is_not_there_leaves_nothing(
    settings: Settings, database: DatabaseUrl, tmp_path: Path
) -> None:
    missing = (
        database.with_database("there_is_none")
        if database.dialect == "postgresql"
        else DatabaseUrl.parse(f"sqlite:///{tmp_path / 'missing.sqlite'}")
    )
    with pytest.raises(Unreachable):
        back_up(settings, missing)
    assert list(settings.backups.iterdir()) == []


def test_a_backup_killed_at_any_moment_is_never_listed_and_is_swept_by_the_next(
    settings: Settings, database: DatabaseUrl
) -> None:
    """Each round kills a little later after the first trace of a backup, until one gets through."""
    script = (
        "import sys, pathlib\n"
        "from govern.actions.backup import create_backup\n"
        "from govern.config import load\n"
        "from govern.database.engines import dialect_of\n"
        "from govern.database.url import DatabaseUrl\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "url = DatabaseUrl.parse(sys.stdin.read())\n"
        "print('ready', flush=True)\n"
        "create_backup(load(start=root, url=url.text, environ={}), dialect_of(url), url, reason='killed')\n"
    )
    half_written, finished, delay = 0, 0, 0.001
    while not finished:
        before = set(settings.backups.glob("*"))
        with subprocess.Popen(
            [sys.executable, "-c", script, settings.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(database.text)
            process.stdin.close()
            process.stdout.readline()
            while process.poll() is None and set(settings.backups.glob("*")) <= before:
                time.sleep(0.001)
            time.sleep(delay)
            process.kill()
            process.wait()
        half_written += len(list(settings.backups.glob(".partial-*")))
        assert find_damaged(settings) == ()
        finished = len(list_backups(settings))
        delay *= 1.3
        assert delay < 10
    assert half_written > 0
    for backup in list_backups(settings):
        assert verify(settings, database, backup)[1] == ()
    back_up(settings, database)
    assert list(settings.backups.glob(".partial-*")) == []


def test_what_a_living_process_writes_is_not_swept(settings: Settings, database: DatabaseUrl) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> None:
        reached.set()
        go_on.wait(30)

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(
            create_backup, settings, dialect_of(database), database, reason="slow", narrate=wait
        )
        assert reached.wait(30)
        back_up(settings, database)
        go_on.set()
        assert verify(settings, database, slow.result())[1] == ()


def test_a_disk_that_is_full_is_said_and_leaves_nothing(settings: Settings, database: DatabaseUrl) -> None:
    """A limit on the size of files does what a full disk does."""
    wide = "x" * 100
    run(database, f"INSERT INTO notes SELECT 10 + a.id * 5 + b.id, 1, '{wide}' FROM users a, notes b")
    answer = run_limited(settings, database, "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))")
    assert re.search("does not fit|could not be", answer), answer
    assert "Traceback" not in answer
    assert [path for path in settings.backups.iterdir() if path.suffix != ".log"] == []


def test_a_disk_that_does_not_write_is_said_and_leaves_nothing(
    settings: Settings, database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CouldNotCheck) as caught:
        back_up(settings, database)
    assert "Input/output error" in caught.value.why
    assert list(settings.backups.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_said(settings: Settings, database: DatabaseUrl) -> None:
    settings.backups.mkdir()
    settings.backups.chmod(0o500)
    with _without_root(), pytest.raises(NotPermitted, match="cannot be written") as caught:
        back_up(settings, database)
    assert "Permission denied" in caught.value.why
    assert list(settings.backups.iterdir()) == []


def test_a_folder_that_may_not_be_read_is_said(settings: Settings, database: DatabaseUrl) -> None:
    settings.backups.mkdir()
    settings.backups.chmod(0o300)
    with _without_root(), pytest.raises(NotPermitted, match="cannot be read"):
        list_backups(settings)


def test_secrets_are_in_no_file_of_a_backup(
    postgresql_database: DatabaseUrl, make_role: MakeRole, tmp_path: Path
) -> None:
    run(postgresql_database, TABLES)
    login = make_role("owner", CANARY)
    user = str(psycopg.conninfo.conninfo_to_dict(login.conninfo)["user"])
    run(postgresql_database, f'GRANT pg_read_all_data TO "{user}"')
    url = login.with_database(postgresql_database.database)
    settings = load(start=tmp_path, url=url.text, environ={})
    told: list[str] = []
    backup = create_backup(settings, dialect_of(url), url, reason="manual", narrate=told.append)
    for path in backup.path.rglob("*"):
        if path.is_file():
            assert b"kanarienvogel" not in path.read_bytes()
    assert "kanarienvogel" not in "".join(told) + repr(backup) + json.dumps(backup.to_json())


@contextmanager
def _without_root() -> Iterator[None]:
    """Root ignores modes, so a test of them would pass whatever the code does."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def back_up(settings: Settings, url: DatabaseUrl, *, reason: str = "manual", now: object = None) -> Backup:
    clock = {"now": now} if now else {}
    return create_backup(settings, dialect_of(url), url, reason=reason, **clock)  # type: ignore[arg-type]


def verify(settings: Settings, url: DatabaseUrl, backup: Backup) -> tuple[object, tuple[object, ...]]:
    return verify_backup(settings, dialect_of(url), backup, like=url)


def run(url: DatabaseUrl, script: str) -> None:
    if url.dialect == "postgresql":
        with psycopg.connect(url.conninfo, autocommit=True) as postgresql:
            postgresql.execute(script)
    else:
        with closing(sqlite3.connect(url.path)) as sqlite:
            sqlite.executescript(script)


def run_limited(settings: Settings, url: DatabaseUrl, limit: str) -> str:
    """Backs up in a process of its own under a limit; returns the error's text."""
    script = (
        "import resource, sys, pathlib\n"
        "from govern.actions.backup import create_backup\n"
        "from govern.config import load\n"
        "from govern.database.engines import dialect_of\n"
        "from govern.database.url import DatabaseUrl\n"
        "from govern.errors import GovernError\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "url = DatabaseUrl.parse(sys.stdin.read())\n"
        f"{limit}\n"
        "settings = load(start=root, url=url.text, environ={})\n"
        "try:\n"
        "    create_backup(settings, dialect_of(url), url, reason='limited')\n"
        "except GovernError as error:\n"
        "    print(error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, settings.root],
        input=url.text,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout + answer.stderr
