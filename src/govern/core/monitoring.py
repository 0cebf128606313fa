"""What a monitor keeps: what people want of it, how it stands, and what was done. Documents, as the ledger's runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from govern.core.fixing import Attempt, Outcome

WantedState = Literal["running", "stopped"]
RequestKind = Literal["check", "fix", "rollback"]
Health = Literal["healthy", "degraded", "critical", "unknown"]
EventKind = Literal[
    "start",
    "stop",
    "check",
    "fix",
    "rollback",
    "fixing",
    "fixed",
    "fix-failed",
    "would-fix",
    "rolling-back",
    "rolled-back",
    "rollback-failed",
    "paged",
    "notification-failed",
]
"""The first five are what people asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whether the monitor is to work, and who said so."""

    state: WantedState = "running"
    by: str | None = None
    at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {"state": self.state, "by": self.by, "at": _write(self.at)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Wanted:
        return cls(state=value["state"], by=value["by"], at=_read(value["at"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks the active monitor to do."""

    id: str
    kind: RequestKind
    actor: str
    at: datetime
    issue: str | None = None
    """The key of the one to fix."""
    run: str | None = None
    """The ledger's run that is to be rolled back."""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "actor": self.actor,
            "at": _write(self.at),
            "issue": self.issue,
            "run": self.run,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Request:
        return cls(**{**value, "at": datetime.fromisoformat(value["at"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """How one check of the last pass ended."""

    name: str
    status: str
    """As an entry's."""
    findings: int
    seconds: float
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "findings": self.findings,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStatus:
    """How the monitor stood after its last pass."""

    instance: str
    """``host:pid``."""
    health: Health = "unknown"
    """Of the database: ``degraded`` also where the monitor cannot write down what it sees."""
    trouble: str = ""
    """What keeps the monitor from doing all that it should."""
    last_check: datetime | None = None
    next_check: datetime | None = None
    seconds: float = 0.0
    passes: int = 0
    """Of this instance."""
    total_fixes: int = 0
    is_broken: bool = False
    """Whether two fixes have failed, and none is tried until a person starts the monitor again."""
    checks: tuple[CheckStatus, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "instance": self.instance,
            "health": self.health,
            "trouble": self.trouble,
            "last_check": _write(self.last_check),
            "next_check": _write(self.next_check),
            "seconds": round(self.seconds, 3),
            "passes": self.passes,
            "total_fixes": self.total_fixes,
            "breaker_open": self.is_broken,
            "checks": [check.to_json() for check in self.checks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MonitorStatus:
        facts = {name: value[name] for name in ("instance", "health", "trouble", "seconds", "passes")}
        return cls(
            **facts,
            last_check=_read(value["last_check"]),
            next_check=_read(value["next_check"]),
            total_fixes=value["total_fixes"],
            is_broken=value["breaker_open"],
            checks=tuple(CheckStatus(**check) for check in value["checks"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was asked for or done; never changed, only followed by another one."""

    id: str
    kind: EventKind
    actor: str
    """A person as the API knows them, ``user@host``, or ``monitor``."""
    at: datetime
    issue: str | None = None
    subject: str | None = None
    """What the issue is about."""
    fix: str | None = None
    """The kind of fix."""
    attempt: str | None = None
    """The id of the event ``fixing`` that this one is the end of."""
    run: str | None = None
    """The ledger's run that did it."""
    backup: str | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "actor": self.actor,
            "at": _write(self.at),
            "issue": self.issue,
            "subject": self.subject,
            "fix": self.fix,
            "attempt": self.attempt,
            "run": self.run,
            "backup": self.backup,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Event:
        return cls(**{**value, "at": datetime.fromisoformat(value["at"])})


_ENDS: Mapping[str, Outcome] = {"fixed": "fixed", "fix-failed": "failed"}


def read_attempts(events: tuple[Event, ...], ticks: Mapping[str, float]) -> tuple[Attempt, ...]:
    """What was tried, the oldest first. ``events``: the newest first.

    ``ticks``: when this process tried, by the attempt's id and the clock that is never set.
    """
    attempts: dict[str, Attempt] = {}
    by_run: dict[str, str] = {}
    for event in reversed(events):
        if event.kind == "start":
            attempts = {key: _forgive(one) for key, one in attempts.items()}
        elif event.kind in ("fixing", "would-fix") and event.issue and event.fix:
            attempts[event.id] = Attempt(
                key=event.issue,
                fix=event.fix,
                at=event.at,
                monotonic=ticks.get(event.id),
                is_dry=event.kind == "would-fix",
            )
        elif event.attempt in attempts:
            attempts[event.attempt] = replace(attempts[event.attempt], outcome=_ENDS[event.kind])
            by_run |= {event.run: event.attempt} if event.run else {}
        elif event.kind == "rolled-back" and event.run in by_run:
            taken_back = by_run[event.run]
            attempts[taken_back] = replace(attempts[taken_back], outcome="taken-back")
    return tuple(attempts.values())


def refuse_rollback(event: Event, events: Iterable[Event]) -> str | None:
    """Why what the event tells of cannot be rolled back; None where it can be tried. ``events``: all that are known."""
    if event.kind not in ("fixed", "fix-failed", "rollback-failed") or event.run is None:
        return "only what was fixed, by a run of the ledger, can be rolled back"
    if any(other.kind == "rolled-back" and other.run == event.run for other in events):
        return "it was rolled back already"
    return None


def _forgive(attempt: Attempt) -> Attempt:
    is_over = attempt.outcome in ("failed", "taken-back")
    return replace(attempt, outcome="forgiven") if is_over else attempt


def _write(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
