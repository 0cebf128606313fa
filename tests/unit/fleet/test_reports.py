"""A fleet's report in the forms that people and CI systems read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from govern.core.report import Report
from govern.reports import junit, text
from tests.fixtures.formats import read_junit

PROBLEM = {"what": "no server answers", "why": "refused", "next": "start it", "state": "nothing was changed"}


def row(name: str, exit_code: int | None, **facts: Any) -> dict[str, Any]:
    return {
        "name": name, "labels": {}, "wave": "all", "exit_code": exit_code, "status": "clean", "findings": [],
        "problem": None, **facts,
    }  # fmt: skip


REPORT = Report(
    command="fleet drift",
    started_at=datetime(2031, 1, 2, tzinfo=UTC),
    duration_ms=1,
    data={
        "fleet": {"run": "20310102-a", "ended": None},
        "groups": [
            {
                "subject": "column users.age",
                "variants": [
                    {"message": "is otherwise", "form": "type text", "targets": ["b", "c"]},
                    {"message": "is otherwise", "form": "type bigint", "targets": ["d"]},
                ],
            }
        ],
        "problems": [{**PROBLEM, "exit_code": 3, "targets": [f"t{number}" for number in range(8)]}],
        "revisions": [
            {"revision": "r2", "pending": 0, "count": 3, "targets": ["a", "b", "c"]},
            {"revision": "r1", "pending": 1, "count": 1, "targets": ["d"]},
        ],
        "schemas": [
            {
                "engine": "postgresql 18",
                "revision": "r2",
                "fingerprint": "x",
                "count": 3,
                "targets": ["a", "b", "c"],
            },
            {"engine": "postgresql 18", "revision": "r2", "fingerprint": "y", "count": 1, "targets": ["d"]},
            {"engine": "sqlite 3", "revision": "r2", "fingerprint": "z", "count": 9, "targets": ["e"]},
        ],
        "targets": [
            row("a", 0, duration_ms=41),
            row("b", 1, findings=[{"message": "column users.age is otherwise"}]),
            row("c", 3, problem={**PROBLEM, "exit_code": 3}),
            row("d", None),
        ],
    },
)


def test_ci_systems_show_a_case_for_each_database() -> None:
    cases = {case.get("name"): case for case in read_junit(junit.render(REPORT)).iter("testcase")}
    assert [[child.tag for child in cases[name]] for name in "abcd"] == [
        [],
        ["failure"],
        ["error"],
        ["skipped"],
    ]
    assert cases["a"].get("time") == "0.041"
    assert cases["c"][0].get("message") == "no server answers"


def test_people_read_what_is_not_as_most_are() -> None:
    told = text.render(REPORT)
    assert "run 20310102-a" in told
    assert "  2 x type text: b, c" in told
    assert "8 x exit 3: no server answers (t0, t1, t2, t3, t4 and 3 more)" in told
    assert "1 x at r1, 1 revision pending: d" in told
    assert "  1 x d: one of its own" in told
    assert "sqlite 3" not in told  # all of them are alike
    assert "b  1 finding" in told
