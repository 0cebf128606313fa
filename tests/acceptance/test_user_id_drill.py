"""A key that is a text on one server: the schema is repaired, then the code; the application's tests pass."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.program import Project

ROOT = Path(__file__).parent.parent.parent
PATHS = ("app", "web", "reports", "tests")
PAPERED = {
    "app/notes.py": [20, 22, 29, 39, 39, 48, 48],
    "reports/activity.sql": [4],
    "web/notes.ts": [6, 11],
}


@pytest.fixture
def retyped(postgresql_database: DatabaseUrl, tmp_path: Path) -> Project:
    """The application on the server that a tool filled."""
    root = tmp_path / "retyped"
    shutil.copytree(ROOT / "examples/retyped", root, ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(root=root, url=postgresql_database.text)
    project.succeed("migrate")
    assert project.run(sys.executable, "-m", "app.filled").exit_code == 0
    return project


def test_a_text_becomes_a_number_and_the_code_loses_what_papered_over_it(retyped: Project) -> None:
    assert run_tests(retyped), "the code papers over the text"
    found = retyped.ask("scan", *PATHS).findings
    papering = [one for one in found if one["rule"] == "scan.type-workaround"]
    assert {one["evidence"]["certainty"] for one in papering} == {"certain"}
    lines: dict[str, list[int]] = {}
    for one in papering:
        lines.setdefault(one["subject"]["path"], []).append(one["subject"]["line"])
    assert lines == PAPERED

    retyped.succeed("repair", "apply", "author-is-a-number")
    before = {path: path.read_bytes() for path in retyped.root.rglob("*.py")}
    patch = retyped.govern("scan", *PATHS, "--fix", "--diff").out
    assert {path: path.read_bytes() for path in before} == before, "a diff writes nothing"
    (retyped.root / "fix.patch").write_text(patch, encoding="utf-8")
    assert retyped.run("git", "apply", "--check", "fix.patch").exit_code == 0

    fixed = retyped.succeed("scan", *PATHS, "--fix")
    assert fixed.findings == []
    assert fixed.entry("fix")["reason"].startswith(
        "removed 10 workarounds in 6 files; ensure_int_id, toId gone"
    )
    assert run_tests(retyped), "nothing is left to paper over"
    code = "".join(path.read_text(encoding="utf-8") for path in (retyped.root / "app").glob("*.py"))
    assert "ensure_int_id" not in code
    assert 'int(request["user_id"])' in code, "what a browser sends is a text for ever"
    assert 'log.info("a note of " + str(user.id))' in code
    written = {path: path.read_bytes() for path in before}
    assert retyped.succeed("scan", *PATHS, "--fix").entry("fix")["reason"].startswith("removed 0 workarounds")
    assert {path: path.read_bytes() for path in before} == written


def run_tests(project: Project) -> bool:
    """The application's own."""
    done = project.run(sys.executable, "-m", "unittest", "-q")
    return done.exit_code == 0
