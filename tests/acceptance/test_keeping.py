"""Backups over the years: pruned by a policy, proven again, tried out; and health says when that does not happen."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govern import config
from govern.actions.backup import amend_manifest, find_backup, list_backups
from govern.core.backup import BackupManifest
from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project, dump, execute
from tests.fixtures.backups import make_older
from tests.fixtures.projects import read_rows, third_revision

MANIFEST = "schema/governance.yaml"
STRICT = "backups:\n  keep: {newest: 1, days: 30}\n  ledger_days: 30\n"
RUNS = {"postgresql": "govern.runs", "sqlite": "govern_runs"}
on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)


def back_up(project: Project, *, days_old: float = 0) -> str:
    backup_id: str = project.succeed("backup", "create").report["backups"][0]["id"]
    return age(project, backup_id, days_old) if days_old else backup_id


def age(project: Project, backup_id: str, days: float) -> str:
    return make_older(find_backup(config.load(start=project.root, environ={}), backup_id), days).id


def damage(project: Project, backup_id: str) -> None:
    files = (project.root / "backups" / backup_id / "data").rglob("*")
    data = max((file for file in files if file.is_file()), key=lambda file: file.stat().st_size)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)


def list_ids(project: Project) -> list[str]:
    return [backup["id"] for backup in project.succeed("backup", "list").report["backups"]]


def fates(rows: list[dict[str, Any]], key: str = "id") -> dict[str, str]:
    return {row[key]: row["fate"] for row in rows}


def test_what_goes_is_shown_first_and_what_the_ledger_names_stays(governed: Project) -> None:
    (first,) = list_ids(governed)  # of another database: this one is a copy
    newest, named, old, pinned = (back_up(governed, days_old=days) for days in (0, 60, 90, 91))
    governed.succeed("backup", "pin", pinned, "--because", "before the move")
    rename_in_ledger(governed, first, named)
    governed.write({MANIFEST: STRICT})

    shown = governed.succeed("backup", "prune")
    stay = {newest, named, pinned, first}
    assert fates(shown.report["prune"]) == {**dict.fromkeys(stay, "stays"), old: "goes"}
    reasons = {row["id"]: row["why"] for row in shown.report["prune"]}
    assert "has it in the ledger" in reasons[named][0]
    assert reasons[pinned] == ["pinned: before the move"]
    assert "1 backup would go" in shown.entry("prune")["reason"]
    assert set(list_ids(governed)) == {*stay, old}

    done = governed.succeed("backup", "prune", "--yes")
    assert fates(done.report["prune"])[old] == "removed"
    assert done.report["freed_bytes"] > 0
    assert set(list_ids(governed)) == stay
    governed.succeed("backup", "unpin", pinned)
    governed.succeed("backup", "prune", "--yes")
    assert set(list_ids(governed)) == stay - {pinned}
    assert "nothing goes" in governed.succeed("backup", "prune", "--yes").entry("prune")["reason"]
    assert governed.ask("backup", "prune", "--kept-databases").exit_code == 2


def rename_in_ledger(project: Project, old: str, new: str) -> str:
    cast = "::jsonb" if project.database.dialect == "postgresql" else ""
    table = RUNS[project.database.dialect]
    execute(project.database, f"UPDATE {table} SET run = replace(CAST(run AS text), '{old}', '{new}'){cast}")
    return new


@on_sqlite
def test_without_its_ledger_everything_stays_that_it_may_need(governed: Project) -> None:
    newest, young, old = (back_up(governed, days_old=days) for days in (0, 20, 90))
    governed.write({MANIFEST: "backups:\n  keep: {newest: 1, days: 0}\n"})
    governed.database.path.unlink()
    done = governed.succeed("backup", "prune", "--yes")
    assert done.entry("ledger")["status"] == "skipped"
    rows = fates(done.report["prune"])
    assert (rows[newest], rows[young], rows[old]) == ("stays", "stays", "removed")


def test_a_kept_database_goes_when_it_is_old_and_unused_and_the_ledger_knows_it(governed: Project) -> None:
    backup = back_up(governed)
    execute(governed.database, "INSERT INTO notes (id, user_id, body) VALUES (77, 1, 'since')")
    done = governed.succeed("restore", backup, "--allow", "overwrites-rows:notes")
    kept = done.report["run"]["kept_as"]
    governed.write({MANIFEST: STRICT})
    assert fates(governed.succeed("backup", "prune").report["kept_databases"], "name") == {kept: "stays"}

    old, unknown = rename_kept(governed, kept, "20200101000000"), copy_kept(governed, kept, "20200101000001")
    shown = governed.succeed("backup", "prune", "--yes").report["kept_databases"]
    assert fates(shown, "name") == {old: "goes", unknown: "stays"}
    with using(governed.database, old):
        done = governed.succeed("backup", "prune", "--yes", "--kept-databases")
        assert fates(done.report["kept_databases"], "name") == {old: "stays", unknown: "stays"}
    done = governed.succeed("backup", "prune", "--yes", "--kept-databases")
    assert fates(done.report["kept_databases"], "name") == {old: "removed", unknown: "stays"}
    again = governed.succeed("backup", "prune", "--yes", "--kept-databases").report["kept_databases"]
    assert fates(again, "name") == {unknown: "stays"}
    governed.succeed("health")
    if governed.database.dialect == "postgresql":
        execute(governed.database, f'DROP DATABASE "{unknown}"')


def rename_kept(project: Project, kept: str, moment: str) -> str:
    name = kept[: -len(moment)] + moment
    if project.database.dialect == "postgresql":
        execute(project.database, f'ALTER DATABASE "{kept}" RENAME TO "{name}"')
    else:
        Path(kept).rename(name)
    return rename_in_ledger(project, kept, name)


def copy_kept(project: Project, kept: str, moment: str) -> str:
    name = kept[: -len(moment)] + moment
    if project.database.dialect == "postgresql":
        execute(project.database, f'CREATE DATABASE "{name}"')
    else:
        Path(name).touch()
    return name


@contextlib.contextmanager
def using(live: DatabaseUrl, name: str) -> Iterator[None]:
    """Connected to PostgreSQL's, reading in SQLite's."""
    if live.dialect == "postgresql":
        with psycopg.connect(live.with_database(name).conninfo):
            yield
        return
    with contextlib.closing(sqlite3.connect(name, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM notes").fetchall()
        yield


@on_sqlite
def test_all_are_proven_again_or_those_that_are_due_within_a_budget(governed: Project) -> None:
    (oldest,) = list_ids(governed)
    second, newest = back_up(governed), back_up(governed)
    damage(governed, second)
    done = governed.ask("backup", "verify", "--all")
    assert done.exit_code == 1, done
    assert [(entry["name"], entry["status"]) for entry in done.report["entries"]] == [
        (newest, "passed"), (second, "found"), (oldest, "passed"),
    ]  # fmt: skip
    assert "nothing is due" in governed.succeed("backup", "verify", "--schedule").entry("verify")["reason"]

    governed.write({MANIFEST: "backups:\n  schedule: {verify_every: 1 min}\n"})
    forget_proofs_of(governed, minutes=2)
    due = governed.ask("backup", "verify", "--schedule", "--budget", "0.0001")
    assert [entry["name"] for entry in due.report["entries"]] == [newest, "budget"]
    assert "2 backups not reached" in due.entry("budget")["reason"]
    due = governed.ask("backup", "verify", "--schedule")
    assert [entry["name"] for entry in due.report["entries"]] == [second, oldest]
    for words in (["latest", "--all"], [], ["latest", "--budget", "5"]):
        assert governed.ask("backup", "verify", *words).exit_code == 2


def forget_proofs_of(project: Project, *, minutes: int) -> None:
    """Every look at a backup was so much earlier."""

    def earlier(manifest: BackupManifest) -> BackupManifest:
        span = timedelta(minutes=minutes)
        verified, unfit = manifest.verified, manifest.unfit
        return replace(
            manifest,
            verified=verified and replace(verified, at=verified.at - span),
            unfit=unfit and replace(unfit, at=unfit.at - span),
        )

    for backup in list_backups(config.load(start=project.root, environ={})):
        amend_manifest(backup, earlier)


def test_a_drill_takes_as_long_as_a_restore_and_leaves_the_live_database_alone(governed: Project) -> None:
    backup = back_up(governed)
    before = dump(governed.database)
    with connected(governed.database) as is_alive:
        done = governed.succeed("backup", "drill")
        assert is_alive()
    assert dump(governed.database) == before
    assert done.report["drill"]["seconds"] > 0
    assert "nothing was exchanged" in done.entry("drill")["reason"]
    assert beside(governed.database) == []
    listed = governed.succeed("backup", "list").report["backups"][0]
    assert (listed["id"], listed["drilled"]["seconds"]) == (backup, done.report["drill"]["seconds"])
    assert "drill" in [
        entry["name"] for entry in governed.succeed("backup", "show", backup).report["entries"]
    ]

    damage(governed, backup)
    refused = governed.ask("backup", "drill", backup)
    assert refused.exit_code == 4, refused
    assert beside(governed.database) == []
    assert dump(governed.database) == before


@contextlib.contextmanager
def connected(url: DatabaseUrl) -> Iterator[Any]:
    if url.dialect == "sqlite":
        with contextlib.closing(sqlite3.connect(url.path)) as connection:
            yield lambda: connection.execute("SELECT 1").fetchone() == (1,)
        return
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        yield lambda: session.execute("SELECT 1").fetchone() == (1,)


def beside(live: DatabaseUrl) -> list[str]:
    """What a restore makes and a drill must not leave."""
    if live.dialect == "sqlite":
        return [path.name for path in live.path.parent.glob("*restore*") if path.is_file()]
    query = f"SELECT datname FROM pg_database WHERE starts_with(datname, '{live.database}_')"
    return [name for (name,) in read_rows(live, query)]


@on_sqlite
def test_health_says_that_the_newest_backup_is_too_old_or_unfit(governed: Project) -> None:
    (backup,) = list_ids(governed)
    assert governed.succeed("health").entry("backups")["status"] == "passed"
    backup = age(governed, backup, 3)
    assert governed.succeed("health").rules == set()
    governed.write({MANIFEST: "backups: {max_age: 2 d}\n"})
    told = governed.ask("health")
    assert (told.exit_code, told.rules) == (1, {"backup.stale"})
    assert told.report["health"]["status"] == "degraded"
    assert governed.succeed("health", "--no-backups").report["health"]["status"] == "healthy"
    newest = back_up(governed)
    assert governed.succeed("health").rules == set()
    damage(governed, newest)
    governed.ask("backup", "verify", newest)
    assert governed.ask("health").rules == {"backup.stale", "backup.unverified"}
    assert json.loads((governed.root / "backups" / newest / "manifest.json").read_text())["unfit"]["why"]
    assert governed.succeed("backup", "show", "latest").report["backups"][0]["id"] == backup


@on_sqlite
def test_a_migration_says_how_much_could_go_and_removes_nothing(governed: Project) -> None:
    old = back_up(governed, days_old=90)
    governed.write({MANIFEST: STRICT, **third_revision("pass")})
    done = governed.succeed("migrate", "--rehearse", "off")
    assert done.entry("old backups")["reason"].startswith("1 backup could go")
    assert old in list_ids(governed)
    governed.succeed("backup", "prune", "--yes")
    again = governed.succeed("migrate")
    assert "old backups" not in [entry["name"] for entry in again.report["entries"]]
