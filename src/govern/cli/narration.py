"""Tells on stderr what is going on, and never breaks it: a closed stderr is no reason to fail."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from govern.reports.style import Style

Narrate = Callable[[str], None]


@contextlib.contextmanager
def narration(*, quiet: bool, style: Style, stream: TextIO | None = None) -> Iterator[Narrate]:
    """Yields the function that tells one step: a spinner on a terminal, else a line; nothing if ``quiet``."""
    stream = stream or sys.stderr
    if quiet:
        yield say_nothing
    elif stream.isatty():
        with _spinner(style, stream) as narrate:
            yield narrate
    else:
        yield lambda sentence: write(f"{style.say(sentence)}\n", stream)


def write(text: str, stream: TextIO) -> None:
    """Writes and flushes; a stream nobody reads any more is not an error."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()


def say_nothing(sentence: str) -> None:
    """What ``--quiet`` asks for."""


@contextlib.contextmanager
def _spinner(style: Style, stream: TextIO) -> Iterator[Narrate]:
    """The current step beside a spinner that is gone in the end: the report says what was done."""
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    console = Console(file=stream, no_color=not style.color)
    spinner = Spinner("dots" if style.unicode else "line")
    # stdout stays what it is: the report and nothing else
    with Live(spinner, console=console, transient=True, redirect_stdout=False, refresh_per_second=12):
        yield lambda sentence: spinner.update(text=Text(style.say(sentence)))
