"""A backup in the place of a database: exactly what was backed up, and nothing anybody wrote since is lost unnamed."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govern import api, config
from govern.core.report import Report
from govern.database.postgresql import replacement
from govern.database.url import DatabaseUrl
from govern.errors import Refused
from tests.acceptance.program import Project, assert_told, dump, execute
from tests.acceptance.test_unable import give_to
from tests.fixtures.databases import MakeRole
from tests.fixtures.projects import list_tables, read_rows, read_version, third_revision

NEWER = """op.add_column("users", sa.Column("nick", sa.String(20)))
    op.create_table("more", sa.Column("id", sa.Integer, primary_key=True), sa.Column("user_id", sa.Integer,
        sa.ForeignKey("users.id")))
    op.execute("INSERT INTO more VALUES (1, 1)")"""
RETYPED = '\n    op.alter_column("notes", "user_id", type_=sa.BigInteger)'
GOVERN_SUM, SECOND = "migrations/govern.sum", "migrations/versions/r2_notes.py"
RUNS = {"postgresql": "govern.runs", "sqlite": "govern_runs"}
INSERT = "INSERT INTO notes (id, user_id, body) VALUES ({}, 1, 'acknowledged')"
SURROUNDINGS = """
SELECT datdba, datconnlimit, (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(datacl) acl),
  shobj_description(oid, 'pg_database'), pg_encoding_to_char(encoding), datcollate,
  (SELECT array_agg((setrole, setconfig)::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = oid)
FROM pg_database WHERE datname = '{}'
"""
KILLED = """
import os, signal
from govern import api, config
from govern.database.postgresql import replacement
replacement._Replacement._put_in = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
api.restore(config.load(), {backup!r}, allow=("overwrites-rows:notes",))
"""


on_postgresql = pytest.mark.parametrize("governed", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)


def back_up(project: Project) -> str:
    backup: str = project.succeed("backup", "create").report["backups"][0]["id"]
    return backup


def restore_with(project: Project, backup: str, *allow: str, meanwhile: threading.Event) -> Report:
    """In this process; ``meanwhile`` is set at the very last moment before the exchange."""

    def hear(sentence: str) -> None:
        if sentence == "exchanging the databases":
            meanwhile.set()
            time.sleep(0.3)

    settings = config.load(start=project.root, environ={"DATABASE_URL": project.url or ""})
    return api.restore(settings, backup, allow=allow, narrate=hear)


@contextlib.contextmanager
def writing(url: DatabaseUrl, begin: threading.Event) -> Iterator[list[int]]:
    """Four threads insert notes from ``begin`` on to the end of the block; gives the ids that were acknowledged."""
    acknowledged: list[int] = []
    end = threading.Event()
    errors = (psycopg.Error, sqlite3.Error)

    def write(first: int) -> None:
        begin.wait()
        number = first
        while not end.is_set():
            number += 1
            with contextlib.suppress(*errors):
                execute(url, INSERT.format(number))
                acknowledged.append(number)
            time.sleep(0.003)  # SQLite has no queue: whoever never pauses locks all others out

    threads = [threading.Thread(target=write, args=(thread * 1_000_000,)) for thread in range(1, 5)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        begin.set()
        end.set()
        for thread in threads:
            thread.join()


def read_ids(url: DatabaseUrl) -> set[int]:
    return {number for (number,) in read_rows(url, "SELECT id FROM notes")}


def list_databases(url: DatabaseUrl, prefix: str) -> list[str]:
    query = f"SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')"
    return [name for (name,) in read_rows(url, query)]


def kept_by(report: Report, url: DatabaseUrl) -> DatabaseUrl:
    name = report.data["run"]["kept_as"]
    return url.with_database(name) if url.dialect == "postgresql" else DatabaseUrl.parse(f"sqlite:///{name}")


def test_a_newer_schema_becomes_exactly_that_of_the_backup(governed: Project) -> None:
    """Of a backup with stale marks: an unhealthy run, and noted progress of a revision that was finished."""
    runs, is_postgresql = RUNS[governed.database.dialect], governed.database.dialect == "postgresql"
    execute(governed.database, f"UPDATE {runs} SET run = replace(CAST(run AS text), 'applied', 'unhealthy')"
            + ("::jsonb" if is_postgresql else ""))  # fmt: skip
    if is_postgresql:
        execute(
            governed.database,
            "INSERT INTO govern.progress VALUES ('r2', 1, 'x', 'SELECT 1', 'x', 'begun', true, NULL)",
        )
    before = dump(governed.database, ledger=False)
    backup = back_up(governed)
    governed.write(third_revision(NEWER + RETYPED * is_postgresql))
    governed.succeed("migrate", "--rehearse", "off")

    planned = governed.succeed("restore", backup, "--plan")
    assert "table public.more" in " ".join(planned.report["schema"]) or not is_postgresql
    assert any("users.nick" in line for line in planned.report["schema"])
    assert "overwrites-rows:more" in planned.entry("rows")["reason"]
    refused = governed.ask("restore", backup)
    assert refused.exit_code == 4, refused
    assert refused.problem["why"] == "more is not in the backup, and has 1 row"
    assert f"govern restore {backup} --allow overwrites-rows:more" in refused.problem["next"]
    assert "more" in list_tables(governed.database)

    done = governed.succeed("restore", backup, "--allow", "overwrites-rows:more")
    assert read_version(governed.database) == {"r2"}
    assert dump(governed.database, ledger=False) == before
    newest, *_ = governed.succeed("history").report["runs"]
    assert (newest["command"], newest["result"], newest["restored_from"]) == ("restore", "applied", backup)
    assert newest["kept_as"] in done.entry("exchange")["reason"]
    again = governed.succeed("restore")  # the newest but for that which the restore took itself
    assert again.entry("restore")["status"] == "passed"
    assert "nothing was done" in again.report["entries"][-1]["reason"]
    governed.succeed("health")
    governed.succeed("migrate", "--rehearse", "off", "--backup", "off")


@pytest.mark.parametrize("journal", ["delete", "wal"])
@on_sqlite
def test_no_acknowledged_write_is_lost_on_sqlite(journal: str, governed: Project) -> None:
    execute(governed.database, f"PRAGMA journal_mode = {journal}")
    assert_nothing_is_lost(governed)
    mode = Path(next(governed.root.glob("database.sqlite.before-restore-*"))).stat().st_mode
    assert mode & 0o777 == 0o600


@on_postgresql
def test_no_acknowledged_write_is_lost_on_postgresql(governed: Project) -> None:
    assert_nothing_is_lost(governed)


def assert_nothing_is_lost(project: Project) -> None:
    """Writes that begin when all has been compared: refused without the flag, with it they are in the old database."""
    backup, begin = back_up(project), threading.Event()
    execute(project.database, "DELETE FROM notes", "UPDATE users SET email = 'other@example.org'")
    with writing(project.database, begin) as acknowledged:
        with pytest.raises(Refused, match="the live database has rows that the backup has not") as refused:
            restore_with(project, backup, "overwrites-rows:users", meanwhile=begin)
        assert "overwrites-rows:notes" in refused.value.next
    assert len(acknowledged) > 3
    assert read_ids(project.database) == set(acknowledged)
    assert read_rows(project.database, "SELECT email FROM users") == [("other@example.org",)]

    execute(project.database, "DELETE FROM notes")
    begin = threading.Event()
    with writing(project.database, begin) as acknowledged:
        report = restore_with(
            project, backup, "overwrites-rows:users", "overwrites-rows:notes", meanwhile=begin
        )
        time.sleep(0.2)
    kept, live = read_ids(kept_by(report, project.database)), read_ids(project.database)
    assert kept
    assert live
    assert kept | live == set(acknowledged)
    assert kept & live == set()
    assert read_rows(project.database, "SELECT email FROM users") == [("first@example.org",)]


@on_postgresql
def test_a_restore_that_was_killed_between_its_renames_is_named_and_put_back(
    governed: Project,
) -> None:
    project = governed
    backup = back_up(project)
    execute(project.database, INSERT.format(7))
    assert project.run_python(KILLED.format(backup=backup)).exit_code == -9
    name = project.database.database
    for command in (["health"], ["restore", "--plan"]):
        told = project.ask(*command)
        assert told.exit_code == 3, told
        assert "a restore was interrupted between its two renames" in told.problem["what"]
        assert f"{name}_before_restore_" in told.problem["why"]
        assert "govern restore puts it back" in told.problem["next"]

    done = project.succeed("restore", backup, "--allow", "overwrites-rows:notes")
    assert "_before_restore_" in done.entry("put back")["reason"]
    assert read_ids(project.database) == set()
    assert read_ids(project.database.with_database(done.report["run"]["kept_as"])) == {7}
    with psycopg.connect(project.database.conninfo) as session:
        side = session.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{name}_restored_%",)
        )
        assert side.fetchall() == []


@on_postgresql
def test_the_owner_may_restore_and_what_belongs_to_the_database_itself_stays(
    governed: Project, make_role: MakeRole, server_url: DatabaseUrl
) -> None:
    as_superuser = governed.database
    reader = str(make_role("reader", "password").text).split("//")[1].split(":")[0]
    owner = give_to(make_role("owner", "password", createdb=True), as_superuser, server_url)
    role = owner.text.split("//")[1].split(":")[0]
    name = as_superuser.database
    execute(
        as_superuser,
        "DO $$ DECLARE t text; BEGIN FOR t IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE "
        f"schemaname IN ('public', 'govern') LOOP EXECUTE 'ALTER TABLE ' || t || ' OWNER TO {role}'; END LOOP; END $$",
        f"ALTER SCHEMA govern OWNER TO {role}",
        f"GRANT CREATE ON SCHEMA public TO {role}",
        f"ALTER DATABASE {name} CONNECTION LIMIT 50",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {reader} WITH GRANT OPTION",
        f'ALTER DATABASE {name} SET search_path TO "$user", public, \'a"B c\'',
        f"ALTER DATABASE {name} SET application_name TO 'it''s'",
        f"COMMENT ON DATABASE {name} IS 'the shop''s'",
    )
    project = governed.with_url(owner)
    backup = back_up(project)
    execute(as_superuser, INSERT.format(7))
    before = read_rows(server_url, SURROUNDINGS.format(name))
    with psycopg.connect(as_superuser.conninfo):  # a session that the owner may not end
        refused = project.ask("restore", backup, "--allow", "overwrites-rows:notes")
        assert refused.exit_code == 4, refused
        assert "is in use, and its sessions could not be ended" in refused.problem["what"]
        assert read_ids(as_superuser) == {7}
    project.succeed("restore", backup, "--allow", "overwrites-rows:notes")
    assert read_ids(as_superuser) == set()
    assert read_rows(server_url, SURROUNDINGS.format(name)) == before


@on_postgresql
@pytest.mark.parametrize("interrupted_rename", [1, 2])
def test_an_interrupt_in_the_middle_of_a_rename_leaves_one_database_of_the_name(
    interrupted_rename: int, governed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, name = back_up(governed), governed.database.database
    execute(governed.database, INSERT.format(7))
    show_out, calls = replacement._Replacement._show_out, [0]

    def interrupt(self: Any, *arguments: Any) -> str:
        refused = show_out(self, *arguments)
        calls[0] += 1
        if calls[0] == interrupted_rename:
            raise KeyboardInterrupt
        return refused

    monkeypatch.setattr(replacement._Replacement, "_show_out", interrupt)
    with pytest.raises(KeyboardInterrupt) as raised:
        restore_with(governed, backup, "overwrites-rows:notes", meanwhile=threading.Event())
    note, others = raised.value.__notes__[0], list_databases(governed.database, f"{name}_")
    if interrupted_rename == 1:
        assert note == "the database is as it was"
        assert (read_ids(governed.database), others) == ({7}, [])
    else:
        assert "the restored database is in its place" in note
        assert read_ids(governed.database) == set()
        assert [read_ids(governed.database.with_database(other)) for other in others] == [{7}]


@on_sqlite
def test_what_is_no_good_backup_is_told_and_the_database_is_left_as_it_is(governed: Project) -> None:
    before = dump(governed.database)
    backup = back_up(governed)
    folder = governed.root / "backups" / backup
    assert_told(governed, "restore", "20200101T000000Z-manual-aaaaaa", exit_code=2, said="there is no backup")
    newest = {path: (governed.root / path).read_text() for path in (SECOND, GOVERN_SUM)}
    governed.write(dict.fromkeys(newest))
    assert_told(governed, "restore", exit_code=4, said="at revision r2, which this code does not know")
    governed.write(newest)
    with (folder / "snapshot.lock").open("a") as file:
        file.write(" ")
    assert_told(governed, "restore", backup, exit_code=4, said="is not as it was written")
    assert dump(governed.database) == before


def test_a_database_that_is_missing_is_made(governed: Project) -> None:
    back_up(governed)
    if governed.database.dialect == "sqlite":
        governed.database.path.unlink()
    else:
        drop = f"DROP DATABASE {governed.database.database}"
        execute(governed.database.with_database("postgres"), drop)
    done = governed.succeed("restore")
    assert "there was none before" in done.entry("exchange")["reason"]
    assert read_rows(governed.database, "SELECT email FROM users") == [("first@example.org",)]
    governed.succeed("health")


@on_sqlite
def test_a_sqlite_file_that_is_damaged_is_kept_as_it_is_and_replaced_if_that_is_allowed(
    governed: Project,
) -> None:
    backup = back_up(governed)
    file = governed.database.path
    file.write_bytes(b"no database" * 100)
    refused = governed.ask("restore", backup)
    assert refused.exit_code == 4, refused
    assert "--allow overwrites-unreadable:database.sqlite" in refused.problem["next"]
    done = governed.succeed("restore", backup, "--allow", "overwrites-unreadable:database.sqlite")
    assert Path(done.report["run"]["kept_as"]).read_bytes() == b"no database" * 100
    governed.succeed("health")
    shutil.rmtree(governed.root / "backups")
    assert_told(governed, "restore", exit_code=2, said="there is no backup of default")
