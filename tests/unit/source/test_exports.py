"""Files of rows are read as people write them; a file that is not whole says where it ends being what it should be."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.core.restoration import Place
from govern.errors import ConfigurationError, NotPermitted
from govern.source.exports import (
    BrokenExport,
    find_export_files,
    find_table,
    read_series,
    suggest_tables,
)

TABLES: tuple[Place, ...] = (("public", "users"), ("public", "Notes"), ("billing", "invoices"))
USER = {"id": 1, "name": "Ada"}


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a file by the name of their table."""
    (file,), _ = find_export_files(path)
    series = read_series(file, lambda name: find_table(name, TABLES) is not None)
    return {one.name: [dict(row.values) for row in one.read()] for one in series}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("users.json", json.dumps([USER])),
        ("users.json", "\ufeff" + json.dumps([USER])),
        ("users.json", json.dumps({"users": [USER], "exported_at": "today", "tags": ["a"]})),
        ("users.json", json.dumps({"data": [USER], "count": 1})),
        ("users.json", json.dumps({"7": USER})),
        ("users.json", json.dumps({"data": {"7": USER}})),
        ("export.json", json.dumps({"users": {"7": USER}})),
        ("users.jsonl", json.dumps(USER) + "\n\n"),
        ("users.ndjson", json.dumps(USER)),
    ],
)
def test_every_usual_shape_of_json_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    assert read(write(tmp_path, name, content)) == {"users": [USER]}
    assert read(write(tmp_path, f"{name}.gz", gzip.compress(content.encode()))) == {"users": [USER]}


@pytest.mark.parametrize(
    "content", ["id,name\n1,Ada\n", "id;name\r\n1;Ada\r\n", "id\tname\n1\tAda", '\ufeffid,name\n1,"Ada"\n']
)
def test_every_usual_form_of_csv_gives_the_same_rows(tmp_path: Path, content: str) -> None:
    assert read(write(tmp_path, "users.csv", content)) == {"users": [{"id": "1", "name": "Ada"}]}


def test_several_tables_in_one_file_are_told_apart_and_rows_of_none_are_kept_to_be_told(
    tmp_path: Path,
) -> None:
    content = {"users": [USER], "notes": [], "usres": [USER]}
    assert read(write(tmp_path, "export.json", json.dumps(content))) == {
        "users": [USER], "notes": [], "usres": [USER]
    }  # fmt: skip


def test_numbers_are_kept_to_the_last_digit_and_a_long_cell_whole(tmp_path: Path) -> None:
    content = '[{"a": 0.1000000000000000000001, "b": NaN, "c": 12345678901234567890123}]'
    (row,) = read(write(tmp_path, "users.json", content))["users"]
    assert row["a"] == Decimal("0.1000000000000000000001")
    assert row["b"] != row["b"]
    assert row["c"] == 12345678901234567890123
    long = "x" * 600_000
    assert read(write(tmp_path, "users.csv", f"id,name\n1,{long}\n"))["users"][0]["name"] == long


@pytest.mark.parametrize(
    ("name", "content", "line", "why"),
    [
        ("users.json", "", None, "empty"),
        ("users.json", '[{"id": 1},\n {"id": 2]', 2, "Expecting"),
        ("users.json", '[{"id": 1}, 7]', None, "row 2 is no object: 7"),
        ("users.json", '[{"id": 1, "id": 2}]', None, "row 1 has the key 'id' twice"),
        ("users.json", '{"id": 1, "name": "Ada"}', None, "it is one object"),
        ("users.json", "7", None, "neither an array of objects nor an object"),
        ("users.json", b"\xff\xfe[\0]\0", 1, "UTF-16"),
        ("users.json", b'[{"name": "\xe4"}]', None, "not UTF-8: there is a byte 0xe4"),
        ("users.json", b"\x00\x01\x02\x89PNG", None, "not UTF-8"),
        ("users.json", "[" * 100_000, None, "nested too deeply"),
        ("users.jsonl", '{"id": 1}\n{"id": 2', 2, "Expecting"),
        ("users.jsonl", '{"id": 1}\n[2]', 2, "the line is no object"),
        ("users.csv", "", 1, "empty"),
        ("users.csv", "id,id\n1,2\n", 1, "'id' is named twice"),
        ("users.csv", "id,\n1,2\n", 1, "column 2 has no name"),
        ("users.csv", "id,name\n1,Ada\n2\n", 3, "row 2 has 1 cells"),
        ("users.csv", 'id,name\n1,"Ada', 2, "unexpected end of data"),
        ("users.json.gz", gzip.compress(b'[{"id": 1}]', mtime=0)[:-9], None, "no whole gzip file"),
        ("users.json.gz", b"[]", None, "no whole gzip file"),
    ],
)
def test_a_file_that_is_not_whole_says_where_and_why(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, why: str
) -> None:
    with pytest.raises(BrokenExport, match=why) as raised:
        read(write(tmp_path, name, content))
    assert raised.value.line == line


def test_links_are_followed_inside_of_the_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "real").mkdir(parents=True)
    write(tmp_path, "secret.json", "[]")
    write(folder / "real", "users", "[]")
    (folder / "users.json").symlink_to("real/users")
    (folder / "notes.json").symlink_to("../secret.json")
    (folder / "gone.json").symlink_to("nowhere")
    write(folder, "README.md", "hello")
    write(folder, ".json", "[]")
    files, passed = find_export_files(folder)
    assert [file.name for file in files] == ["users"]
    assert [(one.path.name, one.why.split()[-1]) for one in passed] == [
        ("gone.json", "file"),
        ("notes.json", "folder"),
    ]


def test_a_folder_without_rows_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no rows to restore"):
        find_export_files(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no folder"):
        find_export_files(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="no file of rows"):
        find_export_files(write(tmp_path, "app.dump", "PGDMP"))


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read every folder
    with pytest.raises(NotPermitted, match="cannot be read"):
        find_export_files(tmp_path)


def test_a_table_is_found_by_its_name_alone() -> None:
    found = {
        name: find_table(name, TABLES) for name in ("users", "public.users", "NOTES", "invoices", "user")
    }
    assert found == {
        "users": ("public", "users"),
        "public.users": ("public", "users"),
        "NOTES": ("public", "Notes"),
        "invoices": ("billing", "invoices"),
        "user": None,
    }
    assert suggest_tables("user", TABLES) == ("users",)
    assert suggest_tables("payments", TABLES) == ()


def test_of_two_tables_that_a_name_could_stand_for_neither_is_taken() -> None:
    twice = (("a", "users"), ("b", "users"))
    assert find_table("users", twice) is None
    assert find_table("b.users", twice) == ("b", "users")
    assert find_table("users", (*twice, ("public", "users"))) == ("public", "users")
    assert find_table("USERS", (("public", "users"), ("public", "Users"))) is None


@pytest.mark.parametrize("name", ["users.json", "users.jsonl", "users.csv", "users.json.gz", "users.csv.gz"])
def test_whatever_bytes_a_file_has_it_is_rows_or_broken(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    outcomes = set()

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=60) | st.text(alphabet='[{"a:1,}]\n\\ue ', max_size=60).map(str.encode))
    def read_anything(content: bytes) -> None:
        packed = gzip.compress(content)[: len(content) + 9] if name.endswith(".gz") else content
        try:
            outcomes.add(type(read(write(folder, name, packed))).__name__)
        except BrokenExport as error:
            outcomes.add(type(error).__name__)

    read_anything()
    assert "BrokenExport" in outcomes
