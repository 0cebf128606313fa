"""In which order a fleet is visited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from govern.errors import ConfigurationError, NoSuchName
from govern.fleet.waves import Amount, StopRule, arrange
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
    targets = make_targets(3, tier=lambda number: "gold" if number == 1 else "")
    some = [replace(one, labels=()) if one.name != "t1" else one for one in targets]
    assert [(wave.name, len(wave.targets)) for wave in arrange(some, by_label="tier")] == [
        ("tier=gold", 1),
        ("without tier", 2),
    ]


def test_waves_by_a_label_that_nobody_has_are_refused() -> None:
    with pytest.raises(NoSuchName, match="no target has a label 'regoin'") as raised:
        sizes(by_label="regoin")
    assert raised.value.meant == ("region",)
    assert sizes(canary="region=eu", by_label="name")["canary"] == 4


def test_waves_have_a_size_or_a_share_of_the_whole() -> None:
    assert sizes(size="4") == {"wave 1": 4, "wave 2": 4, "wave 3": 2}
    assert sizes(size="25%") == {"wave 1": 3, "wave 2": 3, "wave 3": 3, "wave 4": 1}


@pytest.mark.parametrize("text", ["0", "-1", "ten", "0%", "101%", "5 %", ""])
def test_what_is_no_amount_is_said_so(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no number from 1 on"):
        Amount.parse(text)


def test_a_share_of_less_than_a_percent_is_said_as_it_is() -> None:
    (wave,) = arrange(make_targets(300))
    assert StopRule(after=Amount.parse("0.5%")).decide(wave, 2, 2).endswith("--stop-after is 0.5%")
    assert not StopRule(after=Amount.parse("0.5%")).decide(wave, 1, 1)
