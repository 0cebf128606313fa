"""A run over an executor: limits, waves, when it stops, and what becomes of a worker that dies."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from typing import Any

import pytest

from govern.fleet import run
from govern.fleet.inventory import Target
from govern.fleet.limits import Limits
from govern.fleet.run import Listener, Visit
from govern.fleet.waves import Amount, StopRule, Wave, arrange
from tests.unit.fleet.conftest import Scripted, make_job, make_outcome, make_targets


@pytest.fixture(autouse=True)
def ends_while_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes to its end before somebody waits: so as much is under way as the limits allow."""
    wait = run.wait

    def end_and_wait(under_way: Any, **options: Any) -> Any:
        Scripted.end_all(_scripted[-1])
        return wait(under_way, **options)

    monkeypatch.setattr(run, "wait", end_and_wait)


_scripted: list[Scripted] = []


def visit(waves: Sequence[Wave], executor: Scripted, **options: Any) -> Visit:
    _scripted[:] = [executor]
    options = {"limits": Limits(100, 100), "stop": StopRule(), "listener": Listener(), **options}
    made = Visit(executor=executor, make_job=make_job, **options)
    made.run(waves)
    return made


def in_one_wave(targets: Sequence[Target]) -> tuple[Wave, ...]:
    return (Wave(name="all", targets=tuple(targets)),)


def test_no_server_is_asked_for_more_than_its_share_and_none_waits_for_another() -> None:
    executor = Scripted()
    visited = visit(in_one_wave(make_targets(30, servers=3)), executor, limits=Limits(8, 2))
    assert len(visited.outcomes) == 30
    assert executor.most_at_once == {"all": 6, "db-0:5432": 2, "db-1:5432": 2, "db-2:5432": 2}


def test_no_more_are_under_way_than_there_are_workers() -> None:
    executor = Scripted()
    visit(in_one_wave(make_targets(30, servers=30)), executor, limits=Limits(8, 2))
    assert executor.most_at_once["all"] == 8


def test_a_wave_begins_when_the_one_before_is_done() -> None:
    executor = Scripted()
    waves = arrange(make_targets(6, region=lambda number: "eu" if number % 2 else "us"), by_label="region")
    visit(waves, executor)
    assert executor.begun == ["t0", "t2", "t4", "t1", "t3", "t5"]
    assert executor.most_at_once["all"] == 3


@pytest.mark.parametrize(
    ("stop", "begun"),
    [
        (StopRule(after=Amount(count=2)), 4),
        (StopRule(after=Amount(share=0.3)), 9),  # the seventh of 20
        (StopRule(), 20),
    ],
)
def test_after_so_many_failures_nothing_is_begun(stop: StopRule, begun: int) -> None:
    executor = Scripted(exit_codes={f"t{number}": 5 for number in (2, 3, 4, 5, 6, 7, 8)})
    visited = visit(in_one_wave(make_targets(20)), executor, limits=Limits(1, 1), stop=stop)
    assert len(executor.begun) == begun
    assert bool(visited.why_ended) == (begun < 20)


def test_a_failed_canary_keeps_the_others_from_beginning() -> None:
    executor = Scripted(exit_codes={"t1": 1})
    visited = visit(arrange(make_targets(9), canary="2"), executor)
    assert executor.begun == ["t0", "t1"]
    assert visited.why_ended == "1 of 2 canaries failed"


def test_clean_canaries_let_the_others_begin() -> None:
    executor = Scripted()
    assert not visit(arrange(make_targets(9), canary="2"), executor).why_ended
    assert len(executor.begun) == 9


def test_what_was_done_in_an_earlier_run_is_not_begun_again() -> None:
    executor = Scripted()
    visited = visit(in_one_wave(make_targets(4)), executor, outcomes={"t1": make_outcome("t1")})
    assert executor.begun == ["t0", "t2", "t3"]
    assert len(visited.outcomes) == 4


def test_after_the_deadline_nothing_is_begun() -> None:
    moments = iter(range(100))
    visited = visit(
        in_one_wave(make_targets(9)), Scripted(), limits=Limits(1, 1), seconds=8, clock=lambda: next(moments)
    )
    assert 0 < len(visited.outcomes) < 9
    assert visited.why_ended == "the deadline is over"


def test_a_worker_that_dies_costs_its_target_and_no_other() -> None:
    executor = Scripted(raises={"t1": BrokenExecutor("killed")})
    visited = visit(in_one_wave(make_targets(3)), executor)
    assert [visited.outcomes[name].exit_code for name in ("t0", "t1", "t2")] == [0, 3, 0]
    problem = visited.outcomes["t1"].problem
    assert problem is not None
    assert problem["what"] == "the worker that had t1 died"


def test_an_executor_that_takes_no_work_any_more_ends_the_run() -> None:
    executor = Scripted()
    executor.submit = _refuse  # type: ignore[method-assign]
    assert "no worker takes work" in visit(in_one_wave(make_targets(3)), executor).why_ended


def _refuse(*_: Any, **__: Any) -> Any:
    raise BrokenExecutor("all are gone")


@pytest.mark.parametrize(
    ("interrupt", "said"),
    [(KeyboardInterrupt("SIGTERM"), "paused by SIGTERM"), (KeyboardInterrupt(), "paused by Ctrl-C")],
)
def test_the_first_signal_pauses_and_lets_what_is_under_way_come_to_its_end(
    interrupt: KeyboardInterrupt, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, asked = run.wait, iter((True, *[False] * 20))

    def interrupt_first(under_way: Any, **options: Any) -> Any:
        if next(asked):
            raise interrupt
        return wait(under_way, **options)

    monkeypatch.setattr(run, "wait", interrupt_first)
    visited = visit(in_one_wave(make_targets(9)), Scripted(), limits=Limits(3, 3))
    assert visited.why_ended == said
    assert list(visited.outcomes) == ["t0", "t1", "t2"]


def test_a_deadline_that_is_over_between_two_waves_ends_the_run() -> None:
    moments = iter((0, 1, 9, 9))  # at the beginning, before the first wave, before the second
    waves = arrange(make_targets(4), size="2")
    visited = visit(waves, Scripted(), seconds=5, clock=lambda: next(moments))
    assert list(visited.outcomes) == ["t0", "t1"]
    assert visited.why_ended == "the deadline is over"


def test_work_that_the_executor_gives_up_costs_its_target_alone() -> None:
    visited = visit(in_one_wave(make_targets(3)), Scripted(raises={"t1": CancelledError()}))
    assert [visited.outcomes[name].exit_code for name in ("t0", "t1", "t2")] == [0, 3, 0]
