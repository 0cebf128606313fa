"""What a monitor fixes by itself: each clause of the policy, with the twin that lets the fix through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from govern.core.finding import Severity
from govern.core.fixing import (
    AllowedFix,
    Attempt,
    Decision,
    Hours,
    Moment,
    Policy,
    decide,
    is_broken,
    refuse_fix,
)
from govern.core.issue import Issue
from govern.core.monitoring import Event, EventKind, read_attempts

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
NOW = Moment(wall=NOON, monotonic=100_000.0)
ISSUE = Issue(
    key="0123456789ab",
    rule="drift.index-removed",
    issue_type="MISSING_INDEX",
    severity=Severity.CRITICAL,
    kind="index",
    subject="index public.users.ix_users_email",
    table="public.users",
    column="email",
    current_state="No index",
    expected_state="Index on email",
    message="",
    remedy="",
    check="drift",
    fix="recreate_missing",
    sql=("CREATE INDEX …",),
    is_proven=True,
    first_seen=NOON,
    last_seen=NOON,
)
POLICY = Policy(
    mode="apply",
    allowed=(AllowedFix(kind="recreate_missing"),),
    critical_tables=frozenset({"public.users"}),
)


def attempt(ago: timedelta, **facts: object) -> Attempt:
    made = Attempt(key=ISSUE.key, fix="recreate_missing", at=NOON - ago, outcome="fixed")
    return replace(made, **facts)  # type: ignore[arg-type]


def other(ago: timedelta, number: int, **facts: object) -> Attempt:
    return attempt(ago, key=f"{number:012}", **facts)


def act(policy: Policy = POLICY, *attempts: Attempt, issue: Issue = ISSUE, now: Moment = NOW) -> str:
    return decide(issue, policy, attempts, now).act


def test_what_the_policy_allows_is_fixed() -> None:
    assert decide(ISSUE, POLICY, (), NOW) == Decision(act="fix", reason="the policy allows it")


def test_without_a_word_in_the_manifest_nothing_is_fixed() -> None:
    assert act(Policy()) == "leave"
    assert act(replace(POLICY, mode="dry-run")) == "tell"
    assert act(replace(POLICY, mode="off")) == "leave"


@pytest.mark.parametrize(
    "policy",
    [
        replace(POLICY, allowed=()),
        replace(POLICY, allowed=(AllowedFix(kind="restore_changed"),)),
        replace(POLICY, allowed=(AllowedFix(kind="recreate_missing", tables=("public.notes",)),)),
        replace(POLICY, critical_tables=frozenset({"public.notes"})),
    ],
)
def test_what_it_does_not_allow_is_left(policy: Policy) -> None:
    assert act(policy) == "leave"
    assert (
        act(replace(POLICY, allowed=(AllowedFix(kind="recreate_missing", tables=("public.users",)),)))
        == "fix"
    )


@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING, Severity.INFO])
def test_only_critical_issues_are_fixed(severity: Severity) -> None:
    assert act(issue=replace(ISSUE, severity=severity)) == "leave"


@pytest.mark.parametrize("kind", ["table", "column", "sequence"])
def test_what_had_rows_or_values_is_never_put_back_empty(kind: str) -> None:
    assert act(issue=replace(ISSUE, kind=kind)) == "leave"
    assert act(issue=replace(ISSUE, kind="constraint")) == "fix"


CANNOT: dict[str, Callable[[Issue], Issue]] = {
    "could lose data": lambda issue: replace(issue, loses_data=True),
    "not proven": lambda issue: replace(issue, is_proven=False),
    "no repair": lambda issue: replace(issue, fix=None),
    "gone already": lambda issue: replace(issue, state="resolved"),
}


@pytest.mark.parametrize("why", CANNOT)
def test_what_cannot_be_fixed_safely_is_refused_to_persons_too(why: str) -> None:
    issue = CANNOT[why](ISSUE)
    assert act(issue=issue) == "leave"
    assert why in (refuse_fix(issue) or "")
    assert refuse_fix(ISSUE) is None


def test_hours_may_go_over_midnight_and_are_those_of_their_zone() -> None:
    night = Hours(begin=time(22), end=time(6))
    assert act(replace(POLICY, hours=night)) == "leave"
    at_two = Moment(wall=NOON.replace(hour=2), monotonic=0.0)
    assert act(replace(POLICY, hours=night), now=at_two) == "fix"
    there = Hours(begin=time(11), end=time(13), zone=ZoneInfo("America/New_York"))
    assert act(replace(POLICY, hours=there)) == "leave"
    assert act(replace(POLICY, hours=replace(there, zone=UTC))) == "fix"


def test_the_same_fix_is_not_tried_twice_within_an_hour_and_a_person_is_asked() -> None:
    again = decide(ISSUE, POLICY, (attempt(timedelta(minutes=59)),), NOW)
    assert (again.act, again.needs_person) == ("leave", True)
    assert act(POLICY, attempt(timedelta(minutes=61))) == "fix"
    assert act(POLICY, other(timedelta(minutes=1), 1)) == "fix"


def test_so_many_an_hour_are_enough() -> None:
    made = tuple(other(timedelta(minutes=number), number) for number in range(1, 4))
    enough = decide(ISSUE, POLICY, made, NOW)
    assert (enough.act, enough.needs_person) == ("leave", True)
    assert act(replace(POLICY, most_per_hour=4), *made) == "fix"


@pytest.mark.parametrize("jump", [timedelta(days=1), -timedelta(days=1)])
def test_a_clock_that_jumps_gives_no_second_try(jump: timedelta) -> None:
    """The one on the wall is set; the other goes on."""
    tried = attempt(timedelta(), monotonic=NOW.monotonic)
    jumped = Moment(wall=NOON + jump, monotonic=NOW.monotonic + 60)
    assert act(POLICY, tried, now=jumped) == "leave"
    assert act(POLICY, tried, now=Moment(wall=NOON, monotonic=NOW.monotonic + 3_601)) == "fix"


def test_what_another_process_tried_in_the_future_is_not_old() -> None:
    assert act(POLICY, attempt(-timedelta(days=1))) == "leave"


def test_a_dry_run_says_it_once_and_does_not_count_as_a_try() -> None:
    said = attempt(timedelta(minutes=5), is_dry=True)
    assert act(replace(POLICY, mode="dry-run"), said) == "leave"
    assert act(POLICY, said) == "fix"


REPAIRABLE = replace(
    ISSUE,
    rule="integrity.orphan",
    check="integrity",
    fix="delete_orphans",
    repair="orphaned",
    sql=(),
    is_proven=False,
    evidence={"rows": 3},
)


@pytest.mark.parametrize(
    "allowed",
    [
        AllowedFix(repair="orphaned"),
        AllowedFix(kind="delete_orphans"),
        AllowedFix(kind="delete_orphans", tables=("public.users",)),
    ],
)
def test_a_declared_repair_is_made_where_the_policy_names_it_or_its_kind(allowed: AllowedFix) -> None:
    policy = replace(POLICY, allowed=(allowed,))
    assert act(policy, issue=REPAIRABLE) == "fix"
    assert act(policy, issue=replace(REPAIRABLE, table="public.notes")) == "leave"
    assert act(policy, issue=replace(REPAIRABLE, severity=Severity.ERROR)) == "leave"


def test_a_declared_repair_that_does_the_same_gently_is_of_the_same_kind() -> None:
    gently = replace(ISSUE, fix="create_index_concurrently", repair="email-index")
    assert act(POLICY, issue=gently) == "fix"
    assert act(replace(POLICY, allowed=(AllowedFix(kind="restore_changed"),)), issue=gently) == "leave"


@pytest.mark.parametrize(
    "allowed",
    [
        AllowedFix(repair="another"),
        AllowedFix(kind="delete_where"),
        AllowedFix(kind="recreate_missing"),
        AllowedFix(kind="delete_orphans", tables=("public.roles",)),
    ],
)
def test_a_declared_repair_that_nobody_allowed_is_left_though_a_person_may_have_it(
    allowed: AllowedFix,
) -> None:
    assert act(replace(POLICY, allowed=(allowed,)), issue=REPAIRABLE) == "leave"
    assert refuse_fix(REPAIRABLE) is None


def test_more_rows_than_the_policy_allows_need_a_person() -> None:
    policy = replace(POLICY, allowed=(AllowedFix(repair="orphaned", most_rows=3),))
    assert decide(REPAIRABLE, policy, (), NOW).most_rows == 3
    more = decide(replace(REPAIRABLE, evidence={"rows": 4}), policy, (), NOW)
    assert (more.act, more.needs_person) == ("leave", True)
    wider = replace(policy, allowed=(AllowedFix(kind="delete_orphans", most_rows=9), *policy.allowed))
    assert decide(REPAIRABLE, wider, (), NOW).most_rows == 3  # what is said of this repair counts


def test_what_a_person_took_back_is_not_made_again_until_the_monitor_is_started() -> None:
    history = (
        event("rolled-back", 120, run="r"),
        event("fixed", 130, attempt="fixing-131", run="r"),
        event("fixing", 131, issue=ISSUE.key, fix="recreate_missing"),
    )
    assert act(POLICY, *read_attempts(history, {})) == "leave"
    assert act(POLICY, *read_attempts(history[1:], {})) == "fix"
    assert act(POLICY, *read_attempts((event("start", 100), *history), {})) == "fix"


def test_two_failures_stop_everything_until_a_person_starts_it() -> None:
    failures = tuple(other(timedelta(hours=hours), hours, outcome="failed") for hours in (3, 2))
    assert is_broken(failures)
    assert act(POLICY, *failures) == "leave"
    for harmless in (
        failures[:1],
        (*failures, other(timedelta(hours=1), 9, outcome="fixed")),
        tuple(replace(failure, outcome="forgiven") for failure in failures),
    ):
        assert not is_broken(harmless)
        assert act(POLICY, *harmless) == "fix"


def event(kind: EventKind, minutes_ago: int, **facts: str) -> Event:
    return Event(
        id=f"{kind}-{minutes_ago}", kind=kind, actor="x", at=NOON - timedelta(minutes=minutes_ago), **facts
    )


def test_attempts_are_read_from_what_was_written_down() -> None:
    history = (
        event("fix-failed", 1, attempt="fixing-2"),
        event("fixing", 2, issue="b", fix="recreate_missing"),
        event("start", 5),
        event("fix-failed", 7, attempt="fixing-8"),
        event("fixing", 8, issue="a", fix="recreate_missing"),
        event("would-fix", 9, issue="a", fix="recreate_missing"),
        event("fixing", 10, issue="c", fix="recreate_missing"),
    )
    attempts = read_attempts(history, {"fixing-2": 77.0})
    assert [(one.key, one.outcome, one.is_dry) for one in attempts] == [
        ("c", "pending", False),  # whoever tried it was killed
        ("a", "pending", True),
        ("a", "forgiven", False),
        ("b", "failed", False),
    ]
    assert [one.monotonic for one in attempts] == [None, None, None, 77.0]
