"""The examples of the start-up rules: an application refuses what a bad one leaves, and starts after a good one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from govern import SchemaRefused, validate_on_startup
from tests.acceptance.guarded import prepare
from tests.acceptance.program import Project
from tests.docs.markdown import DOCS
from tests.fixtures.projects import CASES

EXAMPLES = DOCS / "rules" / "startup"
RULES = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("startup-examples") / "project"
    shutil.copytree(CASES / "plain", root, ignore=shutil.ignore_patterns("__pycache__"))
    prepare(Project(root=root, url=f"sqlite:///{root / 'database.sqlite'}"))
    return root


@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_is_refused_with_exactly_this_finding_and_the_good_one_starts(
    rule: str, migrated: Path, tmp_path: Path
) -> None:
    assert find(rule, "bad", migrated, tmp_path) == {f"startup.{rule}"}
    assert find(rule, "good", migrated, tmp_path) == set()


def find(rule: str, kind: str, migrated: Path, folder: Path) -> set[str]:
    file = folder / f"{kind}.sqlite"
    shutil.copy(migrated / "database.sqlite", file)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((EXAMPLES / rule / f"{kind}.sql").read_text(encoding="utf-8"))
    try:
        report = validate_on_startup(f"sqlite:///{file}", config=migrated / "govern.toml")
    except SchemaRefused as refused:
        report = refused.report
    return {finding.rule.id for finding in report.findings}
