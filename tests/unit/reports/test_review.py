"""What a pull request does, in the order in which a reviewer wants to know it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from govern.core.finding import Finding, Severity
from govern.core.report import Report
from govern.reports import html, markdown, text
from govern.reports.markdown.fitting import Part, fit
from govern.reports.review import read_review
from tests.unit.reports.test_formats import make_finding, make_report, make_review


def make_lock(table: str, *, blocks_reads: bool) -> dict[str, object]:
    mode = "ACCESS EXCLUSIVE" if blocks_reads else "SHARE"
    return {"table": table, "mode": mode, "blocks_reads": blocks_reads, "blocks_writes": True}


def make_reviewed(*findings: Finding) -> Report:
    """Of a pull request that locks three tables."""
    locks = [
        make_lock("public.tiny", blocks_reads=True),
        make_lock("public.large", blocks_reads=True),
        make_lock("public.largest", blocks_reads=False),
    ]
    seen = {"locks": locks, "rewrites": ["public.large"], "scans": [], "invalid_indexes": []}
    review = make_review("abc")
    [revision] = review["revisions"]  # type: ignore[misc]
    revision |= {"statements": ["ALTER TABLE large ADD x int"], "observed": [seen]}
    sizes = [
        {"table": f"public.{name}", "rows": rows, "bytes": rows * 100}
        for name, rows in (("tiny", 1), ("large", 5000), ("largest", 9000))
    ]
    plan = {"tables": sizes, "revisions": [{"revision": "abc"}, {"revision": "earlier"}]}
    return replace(make_report(*findings), data={"pull_request": review, "plan": plan})


def test_where_most_wait_stands_first() -> None:
    review = read_review(make_reviewed())
    assert review is not None
    [revision] = review.revisions
    assert [(one.table, one.size, one.waiting) for one in revision.effects] == [
        ("public.large", "about 5,000 rows, 500.0 kB", "nobody reads or writes"),
        ("public.tiny", "about 1 row, 100 B", "nobody reads or writes"),
        ("public.largest", "about 9,000 rows, 900.0 kB", "nobody writes"),
    ]
    assert review.environment is not None
    assert "1 revision merged before is pending there" in review.environment.sentence


def test_a_reviewer_reads_what_fails_before_anything_else_and_nothing_twice() -> None:
    report = make_reviewed(make_finding("gone"), make_finding("mild", severity=Severity.INFO))
    comment = markdown.render(report)
    in_order = [
        "## ❌ Schema review: 1 error, 1 info",
        "no such server",
        "<details open><summary>❌ <b>",
        "<details><summary>ℹ️ <b>",
        "`public.large` (about 5,000 rows, 500.0 kB): **nobody reads or writes** (ACCESS EXCLUSIVE)",
        "**The schema** since `abc`: 1 change",
        "<summary>SQL of 1 revision</summary>",
        "0 of 2 checks passed",
        "the same on your machine: govern check --against-ref abc --environment abc",
    ]
    assert [comment.index(said) for said in in_order] == sorted(comment.index(said) for said in in_order)
    for told in (comment, text.render(report), html.render(report)):
        assert told.count("ALTER TABLE large ADD x int") == 1
    assert "postgresql://" not in comment  # whoever reads the comment need not know where production is


@pytest.mark.parametrize("fail_on", list(Severity))
def test_of_several_kinds_of_findings_none_is_open(fail_on: Severity) -> None:
    comment = markdown.render(make_reviewed(make_finding("gone")), fail_on=fail_on)
    assert ("<details open>" in comment) == (fail_on <= Severity.ERROR)
    both = (make_finding("gone"), make_finding("mild", severity=Severity.INFO))
    assert ("<details open>" in markdown.render(make_reviewed(*both), fail_on=fail_on)) == (
        fail_on in (Severity.WARNING, Severity.ERROR)
    )


def test_what_can_be_missed_is_left_out_first() -> None:
    parts = [Part("head"), Part("a" * 600, "large", 1), Part("b" * 600, "first", 0), Part("foot")]
    fitted = fit(parts, longest=1_024 + 900)
    assert ("b" * 600 in fitted, "a" * 600 in fitted) == (True, False)
    assert "1 part left out" in fitted
    assert fitted.index("head") < fitted.index("bbb") < fitted.index("foot")
    assert fit(parts) == f"head\n\n{'a' * 600}\n\n{'b' * 600}\n\nfoot\n"
