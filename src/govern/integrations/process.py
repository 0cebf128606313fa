"""A process that ends where its database is not the right one: for whatever has no start-up protocol of its own."""

from __future__ import annotations

import sys
from typing import Unpack

from govern.core.report import EXIT_REFUSED, Report
from govern.errors import GovernError
from govern.integrations.options import StartupOptions
from govern.integrations.validation import validate
from govern.startup import HasUrl


def validate_or_exit(engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]) -> Report:
    """``validate_on_startup`` for the main program: instead of a traceback, its four sentences on stderr.

    Raises SystemExit with code 4, whatever the reason: it passes where servers and signals catch exceptions, and
    gunicorn's master stops for it, where it would start a worker that ended otherwise again and again
    (``APP_LOAD_ERROR`` in gunicorn/arbiter.py). The error is its ``__cause__``.
    """
    try:
        return validate(engine_or_url, **options)
    except GovernError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.flush()
        raise SystemExit(EXIT_REFUSED) from error
