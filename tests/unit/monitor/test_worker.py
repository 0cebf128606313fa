"""The child that does the work: what hangs is killed, what crashes is told, and the rest goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from govern.config import load
from govern.database.url import DatabaseUrl
from govern.monitor import worker
from govern.monitor.checks import CHECKS
from govern.monitor.worker import Worker


@pytest.mark.parametrize(
    ("wrong", "why"), [("drift", "took longer than 0.01 s"), ("no-such-check", "ended with exit status 1")]
)
def test_what_hangs_or_crashes_is_told_and_the_others_go_on(
    tmp_path: Path, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, wrong: str, why: str
) -> None:
    checks = {
        **CHECKS,
        wrong: replace(CHECKS["drift"], name=wrong, seconds=0.01 if wrong in CHECKS else 30.0),
    }
    monkeypatch.setattr(worker, "CHECKS", checks)
    settings = load(start=tmp_path, url=url.text, environ={"USER": "tester"})
    before = psutil.Process().children()
    seen = list(Worker(settings).look(("health", wrong, "integrity")))
    assert [one.entry.name for one in seen] == ["health", wrong, "integrity"]
    assert seen[1].entry.status == "crashed"
    assert why in seen[1].entry.reason
    assert [one.is_decided for one in seen] == [True, False, True]
    assert psutil.Process().children() == before


def test_without_a_database_the_rest_is_spared(tmp_path: Path) -> None:
    settings = load(start=tmp_path, url=f"sqlite:///{tmp_path / 'none.sqlite'}", environ={"USER": "tester"})
    [seen] = Worker(settings).look(("health", "drift", "integrity"))
    assert not seen.is_reachable
    assert seen.entry.status == "found"
