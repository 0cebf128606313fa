"""Snippets with and without workarounds for a wrong type: how sure each is, and what the code is without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from govern.api.codemods import Papering
from govern.api.scanning import open_schema
from govern.checks.scan.mistyped import Keys, Retyping, find_mistyped
from govern.checks.scan.schema import Schema
from govern.checks.scan.verdicts import Workaround
from govern.code.files import Reader
from govern.core.keys import Column
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
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


def as_files(code: str | dict[str, str], language: str) -> dict[str, str]:
    return {f"code.{ENDS[language]}": code} if isinstance(code, str) else code


def write_case(files: dict[str, str], root: Path, schema: Schema, known: tuple[Keys, ...]) -> Papering:
    reader, sources = Reader(), {}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in files:
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
