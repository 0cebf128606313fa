"""Findings as issues: their types, places and states, and what a pass makes of those that were known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from govern.checks.drift import check_drift
from govern.checks.integrity import MIN_ROWS
from govern.checks.orphans import ORPHAN
from govern.core.finding import Finding, Fix, Subject
from govern.core.issue import Issue, IssueState, is_left, issue_of, see
from govern.core.snapshot import Facts, ObjectKey, Snapshot

NOW = datetime(2031, 5, 6, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
INDEX = ObjectKey("index", "public", "user_analytics.ix_user_analytics_user_id")
INDEX_FACTS: Facts = {
    "definition": "CREATE INDEX ix_user_analytics_user_id ON public.user_analytics USING btree (user_id)"
}
AGE = ObjectKey("column", "public", "users.age")
DRIFT = frozenset({"drift"})


def snapshot(**objects: tuple[ObjectKey, Facts]) -> Snapshot:
    return Snapshot(dialect="postgresql", server_version="18.1", objects=dict(objects.values()))


def make_issue(declared: Snapshot, live: Snapshot) -> Issue:
    [finding] = check_drift(declared, live, critical_tables=("users",))
    return issue_of(finding, "drift", NOW, home="public")


def missing_index() -> Issue:
    return make_issue(snapshot(a=(INDEX, INDEX_FACTS)), snapshot())


def test_a_missing_index_has_the_keys_of_the_contract() -> None:
    document = missing_index().to_json()
    expected = {
        "issue_type": "MISSING_INDEX",
        "table": "public.user_analytics",
        "column": "user_id",
        "current_state": "No index",
        "expected_state": "Index on user_id",
        "rule": "drift.index-removed",
    }
    assert {name: document[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("declared", "live", "issue_type", "current", "expected"),
    [
        ("integer", None, "MISSING_COLUMN", "No column", "Column of type integer"),
        (None, "bigint", "UNEXPECTED_COLUMN", "Column of type bigint", "No column"),
        ("integer", "bigint", "CHANGED_COLUMN", "type bigint", "type integer"),
    ],
)
def test_drift_is_told_as_it_is_and_as_it_should_be(
    declared: str | None, live: str | None, issue_type: str, current: str, expected: str
) -> None:
    sides = [snapshot(a=(AGE, {"type": side})) if side else snapshot() for side in (declared, live)]
    issue = make_issue(*sides)
    assert (issue.issue_type, issue.current_state, issue.expected_state) == (issue_type, current, expected)
    assert (issue.table, issue.column, issue.tier) == ("public.users", "age", "critical")


def test_rows_without_parents_are_told_by_their_number_and_never_by_their_keys() -> None:
    finding = Finding.of(
        ORPHAN,
        Subject(kind="relationship", name="notes.user_id → users.id"),
        "3 rows refer to nothing; missing: alice@example.org",
        evidence={"rows": 3, "keys": ["alice@example.org"]},
    )
    issue = issue_of(finding, "integrity", NOW, home="public")
    assert (issue.issue_type, issue.table, issue.column) == ("ORPHANED_ROWS", "public.notes", "user_id")
    assert issue.current_state.endswith(": 3")
    document = issue.to_json()
    assert document.pop("evidence") == {"rows": 3, "keys": ["alice@example.org"]}
    assert "alice" in document.pop("message")
    assert "alice" not in json.dumps(document)


def test_a_table_of_the_manifest_gets_its_namespace() -> None:
    finding = Finding.of(MIN_ROWS, Subject(kind="table", name="users"), "too few")
    assert issue_of(finding, "integrity", NOW, home="public").table == "public.users"
    assert issue_of(finding, "integrity", NOW, home="").table == "users"


def test_only_what_has_statements_has_a_fix_and_what_was_added_has_none() -> None:
    assert missing_index().fix is None
    fix = Fix(sql=("CREATE INDEX …",), proven=True)
    [removed] = check_drift(snapshot(a=(INDEX, INDEX_FACTS)), snapshot())
    assert issue_of(replace(removed, fix=fix), "drift", NOW, home="").fix == "recreate_missing"
    [added] = check_drift(snapshot(), snapshot(a=(INDEX, INDEX_FACTS)))
    assert issue_of(replace(added, fix=fix), "drift", NOW, home="").fix is None


def test_a_document_comes_back_as_the_issue_it_was() -> None:
    issue = replace(missing_index(), sql=("one", "two"), is_proven=True, repair="notes")
    assert Issue.from_json(json.loads(json.dumps(issue.to_json()))) == issue


def test_the_difference_itself_comes_with_an_issue() -> None:
    assert missing_index().evidence["declared"] == INDEX_FACTS


def test_a_declared_repair_is_the_fix_of_what_it_takes_away() -> None:
    fix = Fix(sql=(), repair="orphaned-notes", kind="delete_orphans")
    finding = Finding.of(ORPHAN, Subject(kind="constraint", name="notes.fk"), "3 rows", fix=fix)
    issue = issue_of(finding, "integrity", NOW, home="public")
    assert (issue.fix, issue.repair, issue.table) == ("delete_orphans", "orphaned-notes", "public.notes")
    assert issue_of(replace(finding, fix=None), "integrity", NOW, home="public").fix is None


@pytest.mark.parametrize(
    ("repair", "state", "rows", "is_there"),
    [
        ("r", "open", 3, True),
        ("r", "open", 4, True),
        ("r", "open", 2, False),  # others, which came while the fix was made
        ("r", "resolved", 3, False),
        (None, "open", 2, True),
    ],
)
def test_after_a_fix_an_issue_of_as_many_rows_is_the_same_one(
    repair: str | None, state: IssueState, rows: int, is_there: bool
) -> None:
    before = replace(missing_index(), repair=repair, evidence={"rows": 3})
    assert is_left(before, replace(before, state=state, evidence={"rows": rows})) is is_there


def test_an_issue_that_is_seen_again_is_as_old_as_it_was() -> None:
    issue = missing_index()
    again = see(
        {issue.key: issue}, [replace(issue, first_seen=LATER, last_seen=LATER)], decided=DRIFT, now=LATER
    )
    assert again.opened == again.resolved == ()
    assert (again.issues[issue.key].first_seen, again.issues[issue.key].last_seen) == (NOW, LATER)


def test_what_is_not_found_any_more_is_resolved_and_opens_anew_when_it_comes_back() -> None:
    issue = missing_index()
    gone = see({issue.key: issue}, [], decided=DRIFT, now=LATER)
    assert [one.key for one in gone.resolved] == [issue.key]
    assert gone.issues[issue.key].state == "resolved"
    back = see(gone.issues, [replace(issue, first_seen=LATER, last_seen=LATER)], decided=DRIFT, now=LATER)
    assert [one.first_seen for one in back.opened] == [LATER]


def test_what_nobody_could_look_at_stays_as_it_was() -> None:
    issue = missing_index()
    for decided in (frozenset[str](), frozenset({"health", "integrity"})):
        unseen = see({issue.key: issue}, [], decided=decided, now=LATER)
        assert unseen.resolved == ()
        assert unseen.issues == {issue.key: issue}
