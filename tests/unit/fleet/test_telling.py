"""What is told of a run while it goes on."""

from __future__ import annotations

from pathlib import Path

from govern.core.reached import Reached
from govern.fleet.state import begin_run
from govern.fleet.telling import Teller
from govern.fleet.waves import arrange
from tests.unit.fleet.conftest import make_outcome, make_targets


def test_each_end_is_counted_and_the_sentence_changes_now_and_then(tmp_path: Path) -> None:
    told: list[str] = []
    moments = iter((0, 0, 1, 2, 9, 9, 10))
    (wave,) = arrange(make_targets(4))
    with begin_run(tmp_path, "r1", command="drift", asked="it", actor="ann") as state:
        teller = Teller(state, told.append, total=4, clock=lambda: next(moments))
        teller.wave_begins(wave)
        for number in range(4):
            teller.target_ends(make_outcome(f"t{number}", exit_code=number % 2))
    assert [(str(one), one.done, one.total) for one in told if isinstance(one, Reached)] == [
        ("all: 4 targets", 0, 4),
        ("all: 4 targets", 1, 4),
        ("all: 4 targets", 2, 4),
        ("all: 75% of all targets, 1 not clean", 3, 4),
        ("all: 75% of all targets, 1 not clean", 4, 4),
    ]
