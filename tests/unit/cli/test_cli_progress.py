"""The line that is drawn over again on a terminal, and the lines of a log: as people see them."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from govern.cli.narration import narration
from govern.cli.progress import Steps, prepare
from govern.core.reached import Counter, Reached, counted
from govern.reports.style import Style


class Screen:
    """What a terminal shows of sentences that come a second apart."""

    def __init__(self, *, width: int = 100) -> None:
        self.now = 0.0
        self._width = width
        style = Style(width=width)
        self._drawn = prepare(style, io.StringIO(), width=width, clock=lambda: self.now)
        self._steps = Steps(self._drawn, style)

    def after(self, *sentences: str) -> str:
        for sentence in sentences:
            self._steps.tell(sentence)
            self.now += 1
        console = Console(width=self._width, color_system=None, file=io.StringIO())
        console.print(self._drawn.get_renderable())
        assert isinstance(console.file, io.StringIO)
        [line] = console.file.getvalue().splitlines()
        return line[2:].rstrip()  # without what turns


def reach(*done: int, total: int | None = 400, unit: str = "revision", said: str = "replaying") -> list[str]:
    return [Reached(said, done=one, total=total, unit=unit) for one in done]


def test_what_is_over_soon_has_no_numbers() -> None:
    assert Screen().after("looking") == "looking"
    assert Screen().after(*reach(0)) == "replaying"


def test_what_cannot_be_counted_says_how_long_it_has_been_going_on() -> None:
    screen = Screen()
    screen.after("looking")
    screen.now = 75.0
    assert screen.after() == "looking  1:15 min"


def test_what_is_counted_says_how_far_how_fast_and_how_long_yet() -> None:
    line = Screen().after(*reach(0, 10, 20, 30, 40))
    assert line.startswith("replaying ━")
    assert line.endswith("40 of 400 · 10/s · 36 s left")


def test_bytes_are_told_as_bytes() -> None:
    line = Screen().after(*reach(0, 10**6, 2 * 10**6, 3 * 10**6, total=5 * 10**6, unit="bytes"))
    assert line.endswith("3.0 MB of 5.0 MB · 1.0 MB/s · 2 s left")


def test_without_an_end_in_sight_the_amount_and_the_rate_are_told() -> None:
    assert Screen().after(*reach(0, 10, 20, 30, total=None)) == "replaying  30 revisions · 10/s · 4 s"


def test_more_than_was_expected_is_no_end() -> None:
    line = Screen().after(*reach(0, 300, 400), *reach(500, total=None))
    assert "500 revisions · " in line
    assert "left" not in line


def test_a_step_that_others_came_in_between_of_goes_on_where_it_was() -> None:
    screen = Screen()
    screen.after(*reach(0, 10, 20))
    assert screen.after("building an index, 34 %") == "building an index, 34 %"
    assert screen.after(*reach(30, 40, said="applied r40")).endswith("40 of 400 · 7.5/s · 48 s left")


def test_a_new_count_begins_anew() -> None:
    screen = Screen()
    screen.after(*reach(0, 200, 400))
    assert screen.after(*reach(0, total=7, said="rehearsing")) == "rehearsing"


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_shows_the_numbers_in_one_line(width: int) -> None:
    said = "restoring the backup into a scratch database, 2,700,000 rows of 332.9 MB of tables"
    line = Screen(width=width).after(*reach(0, 10, 20, 30, said=said))
    assert line.endswith("30 of 400 · 10/s · 37 s left")
    assert len(line) <= width - 4


def test_a_log_has_each_sentence_once() -> None:
    log = io.StringIO()
    with narration(quiet=False, style=Style(), stream=log) as narrate:
        counter = Counter(narrate, "replaying", total=3, unit="revision")
        for _ in counted(range(3), narrate, "comparing", unit="table"):
            pass
        counter.add(sentence="applied r1")
        counter.add(sentence="applied r2")
    assert log.getvalue() == "replaying\ncomparing\napplied r1\napplied r2\n"
