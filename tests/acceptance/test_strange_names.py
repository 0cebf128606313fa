"""Tables and columns may be called anything: every command works on them, and none of their names is ever executed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from govern import api, config
from govern.core.snapshot import join_name
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, execute
from tests.fixtures.projects import list_tables, read_rows

NAMES = (
    "x; DROP TABLE victim; --", "'); DROP TABLE victim; --", 'a"b', "it's", "100% %s %(name)s %%", "back\\slash\\",
    "select", "user", "CamelCase", "wild_card%", ":bind", "$1 $$ $tag$", "{curly} {0}", "?", "-- comment", "/* open",
    "line\nbreak\ttab", "a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "-x",
    "\u202eright-to-left", "zero\u200bwidth", "Ä\u0308 😀", "x" * 63, "ü" * 31, "--help", "pg_catalog", "[brackets]",
    "`ticks`", "&amp; &", "a,b", "(SELECT 1)", "NULL", "*", "#",
)  # fmt: skip
NOT_IN_A_MANIFEST = ("a.b.c", "../../etc/passwd", " blanks ")
"""Where a dot is between a table and its column."""


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def make_tables(url: DatabaseUrl) -> None:
    """A parent and a child of each name, whose columns bear it, too, with one orphan whose value is the name."""
    statements = ["CREATE TABLE victim (id integer PRIMARY KEY)", "INSERT INTO victim VALUES (1)"]
    statements += [f"CREATE TABLE {quote(name)} ({quote(name)} integer)" for name in NOT_IN_A_MANIFEST]
    for number, name in enumerate(NAMES):
        table, child, value = quote(name), f"c{number}", name.replace("'", "''")
        statements += [
            f"CREATE TABLE {table} ({table} varchar(80) PRIMARY KEY)",
            f"CREATE TABLE {child} (id integer PRIMARY KEY, {table} varchar(80))",
            f"INSERT INTO {table} VALUES ('kept')",
            f"INSERT INTO {child} VALUES (1, 'kept'), (2, '{value}')",
        ]
    execute(url, *statements)


def describe_manifest() -> dict[str, Any]:
    sides = [(f"c{number}.{name}", f"{name}.{name}") for number, name in enumerate(NAMES)]
    return {
        "critical_tables": [{"name": name, "min_rows": 1} for name in NAMES],
        "relationships": [{"from": child, "to": parent} for child, parent in sides],
        "repairs": [
            {"name": f"r{number}", "kind": "delete_orphans", "of": " -> ".join(both), "reason": "x", "owner": both[0]}
            for number, both in enumerate(sides)
        ],
    }  # fmt: skip


@pytest.fixture(params=["postgresql", "sqlite"])
def project(request: pytest.FixtureRequest, make_project: MakeProject) -> Project:
    url: DatabaseUrl = request.getfixturevalue(f"{request.param}_database")
    project = make_project("plain", url)
    project.succeed("lock")
    project.succeed("migrate")
    make_tables(url)
    text = yaml.safe_dump(describe_manifest(), allow_unicode=True)
    project.write({"schema/governance.yaml": text})
    return project


def read_everything(url: DatabaseUrl) -> Any:
    tables = ("victim", "notes", *NAMES, *(f"c{number}" for number in range(len(NAMES))))
    return [sorted(read_rows(url, f"SELECT * FROM {quote(name)}")) for name in tables]


def test_every_name_is_found_repaired_taken_back_and_dropped(project: Project) -> None:
    url = project.database
    before = read_everything(url)

    drifted = project.ask("drift")
    assert drifted.exit_code == 1, drifted
    added = {one["subject"]["name"] for one in drifted.findings if one["rule"] == "drift.table-added"}
    children = {f"c{number}" for number in range(len(NAMES))}
    assert added == {"victim", *NAMES, *NOT_IN_A_MANIFEST, *children}

    found = project.ask("integrity")
    orphans = [finding for finding in found.findings if finding["rule"] == "integrity.orphan"]
    assert [finding["evidence"]["rows"] for finding in orphans] == [1] * len(NAMES), found
    assert {finding["evidence"]["keys"][0] for finding in orphans} == set(NAMES)

    assert [plan["rows"] for plan in project.ask("repair", "plan", "--all").report["repairs"]] == [1] * len(
        NAMES
    )
    settings = config.load(start=project.root, environ={"DATABASE_URL": url.text})
    names = tuple(f"r{number}" for number in range(0, len(NAMES), 9))  # each takes its time
    applied = api.repair_apply(settings, names=names, backup="off")
    assert read_everything(url) != before
    for run in applied.data["finished_runs"]:
        api.repair_rollback(settings, run["id"], backup="off")
    assert read_everything(url) == before

    assert project.ask("health").exit_code in (0, 1)
    backup = project.succeed("backup", "create").report["backups"][0]["id"]
    execute(url, *(f"DELETE FROM {child}" for child in children))
    assert project.ask("restore", backup, "--merge").exit_code == 1  # there is drift
    assert read_everything(url) == before

    repair = project.ask("repair", "plan").report["repair"]
    dropped = {hazard.partition(":")[2] for hazard in repair["hazards"]}
    assert all(name in dropped or join_name(name) in dropped for name in NAMES), repair
    words = [word for hazard in repair["hazards"] for word in ("--allow", hazard)]
    project.succeed("repair", "apply", *words)
    assert not set(list_tables(url)) & {*NAMES, *NOT_IN_A_MANIFEST, *children}
    project.succeed("drift")
