"""Snippets with and without workarounds for a wrong type: how sure each is, and what the code is without."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from govern.actions.codemods.parsing import is_as_sound
from govern.api.codemods import Papering, apply_fixes
from govern.api.standing import open_schema
from govern.checks.scan.mistyped import Keys, Retyping, find_mistyped
from govern.checks.scan.schema import Schema
from govern.checks.scan.verdicts import Workaround
from govern.code.files import Reader
from govern.core.keys import Column
from govern.core.report import Draft
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import Refused
from tests.fixtures.databases import MakeFromTemplate

CASES = Path(__file__).parent.parent / "cases" / "workarounds"
ENDS = {"python": "py", "typescript": "ts", "javascript": "js", "sql": "sql"}
WRONG = (
    Retyping(Column(("public", "notes"), "user_id"), "integer", "it was text"),
    Retyping(Column(("public", "memberships"), "account_key"), "text", "it was an integer"),
)


@pytest.fixture
def schema(postgresql_from_template: MakeFromTemplate) -> DatabaseUrl:
    def fill(template: DatabaseUrl) -> None:
        with psycopg.connect(template.conninfo) as connection:
            connection.execute((CASES / "schema.sql").read_text(encoding="utf-8"))

    return postgresql_from_template("workaround_cases", fill)


@pytest.mark.parametrize("language", ["python", "typescript", "javascript", "sql"])
def test_what_is_certain_goes_and_everything_else_stays_as_it_is(
    schema: DatabaseUrl, tmp_path: Path, language: str
) -> None:
    cases: list[dict[str, Any]] = yaml.safe_load((CASES / f"{language}.yaml").read_text(encoding="utf-8"))
    known = find_mistyped(read_snapshot(schema), (), WRONG)
    differing = []
    with open_schema(schema) as opened:
        for number, case in enumerate(cases):
            files = as_files(case.get("files") or case["code"], language)
            papering = write_case(files, tmp_path / str(number), opened, known)
            found = sorted(tell(one, files) for one in papering.find(papering.sources.values()).found)
            mended = papering.mend()
            fixed = {source.name: source.text for source in mended.after.values()}
            again = write_case(fixed, tmp_path / f"{number}-again", opened, known).mend().changed
            wanted = files | as_files(case.get("fixed", {}), language)
            if (found, fixed, again) != (sorted(case.get("found", ())), wanted, ()):
                differing.append(
                    (
                        case["name"],
                        found,
                        {name: fixed[name] for name in files if fixed[name] != wanted[name]},
                    )
                )
    assert differing == []


ROW = 'connection.execute("SELECT user_id FROM notes").fetchone()'


def test_a_fix_keeps_ends_of_lines_encodings_modes_and_links(schema: DatabaseUrl, tmp_path: Path) -> None:
    texts = {
        "dos.py": ("\ufeffrow = " + ROW + "\r\nif row:\r\n\tkey = int(row.user_id)  # ü 😀\r\n").encode(),
        "old.py": ("# coding: latin-1\nrow = " + ROW + "\nkey = int(row.user_id)  # ü").encode("latin-1"),
        "wide.js": (
            "const row = (await pool.query('SELECT user_id FROM notes')).rows[0];\nNumber(row.user_id)"
        ).encode("utf-16"),
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "dos.py").chmod(0o755)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/other.py").symlink_to(tmp_path / "old.py")
    known = find_mistyped(read_snapshot(schema), (), WRONG)
    with open_schema(schema) as opened:
        papering = open_files(["dos.py", "linked/other.py", "wide.js"], tmp_path, opened, known)
        apply_fixes(Draft("scan", datetime.now(UTC)), papering, is_diff=False)
    for name, content in texts.items():
        encoding = {"dos.py": "utf-8", "old.py": "latin-1", "wide.js": "utf-16"}[name]
        expected = content.decode(encoding).replace("int(row.user_id)", "row.user_id")
        expected = expected.replace("Number(row.user_id)", "row.user_id")
        assert (tmp_path / name).read_bytes() == expected.encode(encoding)
    assert (tmp_path / "dos.py").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "linked/other.py").is_symlink()


def test_nothing_goes_before_the_schema_is_right(schema: DatabaseUrl, tmp_path: Path) -> None:
    still_a_text = (Retyping(Column(("public", "memberships"), "account_key"), "integer", "repair account"),)
    code = 'row = c.execute("SELECT account_key FROM memberships").fetchone()\nkey = int(row.account_key)\n'
    known = find_mistyped(read_snapshot(schema), (), still_a_text)
    with open_schema(schema) as opened:
        papering = write_case({"code.py": code}, tmp_path, opened, known)
        [finding] = papering.find_findings()["code.py"]
        draft = Draft("scan", datetime.now(UTC))
        assert apply_fixes(draft, papering, is_diff=False) == frozenset()
    assert "left until the schema is right: accounts.key is still declared as text" in draft.entries[0].reason
    assert "fix the schema first: accounts.key is still declared as text" in finding.remedy
    assert finding.evidence["made_necessary_by"] == "repair account"


def test_what_is_ignored_or_not_among_the_paths_stays_and_so_does_its_helper(
    schema: DatabaseUrl, tmp_path: Path
) -> None:
    files = {
        "ids.py": "def to_id(value):\n    return int(value)\n",
        "meant.py": f"from ids import to_id\n\nrow = {ROW}\n"
        "key = to_id(row.user_id)  # govern: ignore[scan.type-workaround] as the importer has it\n",
        "other.py": f"from ids import to_id\n\nrow = {ROW}\nkey = to_id(row.user_id)\n",
        "web.py": f"from ids import to_id\n\nrow = {ROW}\nkey = to_id(row.user_id)\n",
    }
    known = find_mistyped(read_snapshot(schema), (), WRONG)
    with open_schema(schema) as opened:
        papering = write_case(files, tmp_path, opened, known)
        papering.editable -= {tmp_path / "other.py"}
        draft = Draft("scan", datetime.now(UTC))
        apply_fixes(draft, papering, is_diff=False)
    assert {name for name, text in files.items() if (tmp_path / name).read_text() != text} == {"web.py"}
    assert "to_id stays: " in draft.entries[0].reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tool", b"#!/usr/bin/env python\nfrom ids import to_id\n"),
        ("look.ipynb", b'{"cells": [{"source": ["from ids import to_id"]}]}'),
        ("old.js", "/* \u00fc */ to_id(1)".encode("latin-1")),
    ],
)
def test_a_helper_stays_that_something_names_which_is_no_readable_program(
    schema: DatabaseUrl, tmp_path: Path, name: str, content: bytes
) -> None:
    files = {
        "ids.py": "def to_id(value):\n    return int(value)\n",
        "web.py": f"from ids import to_id\n\nrow = {ROW}\nkey = to_id(row.user_id)\n",
    }
    known = find_mistyped(read_snapshot(schema), (), WRONG)
    with open_schema(schema) as opened:
        (tmp_path / name).write_bytes(content)
        mended = write_case(files, tmp_path, opened, known).mend()
    assert mended.kept == {"to_id": f"{name} names it"}
    assert [after.name for _, after in mended.changed] == ["web.py"]


def test_a_file_that_somebody_saves_meanwhile_is_not_written(schema: DatabaseUrl, tmp_path: Path) -> None:
    known = find_mistyped(read_snapshot(schema), (), WRONG)
    with open_schema(schema) as opened:
        code = f"row = {ROW}\nint(row.user_id)\n"
        papering = write_case({"another.py": code, "code.py": code}, tmp_path, opened, known)
        (tmp_path / "code.py").write_text("saved = True\n")
        with pytest.raises(Refused, match=r"code\.py was changed while it was looked at"):
            apply_fixes(Draft("scan", datetime.now(UTC)), papering, is_diff=False)
    assert (tmp_path / "code.py").read_text() == "saved = True\n"
    assert (tmp_path / "another.py").read_text() == code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another.py", "code.py"]


@pytest.mark.parametrize("text", ["key = int(row.user_id\n", "if row:\nkey = 1\n", "key = (1]\n"])
def test_a_text_with_a_new_mistake_of_syntax_is_noticed(tmp_path: Path, text: str) -> None:
    (tmp_path / "code.py").write_text("key = int(row.user_id)\n")
    source = Reader().read_program(tmp_path / "code.py", "code.py")
    assert source is not None
    assert is_as_sound(source, "key = row.user_id\n")
    assert not is_as_sound(source, text)


def as_files(code: str | dict[str, str], language: str) -> dict[str, str]:
    return {f"code.{ENDS[language]}": code} if isinstance(code, str) else code


def write_case(files: dict[str, str], root: Path, schema: Schema, known: tuple[Keys, ...]) -> Papering:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return open_files(files, root, schema, known)


def open_files(names: Iterable[str], root: Path, schema: Schema, known: tuple[Keys, ...]) -> Papering:
    reader, sources = Reader(), {}
    for name in names:
        source = reader.read_program(root / name, name)
        assert source is not None
        sources[root / name] = source
    return Papering(
        root=root, reader=reader, schema=schema, known=known, editable=frozenset(sources), sources=sources
    )


def tell(one: Workaround, files: dict[str, str]) -> str:
    """``certain @3``; with the file's name where there are several."""
    line, _ = one.source.place_of(one.begin)
    return f"{one.certainty} {one.source.name if len(files) > 1 else ''}@{line}"


def read_snapshot(url: DatabaseUrl) -> Snapshot:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_snapshot(connection, VersionTable())
