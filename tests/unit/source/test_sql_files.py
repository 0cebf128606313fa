"""SQL files are read in the order of their paths, and refused where no driver could run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.errors import ConfigurationError
from govern.source.sql_files import make_tables, read_sql_files


def test_files_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.sql", "b/a.sql", "a.sql", "notes.md"):
        (tmp_path / name).write_text(f"-- {name}", encoding="utf-8-sig")
    (tmp_path / "folder.sql").mkdir()
    files = read_sql_files(tmp_path)
    assert [file.path.relative_to(tmp_path).as_posix() for file in files] == ["a.sql", "b/a.sql", "c.sql"]
    assert files[1].text == "-- b/a.sql"


def test_a_missing_folder_has_no_files(tmp_path: Path) -> None:
    assert read_sql_files(tmp_path / "sql") == ()


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"SELECT 1;\nSELECT '\xff';\n", 2, "not UTF-8"),
        (b"SELECT 1;\n\n\0", 3, "NUL"),
        (b"SELECT 1;\n\\i other.sql\n", 2, "\\i is a command of psql"),
        (b"/* '\n */\n  \\copy users from 'users.csv'\n", 3, "\\copy is a command of psql"),
        (b"SELECT E'\\'';\n\\connect other\n", 2, "\\connect is a command of psql"),
    ],
)
def test_what_no_driver_can_run_is_refused_at_its_line(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    path = tmp_path / "a.sql"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        read_sql_files(tmp_path)
    assert refused.value.what.startswith(f"{path}:{line}:")
    assert words in refused.value.what


@pytest.mark.parametrize(
    "text",
    [
        "CREATE FUNCTION f() RETURNS text AS $$\n\\d\n$$ LANGUAGE plpython3u;",
        "SELECT '\n\\i\n', $tag$\n\\q $$\n$tag$;",
        "-- see\n/*\n\\i other.sql\n*/ SELECT 1;",
        'COMMENT ON TABLE "\n\\x" IS NULL;',
    ],
)
def test_a_backslash_inside_of_quotes_is_nobodys_command(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.sql").write_text(text)
    assert read_sql_files(tmp_path)[0].text == text


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("create table users (id int);", True),
        ("CREATE UNLOGGED TABLE users (id int);", True),
        ("CREATE TABLE IF NOT EXISTS users (id int);", True),
        ("-- CREATE TABLE users\nCREATE VIEW v AS SELECT 1;", False),
        ("CREATE TEMPORARY TABLE staging (id int);", False),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ CREATE TABLE users (id int) $$;", False),
    ],
)
def test_files_that_make_tables_are_known_by_their_statements(tmp_path: Path, text: str, does: bool) -> None:
    (tmp_path / "a.sql").write_text(text)
    assert make_tables(tmp_path) is does
    assert not make_tables(tmp_path / "missing")
