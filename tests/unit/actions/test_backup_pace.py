"""How far a backup has come is told now and then, and not with every chunk."""

from __future__ import annotations

from govern.actions.backup.pace import Pace
from govern.core.reached import Reached


def test_a_long_backup_tells_its_bytes_of_those_that_are_expected() -> None:
    told: list[str] = []
    now = 100.0
    pace = Pace(told.append, "writing", clock=lambda: now)
    for second in range(4):
        now = 100.0 + second
        pace.tell(second * 250_000_000)
        pace.tell(second * 250_000_000 + 1)
        pace.expected_bytes = (400_000_000, 600_000_000)
    reached = [(one.done, one.total) for one in told if isinstance(one, Reached)]
    assert set(told) == {"writing"}
    assert reached == [(0, None), (250_000_000, 400_000_000), (500_000_000, 600_000_000), (750_000_000, None)]


def test_a_short_backup_tells_that_it_began_and_no_more() -> None:
    told: list[str] = []
    pace = Pace(told.append, "writing", clock=lambda: 7.0)
    pace.tell(1)
    assert told == ["writing"]
