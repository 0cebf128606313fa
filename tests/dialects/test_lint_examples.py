"""The examples of the rule pages, run on a real database: each bad one has its finding, each good one has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import psycopg
import pytest

from govern.checks.lint import lint, read_pending
from govern.checks.lint.rules import ALLOWANCE_EXPIRED, ALLOWANCE_UNUSED, RULES
from govern.core.finding import Finding
from govern.database.url import DatabaseUrl
from govern.revisions.graph import RevisionFile
from tests.docs.markdown import DOCS
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.observing import observe

EXAMPLES = DOCS / "rules" / "lint"
ILLUSTRATED = [rule.id for rule in RULES if rule not in (ALLOWANCE_EXPIRED, ALLOWANCE_UNUSED)]
"""Those about the manifest itself are not about what a revision does."""


@pytest.fixture
def make_shop(make_postgresql_database: MakeDatabase) -> Callable[[], DatabaseUrl]:
    """Makes databases with the schema the examples speak of."""

    def make() -> DatabaseUrl:
        url = make_postgresql_database("template0")
        with psycopg.connect(url.conninfo, autocommit=True) as connection:
            connection.execute((EXAMPLES / "schema.sql").read_bytes())
        return url

    return make


@pytest.fixture
def shop(make_shop: Callable[[], DatabaseUrl]) -> DatabaseUrl:
    return make_shop()


def lint_files(url: DatabaseUrl, files: list[Path]) -> tuple[Finding, ...]:
    revisions = tuple(RevisionFile(path=file, revision=file.stem) for file in files)
    observations = observe(url, files)
    linted = lint(read_pending(revisions, root=EXAMPLES, observations=observations, commits_each=True))
    assert linted.undecided == {}
    return linted.findings


@pytest.mark.parametrize("rule", ILLUSTRATED)
def test_the_bad_example_has_exactly_this_finding(shop: DatabaseUrl, rule: str) -> None:
    folder = EXAMPLES / rule.removeprefix("lint.")
    findings = lint_files(shop, [folder / "bad.py"])
    assert [finding.rule.id for finding in findings] == [rule], [finding.message for finding in findings]
    (finding,) = findings
    assert finding.subject.path == f"{folder.name}/bad.py"
    assert finding.message
    assert finding.remedy


@pytest.mark.parametrize("rule", ILLUSTRATED)
def test_the_good_example_has_none(shop: DatabaseUrl, rule: str) -> None:
    files = sorted((EXAMPLES / rule.removeprefix("lint.")).glob("good*.py"))
    assert files
    assert lint_files(shop, files) == ()


PASTED = {
    "lint.check-validated",
    "lint.concurrent-if-not-exists",
    "lint.concurrently-in-transaction",
    "lint.constraint-builds-index",
    "lint.foreign-key-validated",
    "lint.index-not-concurrent",
    "lint.invalid-index",
    "lint.not-null-scan",
    "lint.type-change-rewrite",
    "lint.unbatched-change",
    "lint.volatile-default-rewrite",
}
"""The rules whose remedy is the operation, written safely."""
_FURTHER = re.compile(r"^# a (?:second|third) (?:revision|one),.*\n", re.M)


def paste(remedy: str, folder: Path) -> list[Path]:
    """The remedy's code as revision files, one for each revision it speaks of."""
    code = dedent("\n".join(line for line in remedy.splitlines() if line.startswith("    ")))
    files = []
    for number, part in enumerate(_FURTHER.split(code)):
        file = folder / f"pasted{number}.py"
        body = indent(part, "    ")
        file.write_text(f"import sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade():\n{body}\n")
        files.append(file)
    return files


@pytest.mark.parametrize("rule", sorted(PASTED))
def test_the_remedy_runs_as_it_is_and_has_the_finding_no_more(
    make_shop: Callable[[], DatabaseUrl], tmp_path: Path, rule: str
) -> None:
    spoilt = make_shop()
    (bad,) = lint_files(spoilt, [EXAMPLES / rule.removeprefix("lint.") / "bad.py"])
    # an invalid index is there to be removed; everything else is to be done instead
    url = spoilt if rule == "lint.invalid-index" else make_shop()
    found = lint_files(url, paste(bad.remedy, tmp_path))
    expected = {"lint.drops-column"} if rule == "lint.type-change-rewrite" else set()
    assert {finding.rule.id for finding in found} == expected
