"""Numbers as sentences say them."""

from __future__ import annotations

import pytest

from govern.core.wording import count_of, name_age, name_seconds, name_size


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(1, "batch", "1 batch"), (2, "batch", "2 batches"), (0, "row", "0 rows"), (3, "index", "3 indexes")],
)
def test_a_count_has_its_noun(number: int, noun: str, said: str) -> None:
    assert count_of(number, noun) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0 k"),
        (123_456, "123 k"),
        (5_200_000, "5.2 M"),
        (1_400_000_000, "1.4 G"),
        (2_000_000_000_000, "2000 G"),
    ],
)
def test_an_estimate_has_three_digits_and_a_unit(number: int, said: str) -> None:
    assert name_size(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.12, "0.1 s"), (9.96, "10.0 s"), (40.4, "40 s"), (119, "119 s"), (200, "3 min")]
)
def test_a_duration_is_as_exact_as_people_need_it(seconds: float, said: str) -> None:
    assert name_seconds(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "a moment ago"),
        (59, "a moment ago"),
        (60, "1 min ago"),
        (7_199, "119 min ago"),
        (7_200, "2 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
        (700 * 86_400, "700 days ago"),
        (730 * 86_400, "2 years ago"),
        (-30, "in a moment"),
        (-10_800, "in 3 h"),
    ],
)
def test_an_age_is_as_exact_as_people_need_it(seconds: float, said: str) -> None:
    assert name_age(seconds) == said
