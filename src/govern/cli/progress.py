"""The step that is going on, on a terminal: its sentence, and after two seconds how far, how fast, how long yet.

The only importer of rich. The line is gone in the end: the report says what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from govern.core.reached import Reached
from govern.core.wording import count_of, name_bytes, name_size
from govern.reports.style import Style

_SECONDS_UNTIL_TOLD = 2.0
_FRAMES_A_SECOND = 10.0


@contextmanager
def showing(style: Style, stream: TextIO) -> Iterator[Callable[[str], None]]:
    """Yields the function that tells one step; see ``Reached`` for those that are counted."""
    with prepare(style, stream) as drawn:
        yield Steps(drawn, style).tell


def prepare(
    style: Style, stream: TextIO, *, width: int | None = None, clock: Callable[[], float] | None = None
) -> Progress:
    """What draws the line on ``stream``, as soon as it is entered."""
    console = _Console(file=stream, no_color=not style.color, width=width)
    return Progress(
        _Spinner("dots" if style.unicode else "line", style="cyan"),
        _Sentence(),
        _Bar(bar_width=_bar_width(console), complete_style="cyan", finished_style="cyan"),
        _Measure(style),
        _Edge(),
        console=console,
        transient=True,
        redirect_stdout=False,  # it stays what it is: the report and nothing else
        refresh_per_second=_FRAMES_A_SECOND,
        get_time=clock,
    )


def _bar_width(console: Console) -> int:
    return 20 if console.width >= 100 else 8


class _Console(Console):
    """One that leaves the cursor alone: whoever stops or kills the command gets the terminal as it was."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002 - as rich calls it
        return False


class Steps:
    """One step at a time. A counted one that others came in between of goes on where it was."""

    def __init__(self, drawn: Progress, style: Style) -> None:
        self._drawn = drawn
        self._style = style
        self._shown: TaskID | None = None
        self._counted: tuple[TaskID, Reached] | None = None

    def tell(self, sentence: str) -> None:
        if isinstance(sentence, Reached):
            self._count(sentence)
        else:
            self._show(self._begin(sentence, None, ""))

    def _count(self, reached: Reached) -> None:
        task = self._find(reached)
        if task is None:
            self._forget_counted()
            task = self._begin(reached, reached.total, reached.unit)
        self._counted = (task, reached)
        if reached.total is None:
            self._drawn.tasks[
                self._drawn.task_ids.index(task)
            ].total = None  # an update would leave it as it was
        said = self._style.say(reached)
        self._drawn.update(task, completed=reached.done, total=reached.total, description=said)
        self._show(task)

    def _find(self, reached: Reached) -> TaskID | None:
        """The step that this goes on with."""
        if self._counted is None or not reached.done:
            return None
        task, last = self._counted
        is_same = last == reached or last.total == reached.total
        return task if is_same and last.unit == reached.unit else None

    def _forget_counted(self) -> None:
        if self._counted is not None and self._counted[0] != self._shown:
            self._drawn.remove_task(self._counted[0])
        self._counted = None

    def _begin(self, sentence: str, total: int | None, unit: str) -> TaskID:
        return self._drawn.add_task(self._style.say(sentence), total=total, visible=False, unit=unit)

    def _show(self, task: TaskID) -> None:
        last, self._shown = self._shown, task
        if last == task:
            return
        self._drawn.update(task, visible=True)
        if last is None:
            return
        if self._counted is not None and last == self._counted[0]:
            self._drawn.update(last, visible=False)
        else:
            self._drawn.remove_task(last)


class _Spinner(SpinnerColumn):
    """Also where all that is counted is done: the command still works."""

    def render(self, task: Task) -> RenderableType:
        return self.spinner.render(task.get_time())


class _Sentence(ProgressColumn):
    """Cut at the edge: two lines would leave one behind."""

    def render(self, task: Task) -> RenderableType:
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _Bar(BarColumn):
    def render(self, task: Task) -> RenderableType:  # type: ignore[override]  # nothing is drawn of what is over soon
        return super().render(task) if task.total and _is_told(task) else Text()


class _Measure(ProgressColumn):
    """``120 of 400 · 31/s · 9 s left``, or since when the step goes on."""

    def __init__(self, style: Style) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._style = style

    def render(self, task: Task) -> RenderableType:
        said = self._style.say(" · ".join(_measure(task))) if _is_told(task) else ""
        return Text(said, no_wrap=True, overflow="ellipsis")


class _Edge(ProgressColumn):
    """Room for the ^C that a terminal writes: the line would become two, and one of them stay."""

    def __init__(self) -> None:
        super().__init__(table_column=Column(width=2))

    def render(self, task: Task) -> RenderableType:  # noqa: ARG002 - always the same
        return Text()


def _is_told(task: Task) -> bool:
    return (task.elapsed or 0) >= _SECONDS_UNTIL_TOLD


def _measure(task: Task) -> Iterator[str]:
    unit: str = task.fields["unit"]
    if not unit:
        yield _clock(task.elapsed or 0)
        return
    yield _amount(round(task.completed), None if task.total is None else round(task.total), unit)
    if task.speed:
        yield f"{_rate(task.speed, unit)}/s"
    if task.time_remaining and not task.finished:
        yield f"{_clock(task.time_remaining)} left"
    else:
        yield _clock(task.elapsed or 0)


def _amount(done: int, total: int | None, unit: str) -> str:
    if unit == "bytes":
        return name_bytes(done) if total is None else f"{name_bytes(done)} of {name_bytes(total)}"
    return count_of(done, unit) if total is None else f"{done:,} of {total:,}"


def _rate(speed: float, unit: str) -> str:
    if unit == "bytes":
        return name_bytes(round(speed))
    return f"{speed:.2g}" if speed < 10 else name_size(round(speed))


def _clock(seconds: float) -> str:
    """``14 s``, ``3:05 min``, ``1:12 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
