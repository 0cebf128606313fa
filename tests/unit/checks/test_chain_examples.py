"""The examples of the pages about the chain that are read, and not run: each beside a first revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.checks.chain import check_chain
from govern.revisions.graph import read_chain
from tests.dialects.test_round_trip_examples import RULES as RUN
from tests.docs.markdown import DOCS

EXAMPLES = DOCS / "rules" / "chain"
READ = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and folder.name not in RUN)
FIRST = """revision, down_revision = "first", None


def upgrade():
    op.create_table("users")


def downgrade():
    op.drop_table("users")
"""


@pytest.mark.parametrize("rule", READ)
def test_the_bad_example_has_exactly_this_finding_and_the_good_one_none(rule: str, tmp_path: Path) -> None:
    assert find(rule, "bad", tmp_path) == {f"chain.{rule}"}
    assert find(rule, "good", tmp_path) == set()


def find(rule: str, kind: str, folder: Path) -> set[str]:
    (folder / "first.py").write_text(FIRST, encoding="utf-8")
    text = (EXAMPLES / rule / f"{kind}.py").read_text(encoding="utf-8")
    (folder / "second.py").write_text(text, encoding="utf-8")
    return {finding.rule.id for finding in check_chain(read_chain((folder,)), root=folder)}
