"""What the session that migrates is given before its first statement: how long it may wait, work and be alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.dialect import Limits

# a parameter that this major version has not is left out; set_config, for SET would need one statement each
_SET = """
SELECT count(pg_catalog.set_config(s.name, v.value, false))
FROM (VALUES {values}) AS v (name, value) JOIN pg_catalog.pg_settings s ON s.name = v.name
"""

_WATCH_CLIENT = (
    ("tcp_keepalives_idle", "5"),  # seconds; no effect on a Unix socket
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),  # milliseconds
)
"""A server notices a network that swallows everything after 11 seconds instead of two hours, and frees the locks."""

# without it the last statement of a killed client runs to its end, with its locks (since 14, where poll() can tell)
CHECK_CLIENT = """
SELECT count(pg_catalog.set_config(name, '1s', false)) FROM pg_catalog.pg_settings
WHERE name = 'client_connection_check_interval' AND pg_catalog.version() ~ 'linux'
"""


def session_queries(limits: Limits) -> tuple[str, ...]:
    """One SELECT without parameters each, to be committed: they set what lasts as long as the session."""
    values = [
        *_WATCH_CLIENT,
        *_milliseconds("lock_timeout", limits.lock_timeout_seconds),
        *_milliseconds("statement_timeout", limits.statement_timeout_seconds),
    ]
    return (
        _SET.format(values=", ".join(f"('{name}', '{value}')" for name, value in values)).strip(),
        CHECK_CLIENT.strip(),
    )


def _milliseconds(name: str, seconds: float) -> tuple[tuple[str, str], ...]:
    """The parameter, at least 1 ms: 0 would mean for ever. Nothing where the server's own value is to stay."""
    return ((name, str(max(1, round(seconds * 1000)))),) if seconds > 0 else ()
