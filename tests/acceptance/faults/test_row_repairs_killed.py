"""Repairs of rows that are killed at any moment: each transaction is whole, and all of it can be taken back."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from govern.actions.repairs.back import list_undoable
from govern.database.url import DatabaseUrl
from tests.fixtures.faults import PHASE
from tests.fixtures.repaired import NAMES, Repaired

ACCOUNTS = 300
PROGRAM = "import sys; from pathlib import Path; from tests.fixtures.repaired import run_all; " + (
    "run_all(Path(sys.argv[1]), sys.argv[2], sys.argv[4:], int(sys.argv[3]) or None)"
)


def fill(repaired: Repaired) -> None:
    """Every third row's reference leads nowhere."""
    numbers = range(1, ACCOUNTS + 1)
    lost = {number: number * 1000 if number % 3 == 0 else number for number in numbers}
    repaired.fill(
        {
            "accounts": [
                {"id": one, "parent_id": lost[one] - 1 or None, "name": f"n{one}", "balance": one % 7 - 1}
                for one in numbers
            ],
            "posts": [
                {"id": one, "account_id": lost[one], "editor_id": lost[one], "body": "ä'%s"}
                for one in numbers
            ],
            "comments": [{"post_id": one, "n": 1, "account_id": lost[one]} for one in numbers],
            "visits": [{"account_id": lost[one]} for one in numbers],
            "settings": [{"account_id": one} for one in numbers if one % 2],
            "badges": [{"account_id": lost[one], "title": str(one)} for one in numbers],
        }
    )


def kill_at(repaired: Repaired, names: list[str], batch: int, seconds: float) -> bool:
    """Kills a process that applies repairs so long after it began; returns whether it was over already."""
    command = (sys.executable, "-c", PROGRAM, str(repaired.root), repaired.live.url.text, str(batch), *names)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(seconds)
        process.kill()
        return "done" in process.stdout.read()


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_whatever_was_committed_before_the_kill_comes_back(
    engine: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    url: DatabaseUrl = request.getfixturevalue(f"{engine}_database")
    repaired = Repaired(tmp_path / "project", url)
    repaired.create()
    moments = 40 if request.config.getoption("--long-faults") else 4
    chance = random.Random(request.config.getoption("--moments"))
    for _ in range(moments):
        fill(repaired)
        before = repaired.digest()
        names = chance.sample(NAMES, 4)
        batch = chance.choice((0, 5, 20))
        was_over = kill_at(repaired, names, batch, chance.uniform(0, 0.5))
        broken_off = [one for one in list_undoable(repaired.live) if not one.is_finished]
        assert len(broken_off) <= 1
        assert all(one.batches and one.rows < one.planned for one in broken_off)
        record_property(
            PHASE, "over" if was_over else "a batch" if broken_off else "a transaction or between two"
        )
        for one in broken_off:  # what is left is the next run's
            repaired.apply(one.repair, batch=50)
            assert repaired.plan(one.repair).rows == 0
        repaired.roll_back_all()
        assert repaired.digest() == before
