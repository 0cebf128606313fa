"""The examples of the pages about integrity, on a real database: each bad one has its finding, each good one none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from govern import api, config
from govern.checks.manifest import check_manifest
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.source.manifest import load_manifest
from tests.docs.markdown import DOCS

EXAMPLES = DOCS / "rules" / "integrity"
RULES = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())


@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_has_exactly_this_finding_and_the_good_one_none(rule: str, tmp_path: Path) -> None:
    told = [find(example, tmp_path / example.stem) for example in sorted((EXAMPLES / rule).iterdir())]
    assert told == [{f"integrity.{rule}"}, set()]


def find(example: Path, root: Path) -> set[str]:
    """SQL is run on the database of the examples, with their manifest; YAML is another manifest for it."""
    (root / "schema").mkdir(parents=True)
    is_manifest = example.suffix == ".yaml"
    manifest = root / "schema" / "governance.yaml"
    manifest.write_text((example if is_manifest else EXAMPLES / "governance.yaml").read_text())
    (root / "govern.toml").touch()
    with closing(sqlite3.connect(root / "app.db")) as connection:
        connection.executescript((EXAMPLES / "schema.sql").read_text())
        if not is_manifest:
            connection.executescript(example.read_text())
    settings = config.load(start=root, url=f"sqlite:///{root / 'app.db'}", environ={})
    findings = api.integrity(settings).findings
    snapshot = LiveDatabase(settings, resolve_target(settings)).read_snapshot()
    named = check_manifest(load_manifest(manifest), snapshot, path="schema/governance.yaml")
    return {finding.rule.id for finding in (*findings, *named)}
