"""What is seen of a database after its test, by the worker that had it and by the one that tells of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from govern.config import load
from govern.database.url import DatabaseUrl
from govern.pytest_plugin.drift import DriftWatch
from govern.pytest_plugin.shared import Shared
from govern.pytest_plugin.telling import Found
from govern.pytest_plugin.workbench import Workbench
from tests.acceptance.program import execute
from tests.fixtures.projects import CopyProject

MANIFEST = """
drift:
  ignore:
    - {kind: table, name: "*cache_*", reason: made at run time, owner: ada, until: 2999-12-31}
"""


def test_every_change_is_seen_once_and_what_comes_too_late_is_told_at_once(
    copy_project: CopyProject, any_database: DatabaseUrl, tmp_path: Path
) -> None:
    project = copy_project("plain")
    (project.root / "schema").mkdir()
    (project.root / "schema" / "governance.yaml").write_text(MANIFEST, encoding="utf-8")
    bench = Workbench(load(start=project.root, url=any_database.text, environ={}))
    one, other = (DriftWatch(bench, Shared(tmp_path)) for _ in range(2))
    assert other.find_all() is None, "no test had a database"
    for lock in tmp_path.glob("*.taken"):
        lock.unlink()
    with contextlib.closing(bench), bench.copies.copy() as database:
        execute(
            database, "INSERT INTO users (id, email) VALUES (7, 'x')", "CREATE TABLE cache_1 (id INTEGER)"
        )
        one.look_at(database, "test_a")
        execute(database, "CREATE TABLE t (id INTEGER)", "DROP TABLE t", "DROP TABLE cache_1")
        one.look_at(database, "test_b")
        execute(database, "ALTER TABLE notes ADD COLUMN colour TEXT")
        one.look_at(database, "test_c")
        one.look_at(database, "test_d")
        (finding,) = other.find_all() or ()
        assert finding.rule.id == "drift.column-added"
        assert finding.message.endswith("exists, but is not declared, after test_c and 1 more test")
        with pytest.raises(Found) as too_late:
            one.look_at(database, "test_e")
        assert too_late.value.findings[0].message.endswith("after test_e")
