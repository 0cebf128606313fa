"""The examples of the rule pages, run on a real database: each bad one has its finding, each good one has none."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from govern.checks.lint import lint, read_pending
from govern.checks.lint.rules import ALLOWANCE_EXPIRED, ALLOWANCE_UNUSED, RULES
from govern.core.finding import Finding
from govern.database.url import DatabaseUrl
from govern.revisions.graph import RevisionFile
from tests.docs.markdown import DOCS
from tests.fixtures.observing import observe

EXAMPLES = DOCS / "rules" / "lint"
ILLUSTRATED = [rule.id for rule in RULES if rule not in (ALLOWANCE_EXPIRED, ALLOWANCE_UNUSED)]
"""Those about the manifest itself are not about what a revision does."""


@pytest.fixture
def shop(postgresql_database: DatabaseUrl) -> DatabaseUrl:
    """The schema the examples speak of."""
    with psycopg.connect(postgresql_database.conninfo, autocommit=True) as connection:
        connection.execute((EXAMPLES / "schema.sql").read_bytes())
    return postgresql_database


def lint_files(url: DatabaseUrl, files: list[Path]) -> tuple[Finding, ...]:
    revisions = tuple(RevisionFile(path=file, revision=file.stem) for file in files)
    observations = observe(url, files)
    linted = lint(
        read_pending(revisions, root=EXAMPLES, observations=observations, commits_each=True), server_major=16
    )
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
