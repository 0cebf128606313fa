"""What is kept: by count, by age, of each day, week, month and year, and never less than is needed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govern.core.backup import Backup
from govern.core.retention import KeptDatabase, Needs, Policy, Source, Verdict, decide, find_needed
from govern.core.run import Run
from tests.fixtures.backups import NOW, manifest_of

NOTHING = Policy(newest=1, days=0, ledger_days=0)
"""Keeps the newest, and the newest verified one."""


def backup(days_old: float, **facts: object) -> Backup:
    manifest = manifest_of(NOW - timedelta(days=days_old), **facts)  # type: ignore[arg-type]
    return Backup(path=Path("/backups") / manifest.id, manifest=manifest)


def stay(
    backups: Iterable[Backup], policy: Policy, *, needs: Needs | None = None, now: datetime = NOW
) -> list[Backup]:
    return [verdict.backup for verdict in judge(backups, policy, needs=needs, now=now) if verdict.stays]


def judge(
    backups: Iterable[Backup], policy: Policy, *, needs: Needs | None = None, now: datetime = NOW
) -> tuple[Verdict, ...]:
    return decide(backups, policy, needs=needs or Needs(), now=now)


def test_by_default_the_seven_newest_stay_and_all_of_thirty_days() -> None:
    often = [backup(days, is_verified=True) for days in range(60)]
    assert stay(often, Policy()) == often[:30]
    seldom = [backup(days * 100, is_verified=True) for days in range(60)]
    assert stay(seldom, Policy()) == seldom[:7]


def test_each_says_in_words_why_it_stays_or_goes() -> None:
    newest, verified, old = backup(1), backup(50, is_verified=True), backup(400)
    reasons = {verdict.backup.id: verdict.reasons for verdict in judge((old, newest, verified), NOTHING)}
    assert reasons == {
        newest.id: ("the newest",),
        verified.id: ("the newest verified one",),
        old.id: ("399 days older than the newest; 2 of its database stay",),
    }


def test_of_each_period_that_has_one_the_newest_stays() -> None:
    hours = [backup(hours / 24) for hours in range(24 * 730)]
    policy = Policy(newest=1, days=0, ledger_days=0, daily=3, weekly=3, monthly=3, yearly=3)
    kept = [one.manifest.created_at for one in stay(hours, policy)]
    assert kept == [
        NOW,  # of its day, its week, its month and its year
        *(datetime(2026, 11, day, 23, tzinfo=UTC) for day in (20, 19)),
        *(datetime(2026, 11, day, 23, tzinfo=UTC) for day in (15, 8)),
        *(datetime(2026, month, day, 23, tzinfo=UTC) for month, day in ((10, 31), (9, 30))),
        *(datetime(year, 12, 31, 23, tzinfo=UTC) for year in (2025, 2024)),
    ]


def test_periods_without_a_backup_are_passed_over() -> None:
    made = [backup(days) for days in (0, 40, 41, 300)]
    assert stay(made, Policy(newest=1, days=0, ledger_days=0, monthly=3)) == [made[0], made[1], made[3]]


def test_the_newest_verified_one_stays_whatever_its_age() -> None:
    made = [*(backup(days) for days in range(10)), backup(3000, is_verified=True)]
    assert made[-1] in stay(made, Policy(newest=2, days=0, ledger_days=0))
    assert made[-1] not in stay([*made, backup(3, is_verified=True)], Policy(newest=2, days=0, ledger_days=0))


def test_so_many_verified_ones_stay_as_the_policy_says() -> None:
    made = [backup(days * 10, is_verified=True) for days in range(10)]
    assert len(stay(made, Policy(newest=1, days=0, ledger_days=0, verified=4))) == 4


def test_what_was_found_unfit_fills_no_count_and_stays_while_it_is_young() -> None:
    unfit = [backup(days, is_unfit=True) for days in (0, 5)]
    good = [backup(days, is_verified=True) for days in (10, 20)]
    assert stay(unfit + good, NOTHING) == good[:1]
    assert stay(unfit + good, Policy(newest=1, days=5, ledger_days=0)) == [unfit[0], good[0]]


def test_where_none_is_proven_to_be_good_none_goes_for_having_been_found_unfit() -> None:
    """All of them may have been verified on a day on which the disk was full."""
    unfit = [backup(days, is_unfit=True) for days in (100, 200)]
    assert stay([backup(0), *unfit, backup(300)], NOTHING)[1:] == unfit
    assert stay([backup(0, is_verified=True), *unfit], NOTHING)[1:] == []


def test_sources_are_counted_each_by_itself() -> None:
    mine = [backup(days) for days in (0, 1)]
    other_target = [backup(days + 100, target="staging") for days in (0, 1)]
    other_database = [backup(days + 200, database="other") for days in (0, 1)]
    assert stay(mine + other_target + other_database, NOTHING) == [
        mine[0],
        other_target[0],
        other_database[0],
    ]


def test_a_clock_that_jumps_ahead_lets_nothing_grow_old() -> None:
    made = [backup(days) for days in range(60)]
    assert stay(made, Policy(), now=NOW + timedelta(days=5000)) == stay(made, Policy())


def test_what_is_dated_in_the_future_stays_and_fills_no_count() -> None:
    future = [backup(-days, is_verified=True) for days in (1, 2, 3)]
    past = [backup(days, is_verified=True) for days in (1, 2)]
    assert stay(past + future, NOTHING) == [*reversed(future), past[0]]
    assert stay(past, NOTHING) == past[:1]


def test_of_equal_moments_the_same_ones_stay_in_every_run() -> None:
    made = [backup(0, backup_id=f"20261121T120000Z-manual-{number:06x}") for number in range(20)]
    policy = Policy(newest=5, days=0, ledger_days=0)
    assert stay(made, policy) == stay(reversed(made), policy) == made[:-6:-1]


def test_a_pinned_one_stays_and_says_why() -> None:
    pinned, old = backup(900, pinned="before the move"), backup(900)
    verdicts = {verdict.backup.id: verdict for verdict in judge([backup(0), pinned, old], NOTHING)}
    assert verdicts[pinned.id].reasons == ("pinned: before the move",)
    assert not verdicts[old.id].stays


def test_what_the_ledger_names_stays() -> None:
    named, old = backup(20), backup(20)
    source = Source.of(named.manifest)
    needs = Needs(
        by_backup={named.id: "migrate of 2026-11-01 has it in the ledger"}, read=frozenset({source})
    )
    policy = Policy(newest=1, days=0, ledger_days=30)
    verdicts = {
        verdict.backup.id: verdict.stays for verdict in judge([backup(0), named, old], policy, needs=needs)
    }
    assert (verdicts[named.id], verdicts[old.id]) == (True, False)


def test_what_a_ledger_that_was_not_read_may_name_stays() -> None:
    young, old = backup(20), backup(40)
    policy = Policy(newest=1, days=0, ledger_days=30)
    assert young in stay([backup(0), young, old], policy)
    assert old not in stay([backup(0), young, old], policy)


def test_runs_need_what_they_took_and_what_they_restored() -> None:
    recent, older = (
        Run(
            id="x",
            command="restore",
            actor="me",
            started_at=NOW - timedelta(days=days),
            backup=f"taken-{days}",
            restored_from=f"restored-{days}",
        )
        for days in (1, 40)
    )
    assert find_needed([recent, older], Policy(), now=NOW).keys() == {"taken-1", "restored-1"}
    ahead = NOW + timedelta(days=5000)  # a clock that jumped makes no run old
    assert find_needed([recent, older], Policy(), now=ahead).keys() == {"taken-1", "restored-1"}
    assert find_needed([], Policy(), now=NOW) == {}


@pytest.mark.parametrize("counts", [{"newest": 0}, {"verified": 0}])
def test_no_policy_keeps_nothing(counts: dict[str, int]) -> None:
    with pytest.raises(AssertionError):
        Policy(**counts)


@pytest.mark.parametrize(
    "moment", ["", "2026112112000", "202611211200000", "20261321120000", "٢٠261121120000", "x" * 14]
)
def test_a_name_that_ends_in_no_moment_is_none_of_a_kept_database(moment: str) -> None:
    assert KeptDatabase.named("app_before_restore_", moment, bytes=1) is None
    kept = KeptDatabase.named("app_before_restore_20261121120000", "20261121120000", bytes=1)
    assert kept is not None
    assert kept.kept_at == NOW
