"""Drift that a team decided to live with: ignored until a day, weighed otherwise, or known since adoption."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project
from tests.fixtures.databases import MakeDatabase

MANIFEST = "schema/governance.yaml"
TOMORROW = date.today() + timedelta(days=1)  # noqa: DTZ011 - the day here, as a manifest means it
YESTERDAY = TOMORROW - timedelta(days=2)


def execute(url: DatabaseUrl, *statements: str) -> None:
    if url.dialect == "sqlite":
        with contextlib.closing(sqlite3.connect(url.path)) as connection:
            connection.executescript(";".join(statements))
        return
    with psycopg.connect(url.conninfo, autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


def ignoring(name: str, until: date) -> str:
    return (
        "drift:\n  ignore:\n"
        f"    - {{kind: table, name: {name}, reason: a trial, owner: ada, until: {until}}}\n"
    )


def found(project: Project, *arguments: str) -> set[tuple[str, str, str]]:
    done = project.ask("drift", *arguments)
    return {(finding["rule"], finding["severity"], finding["subject"]["name"]) for finding in done.findings}


on_sqlite = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)

STRAY = ("drift.table-added", "error", "stray")


def test_what_is_ignored_is_counted_and_is_no_finding_anywhere(governed: Project) -> None:
    execute(governed.database, "CREATE TABLE stray (id integer)")
    assert found(governed) == {STRAY}
    assert governed.ask("health").exit_code == 1
    assert governed.ask("migrate").exit_code != 0

    governed.write({MANIFEST: ignoring("str*", TOMORROW)})
    assert governed.succeed("drift").entry("drift")["reason"].endswith("1 ignored")
    assert governed.succeed("health").findings == []
    assert governed.succeed("migrate").entry("validate")["reason"].endswith("1 ignored")
    planned = governed.succeed("repair", "plan").report["repair"]
    assert planned["statements"] == []


@on_sqlite
def test_an_entry_that_expired_ignores_nothing_and_says_who_answers_for_it(governed: Project) -> None:
    governed.write({MANIFEST: ignoring("stray", YESTERDAY)})
    execute(governed.database, "CREATE TABLE stray (id integer)")
    done = governed.ask("drift")
    assert done.rules == {"drift.table-added", "drift.ignore-expired"}
    (expired,) = (finding for finding in done.findings if finding["rule"] == "drift.ignore-expired")
    assert expired["severity"] == "warning"
    assert (expired["subject"]["path"], expired["subject"]["line"]) == (MANIFEST, 3)
    assert "ada" in expired["why"]


@on_sqlite
def test_an_entry_that_matches_nothing_is_told_and_fails_nothing(governed: Project) -> None:
    governed.write({MANIFEST: ignoring("stray", TOMORROW)})
    assert governed.succeed("drift").rules == {"drift.ignore-unused"}


def test_a_repair_leaves_alone_what_is_ignored(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database, {MANIFEST: ignoring("stray", TOMORROW)})
    project.succeed("migrate")
    execute(
        postgresql_database,
        "CREATE TABLE stray (id integer)",
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
    )
    applied = project.ask("repair", "apply")
    if applied.exit_code == 0:
        assert found(project) == set()
    else:  # a proposal that would drop it is not proven
        assert applied.exit_code == 4
        assert "not proven" in applied.problem["what"]
    with psycopg.connect(postgresql_database.conninfo) as session:
        session.execute("SELECT * FROM stray")


@on_sqlite
def test_severities_are_the_manifests(governed: Project) -> None:
    manifest = (
        "critical_tables: [{name: users}]\n"
        "drift: {severity: [{kind: index, name: users.*, severity: warning}, {kind: table, severity: info}]}\n"
    )
    governed.write({MANIFEST: manifest})
    execute(governed.database, "CREATE TABLE stray (id integer)", "CREATE INDEX extra ON users (email)")
    assert found(governed) == {
        ("drift.table-added", "info", "stray"),
        ("drift.index-added", "warning", "users.extra"),
    }
    assert governed.succeed("drift")
    execute(governed.database, "ALTER TABLE users ADD COLUMN scratch text")
    assert ("drift.column-added", "critical", "users.scratch") in found(governed)


def test_a_drifted_database_is_adopted_with_a_baseline(governed: Project, tmp_path: Path) -> None:
    execute(governed.database, "CREATE TABLE stray (id integer)", "CREATE INDEX extra ON users (email)")
    file = tmp_path / "known"
    written = governed.succeed("drift", "--write-baseline", str(file))
    assert "2 known differences" in written.entry("baseline")["reason"]
    assert "drift.table-added" in file.read_text()

    adopted = governed.succeed("drift", "--baseline", str(file))
    assert adopted.entry("drift")["reason"].endswith("2 known")
    assert STRAY in found(governed)

    execute(governed.database, "DROP INDEX extra", "CREATE INDEX extra ON users (id)")
    assert found(governed, "--baseline", str(file)) == {("drift.index-added", "error", "users.extra")}

    execute(governed.database, "DROP INDEX extra")
    done = governed.succeed("drift", "--baseline", str(file))
    assert done.rules == {"drift.baseline-vanished"}


@on_sqlite
def test_a_baseline_of_the_manifest_is_read_and_a_missing_one_refused(governed: Project) -> None:
    execute(governed.database, "CREATE TABLE stray (id integer)")
    governed.write({MANIFEST: "drift: {baseline: schema/drift.baseline}\n"})
    refused = governed.ask("drift")
    assert refused.exit_code == 2
    assert "schema/drift.baseline" in refused.problem["what"]
    governed.succeed("drift", "--write-baseline", "schema/drift.baseline")
    assert governed.succeed("drift").findings == []


def test_the_order_of_columns_is_compared_when_asked(
    make_project: MakeProject,
    any_database: DatabaseUrl,
    make_another: Callable[[], DatabaseUrl],
    tmp_path: Path,
) -> None:
    project, other = make_project("plain", any_database), make_another()
    execute(any_database, "CREATE TABLE t (a integer, b integer, c integer)")
    execute(other, "CREATE TABLE t (b integer, a integer, c integer)")
    assert found(project, "--against", other.text) == set()
    done = project.ask("drift", "--against", other.text, "--column-order")
    (finding,) = done.findings
    assert (finding["rule"], finding["subject"]["name"]) == ("drift.table-changed", "t")
    assert finding["message"].endswith("column_order should be b, a, c, is a, b, c")

    project.write(
        {
            MANIFEST: "drift:\n  ignore:\n    - {kind: table, name: t, fact: column_order, reason: old, owner: ada}\n"
        }
    )
    assert found(project, "--against", other.text, "--column-order") == set()

    snapshot = tmp_path / "snapshot.txt"
    project.govern("snapshot", "--output", str(snapshot))
    refused = project.ask("drift", "--against", str(snapshot), "--column-order")
    assert refused.exit_code == 2


@pytest.fixture
def make_another(
    request: pytest.FixtureRequest, any_database: DatabaseUrl, tmp_path: Path
) -> Callable[[], DatabaseUrl]:
    """Another empty database of the same engine."""
    if any_database.dialect == "postgresql":
        make: MakeDatabase = request.getfixturevalue("make_postgresql_database")
        return lambda: make("template0")
    return lambda: DatabaseUrl.parse(f"sqlite:///{tmp_path}/another.sqlite")
