"""What was judged a moment ago is not judged again, and nothing else is taken for it."""

from __future__ import annotations

from dataclasses import replace

from govern.actions.validate import judge_schema
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from tests.acceptance.program import execute
from tests.fixtures.projects import CopyProject


def test_the_same_schema_at_the_same_revision_is_judged_once(
    any_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    live = LiveDatabase(copy_project("plain"), any_database)
    known = judge_schema(live, live.read_snapshot(), None)
    assert judge_schema(live, live.read_snapshot(), None, known=known) is known

    elsewhere = replace(known, revision=("r1",))
    assert judge_schema(live, live.read_snapshot(), None, known=elsewhere) == known

    execute(any_database, "CREATE TABLE stray (id integer)")
    judged = judge_schema(live, live.read_snapshot(), None, known=known)
    assert [finding.rule.id for finding in judged.verdict.findings] == ["drift.table-added"]
    assert known.verdict.findings == ()
