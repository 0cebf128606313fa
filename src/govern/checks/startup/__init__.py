"""Is this database the one this application was written for? Decided by schema, not by the version row alone.

Reads only, waits for no lock, needs neither Alembic nor a scratch database: what the last validated migration wrote
into the ledger is compared with what the application brings along (``schema.lock``, or the revision files).
``expectation`` decides by a glance; where that does not suffice, ``closer`` says what is wrong.
"""

from __future__ import annotations

from govern.checks.startup.closer import check_rows, check_startup, find_unhealthy_run
from govern.checks.startup.expectation import Expectation, WhenAhead, is_as_validated
from govern.checks.startup.rules import RULES

__all__ = [
    "RULES",
    "Expectation",
    "WhenAhead",
    "check_rows",
    "check_startup",
    "find_unhealthy_run",
    "is_as_validated",
]
