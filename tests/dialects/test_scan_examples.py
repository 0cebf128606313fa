"""The examples of the scan's rule pages, held against a real database: bad ones are found, good ones are not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from govern.api.standing import open_schema
from govern.checks.scan.judge import judge_code
from govern.checks.scan.rules import RULES, TYPE_WORKAROUND, UNREAD, UNUSED_TABLE
from govern.checks.scan.schema import Schema
from govern.checks.scan.unused import find_unused
from govern.code.files import Reader
from govern.database.url import DatabaseUrl
from tests.docs.markdown import DOCS
from tests.fixtures.databases import MakeFromTemplate

EXAMPLES = DOCS / "rules" / "scan"
ILLUSTRATED = [rule.id for rule in RULES if rule not in (UNREAD, TYPE_WORKAROUND)]
"""A file that cannot be read cannot be shown; workarounds have tests/cases/workarounds."""
TABLES = [("public", name) for name in ("users", "orders", "legacy_notes")]


@pytest.fixture
def schema(postgresql_from_template: MakeFromTemplate) -> Iterator[Schema]:
    with open_schema(postgresql_from_template("scan_examples", fill)) as opened:
        yield opened


def fill(template: DatabaseUrl) -> None:
    with psycopg.connect(template.conninfo) as connection:
        connection.execute((EXAMPLES / "schema.sql").read_bytes())


def find(rule: str, kind: str, schema: Schema) -> set[str]:
    [path] = (EXAMPLES / rule.removeprefix("scan.")).glob(f"{kind}.py")
    text = path.read_text(encoding="utf-8")
    code = Reader().read_source(text, path.name, "python")
    if rule == UNUSED_TABLE.id:  # asked of a whole project, which this file is then
        return {finding.rule.id for finding in find_unused(TABLES, [code], [(path.name, text)])}
    return {finding.rule.id for finding in judge_code([code], schema).findings}


def test_each_bad_example_has_exactly_its_finding_and_each_good_one_none(schema: Schema) -> None:
    told = {rule: (find(rule, "bad", schema), find(rule, "good", schema)) for rule in ILLUSTRATED}
    assert told == {rule: ({rule}, set()) for rule in ILLUSTRATED}
