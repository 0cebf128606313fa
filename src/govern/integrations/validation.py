"""Validation as part of a server's start: nobody sees what it returns, and processes are forked after it."""

from __future__ import annotations

import logging
from typing import Any, Unpack

from govern.core.report import Report
from govern.integrations.options import StartupOptions
from govern.startup import HasUrl, validate_on_startup


def validate(engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]) -> Report:
    """``validate_on_startup``; what it found and did not refuse for is in the application's log.

    Raises SchemaRefused and ConfigurationError.
    """
    report = validate_on_startup(engine_or_url, **options)
    _empty_pool(engine_or_url)
    if options.get("on_invalid") != "warn":  # which logs by itself
        for finding in report.findings:
            logging.getLogger("govern").warning("%s: %s", finding.rule.id, finding.message)
    return report


def _empty_pool(engine_or_url: Any) -> None:
    """Processes that share a connection read each other's answers
    (SQLAlchemy, Using Connection Pools with Multiprocessing)."""
    if getattr(getattr(engine_or_url, "dialect", None), "is_async", True):
        return  # a URL, or an engine of which only the URL is used
    engine_or_url.dispose()
