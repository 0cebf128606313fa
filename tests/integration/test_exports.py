"""Rows of files in a scratch copy of the live schema: the live types decide what they become, and what is no row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govern.actions.exports import staged
from govern.config import Settings, load
from govern.core.finding import Severity
from govern.core.report import Draft
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, Refused
from tests.fixtures.projects import read_rows

UUID = "550e8400-e29b-41d4-a716-446655440000"
POSTGRESQL = """
CREATE TYPE mood AS ENUM ('calm', 'busy');
CREATE DOMAIN handle AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
CREATE TABLE projects (id uuid PRIMARY KEY, name varchar(8) NOT NULL);
CREATE TABLE "Odd ""%s"" {x} t" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project_id uuid NOT NULL REFERENCES projects (id),
  mood mood, handle handle, price numeric(10, 2), ratio double precision, seen timestamptz, noted timestamp, day date,
  tags text[], doc jsonb, raw bytea, is_open boolean NOT NULL DEFAULT true, note text DEFAULT 'a {} b %s',
  twice numeric GENERATED ALWAYS AS (price * 2) STORED, "A %s {b}" integer
);
CREATE TRIGGER never BEFORE INSERT ON "Odd ""%s"" {x} t" FOR EACH ROW EXECUTE FUNCTION never();
CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
"""
ODD = 'Odd "%s" {x} t'
SQLITE = """
CREATE TABLE projects (id CHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(8) NOT NULL);
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY, project_id CHAR(32) NOT NULL REFERENCES projects (id), price NUMERIC(10, 2), ratio FLOAT,
  seen DATETIME, day DATE, doc JSON, raw BLOB, is_open BOOLEAN NOT NULL DEFAULT 1, note TEXT DEFAULT 'none',
  twice NUMERIC GENERATED ALWAYS AS (price * 2), spot POINT
);
CREATE TRIGGER never BEFORE INSERT ON sessions BEGIN SELECT raise(ABORT, 'fired'); END;
"""

Stage = Callable[..., tuple[dict[str, list[tuple[Any, ...]]], Draft]]


def run(url: DatabaseUrl, statements: str) -> None:
    if url.dialect == "sqlite":
        with closing(sqlite3.connect(url.path)) as connection:
            connection.executescript(statements)
        return
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "project").mkdir()
    return load(start=tmp_path / "project", environ={})


def write(folder: Path, **files: Any) -> Path:
    """``users=[…]`` writes users.json, ``users_csv="…"`` users.csv."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if name.endswith(("_csv", "_jsonl")):
            table, _, ending = name.rpartition("_")
            (folder / f"{table}.{ending}").write_text(content, encoding="utf-8")
        else:
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def stage(
    settings: Settings, url: DatabaseUrl, folder: Path, queries: dict[str, str], *tables: str
) -> tuple[dict[str, list[tuple[Any, ...]]], Draft]:
    """What the queries give in the scratch database; raises Refused where the files do not fit."""
    draft = Draft("restore", datetime.now(UTC))
    live = LiveDatabase(settings, url)
    with staged(live, draft, folder, tables=tables, narrate=lambda _: None) as staging:
        staging.require_fit()
        return {name: read_rows(staging.source.url, query) for name, query in queries.items()}, draft


def refusals(settings: Settings, url: DatabaseUrl, folder: Path) -> list[str]:
    """What is said of files that do not fit."""
    draft = Draft("restore", datetime.now(UTC))
    with staged(LiveDatabase(settings, url), draft, folder, narrate=lambda _: None) as staging:
        with pytest.raises(Refused, match="as they are"):
            staging.require_fit()
        rows = staging.source.url
        for (name,) in read_rows(rows, _TABLES[rows.dialect]):
            assert read_rows(rows, f'SELECT * FROM "{name}"') == []
        return [finding.message for finding in staging.findings if finding.severity >= Severity.ERROR]


_TABLES = {
    "postgresql": "SELECT tablename FROM pg_tables WHERE tablename = 'projects'",
    "sqlite": "SELECT name FROM sqlite_master WHERE name = 'projects'",
}


