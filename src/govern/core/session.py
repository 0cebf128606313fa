"""What else goes on at a server while a migration is prepared: open transactions, replicas that follow."""

from __future__ import annotations

from dataclasses import dataclass

from govern.core.wording import name_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """A transaction of somebody else that has not ended. Never with the text of a query."""

    pid: int | None
    """None: it is prepared, and belongs to no session."""
    identifier: str | None = None
    """Of a prepared transaction, as COMMIT PREPARED takes it."""
    user: str | None = None
    application: str | None = None
    state: str | None = None
    """``idle in transaction``; None where the role may not see it."""
    seconds: float | None = None
    """Since it began; None where the role may not see it."""
    holds: tuple[str, ...] = ()
    """What it holds locks on: ``public.users``."""

    @property
    def name(self) -> str:
        return f"pid {self.pid}" if self.pid is not None else f"prepared transaction {self.identifier!r}"

    @property
    def described(self) -> str:
        """``pid 4123 (psql of app), idle in transaction, open for 12 s``."""
        who = " of ".join(part for part in (self.application, self.user) if part)
        age = f"open for {name_seconds(self.seconds)}" if self.seconds is not None else None
        return ", ".join(
            part for part in (f"{self.name} ({who})" if who else self.name, self.state, age) if part
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A server that replays what the primary writes."""

    name: str
    lag_seconds: float | None
    """As it was last measured; None where nothing is left to replay."""
    lag_bytes: int
    """Written by the primary and not replayed yet."""
