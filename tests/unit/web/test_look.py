"""One look for all who ask: who waits for how long, what is remembered, and what ends."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from govern.web.look import Hanging, SharedLook


class Clock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """Something to look at, which answers with how often it was asked, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_end = threading.Event()

    def look(self) -> int:
        self.asked += 1
        number = self.asked
        self.may_end.wait(10)
        return number


@pytest.fixture
def slow() -> Iterator[Slow]:
    thing = Slow()
    yield thing
    thing.may_end.set()


def test_all_who_ask_at_once_share_one_look(slow: Slow) -> None:
    look = SharedLook(slow.look)
    with ThreadPoolExecutor(20) as askers:
        answers = [askers.submit(look.result) for _ in range(20)]
        slow.may_end.set()
        assert {answer.result() for answer in answers} == {1}
    assert slow.asked == 1


def test_what_was_seen_is_shown_for_a_second_and_no_longer(slow: Slow) -> None:
    slow.may_end.set()
    clock = Clock()
    look = SharedLook(slow.look, clock=clock)
    assert look.result() == 1
    clock.now += 0.69
    assert (look.result(), slow.asked) == (1, 1)
    clock.now += 0.32
    assert look.result() == 2


def test_who_asks_when_it_is_nearly_too_old_begins_the_next_look_and_need_not_wait(slow: Slow) -> None:
    slow.may_end.set()
    clock = Clock()
    look = SharedLook(slow.look, clock=clock, patience_seconds=0)
    assert _ask_until_answered(look) == 1
    slow.may_end.clear()
    clock.now += 0.99
    assert [look.result() for _ in range(5)] == [1] * 5
    assert slow.asked == 2
    clock.now += 0.02
    with pytest.raises(Hanging):
        look.result()  # what the first saw is too old to be shown while the second hangs


def test_nothing_is_begun_before_somebody_asks(slow: Slow) -> None:
    before = threading.active_count()
    SharedLook(slow.look)
    assert (slow.asked, threading.active_count()) == (0, before)


def test_who_waits_is_told_in_time_that_it_hangs_and_who_comes_later_at_once(slow: Slow) -> None:
    clock = Clock()
    look = SharedLook(slow.look, clock=clock, patience_seconds=0.1)
    with pytest.raises(Hanging):
        look.result()
    clock.now += 7
    began = time.monotonic()
    with pytest.raises(Hanging) as told:
        look.result()
    assert time.monotonic() - began < 0.09
    assert told.value.seconds == pytest.approx(7)
    assert slow.asked == 1


def test_a_look_that_comes_to_its_end_after_all_is_shown(slow: Slow) -> None:
    look = SharedLook(slow.look, patience_seconds=0.05)
    with pytest.raises(Hanging):
        look.result()
    slow.may_end.set()
    assert _ask_until_answered(look) == 1


def test_closing_waits_for_the_look_and_whoever_asks_later_begins_another(slow: Slow) -> None:
    clock = Clock()
    look = SharedLook(slow.look, clock=clock, patience_seconds=0.01)
    look.close()
    with pytest.raises(Hanging):
        look.result()
    threading.Timer(0.1, slow.may_end.set).start()
    look.close()
    assert look.result() == 1
    clock.now += 2
    assert look.result() == 2


def test_the_event_loop_goes_on_while_somebody_waits(slow: Slow) -> None:
    look = SharedLook(slow.look)

    async def wait_and_tick() -> tuple[int, int]:
        waiting = [asyncio.create_task(look.result_async()) for _ in range(50)]
        ticks = 0
        while ticks < 10:
            await asyncio.sleep(0.001)
            ticks += 1
        assert not any(task.done() for task in waiting)
        slow.may_end.set()
        answers = await asyncio.gather(*waiting)
        return sum(answers), ticks

    assert asyncio.run(wait_and_tick()) == (50, 10)
    assert slow.asked == 1


def test_one_who_stops_waiting_ends_it_for_nobody_else(slow: Slow) -> None:
    look = SharedLook(slow.look)

    async def leave_early() -> int:
        first, second = asyncio.create_task(look.result_async()), asyncio.create_task(look.result_async())
        await asyncio.sleep(0.01)
        first.cancel()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(leave_early()) == 1


def test_waiting_without_end_in_an_event_loop_is_told_in_time(slow: Slow) -> None:
    look = SharedLook(slow.look, patience_seconds=0.05)
    with pytest.raises(Hanging):
        asyncio.run(look.result_async())


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_begins_anew_whatever_its_parent_was_about(slow: Slow) -> None:
    look = SharedLook(slow.look, patience_seconds=0.05)
    with pytest.raises(Hanging):
        look.result()  # its thread is not there in the child
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            slow.may_end.set()
            os.write(writing, str(look.result()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"2"
    os.close(reading)
    os.close(writing)


def _ask_until_answered(look: SharedLook[int]) -> int:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            return look.result()
        except Hanging:
            time.sleep(0.01)
    raise AssertionError("it was never answered")
