"""The order of a repair's operations."""

from __future__ import annotations

from govern.database.postgresql.repair.ordering import put_in_order


def ranks(*numbers: int) -> list[tuple[int, int, str]]:
    return [(number, 0, "") for number in numbers]


def test_what_is_needed_comes_first_whatever_its_rank() -> None:
    assert put_in_order(ranks(0, 1, 2), [(2, 0)]) == [1, 2, 0]


def test_rank_decides_where_nothing_is_needed() -> None:
    assert put_in_order(ranks(2, 0, 1), []) == [1, 2, 0]


def test_a_circle_is_broken_at_the_lowest_rank() -> None:
    assert put_in_order(ranks(1, 0, 2), [(0, 1), (1, 0), (0, 2)]) == [1, 0, 2]


def test_nothing_needs_itself() -> None:
    assert put_in_order(ranks(0), [(0, 0)]) == [0]
