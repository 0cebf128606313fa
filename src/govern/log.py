"""Log events of the library: through structlog where somebody has set it up, else through the standard logging.

structlog takes longer to import than most commands to run, and most log nothing: it is imported with the first event.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_set_up: list[Callable[[], None]] = []
_setting_up = threading.Lock()


def set_up_with_first_event(set_up: Callable[[], None]) -> None:
    """Calls ``set_up`` before the first event is logged: who runs the program decides where events go."""
    _set_up[:] = [set_up]


class Log:
    """A structlog logger, made when it is first used. Events are past-tense snake_case with keys."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **facts: object) -> None:
        self._write("debug", event, facts)

    def info(self, event: str, **facts: object) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        self._write("warning", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        import structlog

        with _setting_up:
            while _set_up:
                _set_up.pop()()
        if structlog.is_configured():
            getattr(structlog.get_logger(self._name), level)(event, **facts)
        else:  # in an application that uses another one structlog would print to stdout
            told = " ".join((event, *(f"{name}={value!r}" for name, value in facts.items())))
            getattr(logging.getLogger(self._name), level)("%s", told)
