"""What a child of the monitor is told to do. In a module of its own: the child's is another one to itself."""

from __future__ import annotations

from dataclasses import dataclass

from govern.core.issue import Issue
from govern.monitor.checks import Seen


@dataclass(frozen=True, slots=True)
class Look:
    """To run a check."""

    check: str
    known: Seen | None = None
    """What it has learned before, which may still stand."""


@dataclass(frozen=True, slots=True)
class Repair:
    """To fix an issue, unless that touches more rows."""

    issue: Issue
    most_rows: int | None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """To roll a run back."""

    run: str


@dataclass(frozen=True, slots=True)
class Ask:
    """To ask the running application: an answer for each sequence, and then ``Asked``."""

    sequences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """There is nothing more to be told of an ``Ask``."""


Task = Look | Repair | TakeBack | Ask
