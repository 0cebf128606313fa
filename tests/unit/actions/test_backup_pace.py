"""How far a backup has come is told now and then, and not with every chunk."""

from __future__ import annotations

from govern.actions.backup.pace import Pace


def test_a_long_backup_tells_its_bytes_and_its_rate_every_few_seconds() -> None:
    told: list[str] = []
    now = 100.0
    pace = Pace(told.append, clock=lambda: now)
    for second in range(12):
        now = 100.0 + second
        if second == 8:
            pace.table_bytes = 4_000_000_000
        pace.tell(second * 250_000_000)
    assert told == [
        "written 1.2 GB, 250.0 MB a second",
        "written 2.5 GB of tables that take 4.0 GB, 250.0 MB a second",
    ]


def test_a_short_backup_tells_nothing() -> None:
    told: list[str] = []
    pace = Pace(told.append, clock=lambda: 7.0)
    pace.tell(1)
    assert told == []
