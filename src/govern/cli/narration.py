"""Tells on stderr what is going on, and never breaks it: a closed stderr is no reason to fail."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from govern.config import wants_animation
from govern.reports.style import Style

Narrate = Callable[[str], None]


@contextlib.contextmanager
def narration(*, quiet: bool, style: Style, stream: TextIO | None = None) -> Iterator[Narrate]:
    """Yields the function that tells one step: on a terminal in a line of its own; nothing if ``quiet``."""
    stream = stream or sys.stderr
    if quiet:
        yield say_nothing
    elif stream.isatty() and wants_animation():
        from govern.cli.progress import showing

        with showing(style, stream) as narrate:
            yield narrate
    else:
        yield _write_lines(style, stream)


def write(text: str, stream: TextIO) -> None:
    """Writes and flushes; a stream nobody reads any more is not an error."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()


def say_nothing(sentence: str) -> None:
    """What ``--quiet`` asks for."""


def _write_lines(style: Style, stream: TextIO) -> Narrate:
    """Each sentence once, however often it comes with other numbers: a log is no place to count in."""
    told = ""

    def narrate(sentence: str) -> None:
        nonlocal told
        if sentence != told:
            told = str(sentence)
            write(f"{style.say(sentence)}\n", stream)

    return narrate
