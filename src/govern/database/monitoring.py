"""What a monitor asks of a database engine: a turn that one instance has at a time, and a place for what it keeps."""

from __future__ import annotations

from contextlib import AbstractContextManager

from govern.database.monitor_record import SECONDS, MonitorRecord, Turn
from govern.database.url import DatabaseUrl


def open_record(
    url: DatabaseUrl, *, read_only: bool, seconds: float = SECONDS
) -> AbstractContextManager[MonitorRecord]:
    """Opens it for as long as the context lasts. Raises Unreachable, also after ``seconds``, and NotPermitted."""
    if url.dialect == "sqlite":
        from govern.database.sqlite.monitoring import open_record as open_sqlite

        return open_sqlite(url, read_only=read_only, seconds=seconds)
    from govern.database.postgresql.monitoring import open_record as open_postgresql

    return open_postgresql(url, read_only=read_only, seconds=seconds)


def take_turn(url: DatabaseUrl, who: str) -> Turn | None:
    """The turn, for an instance called ``who``; None where another one has it.

    Raises Unreachable, NotPermitted, and Refused for a connection pool in transaction mode.
    """
    if url.dialect == "sqlite":
        from govern.database.sqlite.monitoring import take_turn as take_sqlite

        return take_sqlite(url)
    from govern.database.postgresql.monitoring import take_turn as take_postgresql

    return take_postgresql(url, who)


def is_turn_taken(url: DatabaseUrl) -> bool:
    """Whether some monitor is active. Raises Unreachable and NotPermitted."""
    if url.dialect == "sqlite":
        from govern.database.sqlite.monitoring import is_turn_taken as is_taken_sqlite

        return is_taken_sqlite(url)
    from govern.database.postgresql.monitoring import is_turn_taken as is_taken_postgresql

    return is_taken_postgresql(url)
