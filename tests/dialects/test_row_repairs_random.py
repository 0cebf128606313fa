"""Whatever is repaired in whatever rows: as many as planned are changed, and rolling back gives the very rows back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from govern.database.url import DatabaseUrl
from govern.errors import Refused
from tests.fixtures.repaired import NAMES, Repaired, rows_of

STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.integers(1, 3)), min_size=1, max_size=3)


def check(repaired: Repaired, data: st.DataObject) -> None:
    """Random rows and repairs; what is refused changes nothing."""
    repaired.fill(data.draw(rows_of(repaired.live.dialect.name)))
    before = repaired.digest()
    applied = 0
    for name, batch in data.draw(STEPS):
        plan, now, orphans = repaired.plan(name), repaired.digest(), repaired.count_orphans()
        try:
            run = repaired.apply(name, batch=batch)
        except Refused:
            assert plan.obstacles
            assert repaired.digest() == now
            continue
        if batch is None:
            assert sum(run.rows.values()) == plan.rows
        assert repaired.plan(name).rows == 0
        assert all(rows <= orphans[key] for key, rows in repaired.count_orphans().items())
        applied += 1
    assert repaired.roll_back_all() == applied
    assert repaired.digest() == before


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_random_rows_come_back_as_they_were(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url: DatabaseUrl = request.getfixturevalue(f"{engine}_database")
    repaired = Repaired(tmp_path / "project", url)
    repaired.create()
    examples = 300 if request.config.getoption("--long-faults") else 20

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),
    )
    @given(st.data())
    def property_(data: Any) -> None:
        check(repaired, data)

    property_()
