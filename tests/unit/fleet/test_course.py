"""A run from the order to its verdict, on databases that are not there: what is counted, and what is written down."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from govern.core.finding import Severity
from govern.errors import CouldNotCheck, ToolMissing
from govern.fleet.course import visit_fleet
from govern.fleet.order import Order
from govern.fleet.state import begin_run
from tests.unit.fleet.conftest import make_outcome

ALEMBIC = "[alembic]\nscript_location = migrations\n"


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A backup of two databases that are not there, in a project without a revision."""
    (tmp_path / "alembic.ini").write_text(ALEMBIC)
    (tmp_path / "govern.toml").write_text('alembic_config = "alembic.ini"\n')
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    targets = tmp_path / "targets.yaml"
    targets.write_text("targets:\n  - {name: a, url_env: NOT_SET_A}\n  - {name: b, url_env: NOT_SET_B}\n")
    return Order(command="backup", folder=tmp_path, targets=targets, config=tmp_path / "govern.toml")


def test_what_was_taken_out_of_the_file_is_not_counted_as_visited(order: Order, tmp_path: Path) -> None:
    with begin_run(
        tmp_path / ".govern" / "fleet", "r1", command="backup", asked=order.digest(()), actor="ann"
    ) as state:
        state.note_end(make_outcome("gone"))
        state.note_finish("1 failed")
    with pytest.raises(CouldNotCheck) as raised:
        visit_fleet(replace(order, workers=1))
    assert raised.value.what == "1 of 2 targets could not be done: a"
    assert raised.value.state == "1 could not be done, 1 not visited"
    report = raised.value.report
    assert report is not None
    assert report.data["fleet"]["run"] == "r1"
    assert report.entries[-1].reason == "0 findings on 1 target"


def test_a_run_whose_workers_are_not_to_be_had_has_not_begun(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolMissing):
        visit_fleet(replace(order, scheduler="tcp://127.0.0.1:1"))
    assert not list(tmp_path.rglob("*.jsonl"))


def test_another_order_is_one_of_other_revisions_or_severities_and_not_of_another_pace(order: Order) -> None:
    digest = order.digest(("r1", "r2"))
    assert replace(order, workers=1, per_server=1, stop_after="9").digest(("r2", "r1")) == digest
    assert order.digest(("r1", "r2", "r3")) != digest
    assert replace(order, fail_on=Severity.CRITICAL).digest(("r1", "r2")) != digest


def test_what_to_type_for_the_same_again_has_all_that_was_given(tmp_path: Path) -> None:
    order = Order(
        command="migrate",
        folder=tmp_path,
        targets=Path("targets.yaml"),
        conditions=("region=eu",),
        per_server=1,
        deadline=timedelta(hours=2),
        scheduler="tcp://s:8786",
        fail_on=Severity.CRITICAL,
        options={"to": "heads", "backup": "off", "allow": ("drops-column:users.nick",), "dry_run": True},
    )
    assert order.command_line == (
        "govern fleet migrate --targets targets.yaml --select region=eu --per-server 1 --deadline '120 min' "
        "--scheduler tcp://s:8786 --fail-on critical --backup off --allow drops-column:users.nick --dry-run"
    )
