"""Snippets of code, good and bad, held against one schema: what is found, where, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from govern.api.scanning import open_schema
from govern.checks.scan.judge import judge_code
from govern.checks.scan.rules import UNVERIFIED
from govern.code.files import Language, Reader
from govern.core.finding import Finding
from govern.database.url import DatabaseUrl
from tests.fixtures.databases import MakeFromTemplate

CASES = Path(__file__).parent.parent / "cases" / "scan"


@pytest.fixture
def schema(postgresql_from_template: MakeFromTemplate) -> DatabaseUrl:
    def fill(template: DatabaseUrl) -> None:
        with psycopg.connect(template.conninfo) as connection:
            connection.execute((CASES / "schema.sql").read_text(encoding="utf-8"))

    return postgresql_from_template("scan_cases", fill)


@pytest.mark.parametrize("language", ["python", "typescript", "sql"])
def test_what_is_wrong_is_found_where_it_stands_and_nothing_else(
    schema: DatabaseUrl, language: Language
) -> None:
    cases: list[dict[str, Any]] = yaml.safe_load((CASES / f"{language}.yaml").read_text(encoding="utf-8"))
    differing, reader = {}, Reader()
    with open_schema(schema) as opened:
        for case in cases:
            judged = judge_code([reader.read_source(case["code"], "code", language)], opened)
            found = [finding for finding in judged.findings if finding.rule is not UNVERIFIED]
            wanted, unverified = sorted(case.get("wrong", ())), case.get("unverified", 0)
            told = sorted(map(describe, found, tell_as(wanted, found)))
            if told != wanted or judged.unverified != unverified:
                differing[case["name"]] = (told, judged.unverified)
    assert differing == {}


def tell_as(wanted: list[str], found: list[Finding]) -> list[str]:
    """How much of each finding its case speaks of: the first that begins with the same rule decides."""
    return [next((one for one in wanted if one.split()[0] == finding.rule.id[5:]), "") for finding in found]


def describe(finding: Finding, like: str) -> str:
    """``undefined-table users @3``, as far as ``like`` says as much."""
    parts = [finding.rule.id[5:]]
    if any(not part.startswith("@") for part in like.split()[1:]):
        parts.append(finding.subject.name)
    if "@" in like:
        parts.append(f"@{finding.subject.line}")
    return " ".join(parts)