def test_postgresql_turns_text_into_every_type_and_gives_defaults(
    settings: Settings, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    run(postgresql_database, POSTGRESQL)
    row = {
        "id": 7, "project_id": UUID, "mood": "busy", "handle": "ada", "price": 0.1, "ratio": "NaN",
        "seen": "2025-01-02T03:04:05+02:00", "noted": 1700000000, "day": "2025-01-02", "tags": ["a,b", None, '"'],
        "doc": {"n": 1.10, "deep": [{}]}, "raw": "3q2+7w==", "is_open": 0, "twice": 99, "A %s {b}": 3,
    }  # fmt: skip
    folder = write(tmp_path / "export", projects={UUID.upper(): {"name": "eins"}})
    (folder / f"{ODD}.json").write_text(json.dumps([row, {"id": 8, "project_id": UUID}]), encoding="utf-8")
    write(folder, events_csv="id,at\n1,2025-06-01\n")
    quoted = '"Odd ""%s"" {x} t"'
    found, draft = stage(
        settings, postgresql_database, folder,
        {
            "projects": "SELECT id::text, name FROM projects",
            "odd": f"""SELECT id, mood::text, handle, price::text, ratio::text, (seen AT TIME ZONE 'UTC')::text,
                noted::text, day::text, tags, doc::text, encode(raw, 'hex'), is_open, note, twice::text, "A %s {{b}}"
                FROM {quoted} ORDER BY id""",
            "events": "SELECT id FROM events_2025",
        },
    )  # fmt: skip
    assert found == {
        "projects": [(UUID, "eins")],
        "odd": [
            (7, "busy", "ada", "0.10", "NaN", "2025-01-02 01:04:05", "2023-11-14 22:13:20", "2025-01-02",
             ["a,b", None, '"'], '{"n": 1.1, "deep": [{}]}', "deadbeef", False, "a {} b %s", "0.20", 3),
            (8, None, None, None, None, None, None, None, None, None, None, True, "a {} b %s", None, None),
        ],
        "events": [(1,)],
    }  # fmt: skip
    assert [(one["table"], one["rows"]) for one in draft.data["files"]] == [
        (ODD, 2),
        ("events", 1),
        ("projects", 1),
    ]


def test_sqlite_gets_each_value_as_sqlalchemy_writes_it(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    run(sqlite_database, SQLITE)
    row = {
        "id": 7, "project_id": UUID, "price": 12.50, "ratio": 1, "seen": "2025-01-02T03:04:05Z", "day": "2025-01-02",
        "doc": {"n": 1.10}, "raw": "3q2+7w==", "is_open": True, "twice": 99, "spot": "1,2",
    }  # fmt: skip
    folder = write(tmp_path / "export", projects=[{"id": UUID, "name": "eins"}], sessions=[row])
    write(folder, sessions=[row, {"id": 8, "project_id": UUID}])
    found, _ = stage(
        settings, sqlite_database, folder,
        {"projects": "SELECT * FROM projects", "sessions": "SELECT * FROM sessions ORDER BY id"},
    )  # fmt: skip
    plain = UUID.replace("-", "")
    assert found == {
        "projects": [(plain, "eins")],
        "sessions": [
            (7, plain, 12.5, 1.0, "2025-01-02 03:04:05.000000", "2025-01-02", '{"n": 1.1}', b"\xde\xad\xbe\xef", 1,
             "none", 25, "1,2"),
            (8, plain, None, None, None, None, None, None, 1, "none", None, None),
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"projects": [{"id": UUID, "name": "a"}, {"id": "550e", "name": "b"}]},
            "projects.json, row 2, column id: '550e': invalid input syntax for type uuid: \"550e\"",
        ),
        (
            {"projects_jsonl": f'{{"id": "{UUID}", "name": "a"}}\n\n{{"id": "x", "name": "b"}}'},
            "projects.jsonl, row 2, column id: 'x': invalid input syntax for type uuid: \"x\"",
        ),
        ({"projects": [{"id": UUID}]}, "projects.json, row 1, column name: it must have a value"),
        (
            {"projects": [{"id": UUID, "name": "far too long"}]},
            "projects.json, row 1, column name: 'far too long': it has 12 characters, character varying(8) takes 8",
        ),
        (
            {"projects": {UUID: {"first": {"name": "a"}, "second": {"name": "b"}}}},
            "projects.json, row 1: the row has no column of the table",
        ),
        (
            {"projects": [{"id": UUID, "name": "a", "code": "abcd"}]},
            "projects.json, row 1, column code: 'abcd': it has 4 characters, code takes 3",
        ),
        (
            {"projects": [{"name": "a"}]},
            "projects.json, row 1, column id: the row has no value for it, and without its key nobody can tell "
            "whether it is there already",
        ),
        (
            {"projects": [{"id": UUID, "name": "a"}] * 2},
            "projects.json: duplicate key value violates unique constraint \"projects_pkey\" "
            f"(Key (id)=({UUID}) already exists.)",
        ),
        (
            {"projects": [{"id": UUID, "name": "a", "Name": "b"}]},
            "projects.json, row 1, column name: 'b': the row has it twice, in two spellings",
        ),
        (
            {"projects_jsonl": f'{{"id": "{UUID}", "name": "a"}}\n{{"id":'},
            "projects.jsonl line 2 in column 7: Expecting value",
        ),
        (
            {"projects": [], "projects_csv": "id,name\n"},
            "projects.json: projects.csv has rows of projects, too: nobody knows which of both is meant",
        ),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_named_and_nothing_of_its_table_is_kept(
    settings: Settings, postgresql_database: DatabaseUrl, tmp_path: Path, files: dict[str, Any], said: str
) -> None:
    run(postgresql_database, "CREATE DOMAIN code AS varchar(3)")
    run(
        postgresql_database,
        "CREATE TABLE projects (id uuid PRIMARY KEY, name varchar(8) NOT NULL, code code)",
    )
    assert refusals(settings, postgresql_database, write(tmp_path / "export", **files)) == [said]


def test_sqlite_says_the_same_of_rows_that_it_would_take_as_they_are(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    run(
        sqlite_database,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, at DATETIME, n NUMERIC NOT NULL)",
    )
    rows = [
        {"id": "x", "n": 1}, {"id": 1, "at": "soon", "n": 1}, {"id": 2, "n": "many"}, {"id": 3},
        {"id": 4.5, "n": 1},
    ]  # fmt: skip
    assert refusals(settings, sqlite_database, write(tmp_path / "export", projects=rows)) == [
        "projects.json, row 1, column id: 'x': it is no number, and the column is INTEGER",
        "projects.json, row 2, column at: 'soon': it is no time as ISO 8601 writes it",
        "projects.json, row 3, column n: 'many': it is no number, and the column is NUMERIC",
        "projects.json, row 4: NOT NULL constraint failed: projects.n",
        "projects.json, row 5, column id: '4.5': it is no whole number, and the column is INTEGER",
    ]


def test_what_has_no_place_is_told_and_the_rest_is_taken(
    settings: Settings, any_database: DatabaseUrl, tmp_path: Path
) -> None:
    run(any_database, "CREATE TABLE projects (id integer PRIMARY KEY, name text)")
    folder = write(
        tmp_path / "export", projects=[{"ID": 1, "name": "a", "colour": "red"}], project=[], other_csv="a\n"
    )
    found, draft = stage(settings, any_database, folder, {"projects": "SELECT * FROM projects"})
    assert found == {"projects": [(1, "a")]}
    assert [finding.message for finding in draft.entries[0].findings] == [
        "other.csv: there is no table of that name",
        "project.json: there is no table of that name; did you mean projects?",
        "projects.json: the table projects has no column colour",
    ]
    assert {finding.severity.label for finding in draft.entries[0].findings} == {"warning"}


def test_only_the_named_tables_are_taken_whatever_the_other_files_are(
    settings: Settings, sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    run(sqlite_database, "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY);")
    folder = write(tmp_path / "export", a=[{"id": 1}])
    (folder / "b.json").write_text("broken", encoding="utf-8")
    found, draft = stage(settings, sqlite_database, folder, {"a": "SELECT * FROM a"}, "a")
    assert found == {"a": [(1,)]}
    assert draft.entries[0].findings == ()
    with pytest.raises(ConfigurationError, match="there is no table 'aa'"):
        stage(settings, sqlite_database, folder, {}, "aa")
    (folder / "b.json").unlink()
    with pytest.raises(ConfigurationError, match="has rows of b"):
        stage(settings, sqlite_database, folder, {}, "b")
