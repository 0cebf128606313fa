"""Logs go to stderr, and are set up here alone: the library logs, the command line decides where to."""

from __future__ import annotations

import logging
import sys

from govern.log import set_up_with_first_event


def set_up_logs(*, verbose: bool, color: bool) -> None:
    """Warnings and worse; everything with ``verbose``."""
    set_up_with_first_event(lambda: _configure(verbose=verbose, color=color))


def _configure(*, verbose: bool, color: bool) -> None:
    import structlog

    level = logging.DEBUG if verbose else logging.WARNING
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=color, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
