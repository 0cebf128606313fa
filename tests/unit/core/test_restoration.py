"""What two tables have that is not in both, and when that is a harm."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from govern.core.restoration import TableDifference, TableDigest, count_differing

NUMBERS = st.lists(st.integers(-3, 3)).map(sorted)


@given(NUMBERS, NUMBERS)
def test_what_is_in_one_series_alone_is_counted_with_its_repetitions(
    ours: list[int], theirs: list[int]
) -> None:
    left, right = Counter(ours), Counter(theirs)
    assert count_differing(ours, theirs) == ((left - right).total(), (right - left).total())


def difference(live: int | None, backup: int | None) -> TableDifference:
    digests = [None if rows is None else TableDigest(rows, "x") for rows in (live, backup)]
    return TableDifference(place=("shop", "orders"), columns=("id",), live=digests[0], backup=digests[1])


def test_an_empty_or_missing_live_table_has_nothing_to_overwrite() -> None:
    assert difference(0, 5).hazard is None
    assert difference(None, 5).hazard is None
    assert str(difference(1, 5).hazard) == "overwrites-rows:shop.orders"
    assert str(difference(5, None).hazard) == "overwrites-rows:shop.orders"


def test_a_difference_is_told_in_numbers_where_there_are_any() -> None:
    assert difference(3, 5).with_counts(1, 3).described() == (
        "shop.orders has 1 row that the backup has not, and lacks 3"
    )
    assert difference(3, None).described() == "shop.orders is not in the backup, and has 3 rows"
    assert difference(None, 3).described() == "shop.orders is in the backup alone"
