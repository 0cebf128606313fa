"""The drill's page tells of the breakages as they are, and of no other."""

from __future__ import annotations

from examples.drill.breakages import BREAKAGES
from tests.docs.markdown import DOCS

PAGE = DOCS / "drill.md"


def test_the_page_lists_every_breakage_with_its_table_its_rules_and_its_commands() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    rows = [line for line in lines if not line.startswith("|---")]
    assert len(rows) == len(BREAKAGES)
    for row, breakage in zip(rows, BREAKAGES, strict=True):
        assert row.startswith(f"| {breakage.sentence} | `{breakage.table}` |")
        assert all(rule in row for rule in breakage.rules), row
        assert f"the {breakage.by}" in row or f"a {breakage.by}" in row
        assert all(command.format(backup="ID").split()[-1] in row for command in breakage.commands), row
