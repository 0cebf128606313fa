"""In which order a fleet is visited."""

from __future__ import annotations

import pytest

from govern.errors import ConfigurationError
from govern.fleet.waves import Amount, arrange
from tests.unit.fleet.conftest import make_targets


def sizes(*, count: int = 10, **options: str) -> dict[str, int]:
    targets = make_targets(count, region=lambda number: ("eu", "us", "ap")[number % 3])
    return {wave.name: len(wave.targets) for wave in arrange(targets, **options)}  # type: ignore[arg-type]


def test_without_a_word_there_is_one_wave() -> None:
    assert sizes() == {"all": 10}


def test_canaries_are_the_first_of_the_file_or_those_with_a_label() -> None:
    assert sizes(canary="3") == {"canary": 3, "the others": 7}
    assert sizes(canary="region=us") == {"canary": 3, "the others": 7}
    assert sizes(canary="10") == {"canary": 10}


def test_waves_follow_a_label_as_it_first_comes_up() -> None:
    assert sizes(canary="1", by_label="region") == {
        "canary": 1,
        "region=us": 3,
        "region=ap": 3,
        "region=eu": 3,
    }


def test_what_has_no_such_label_comes_last() -> None:
    assert sizes(by_label="tier") == {"without tier": 10}


def test_waves_have_a_size_or_a_share_of_the_whole() -> None:
    assert sizes(size="4") == {"wave 1": 4, "wave 2": 4, "wave 3": 2}
    assert sizes(size="25%") == {"wave 1": 3, "wave 2": 3, "wave 3": 3, "wave 4": 1}


@pytest.mark.parametrize("text", ["0", "-1", "ten", "0%", "101%", "5 %", ""])
def test_what_is_no_amount_is_said_so(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no number and no share"):
        Amount.parse(text)
