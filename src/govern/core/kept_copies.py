"""What repairs keep for their way back, how old it is, and what of it may go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from govern.core.row_repair import Undoable
from govern.core.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one run keeps in the database."""

    undoable: Undoable
    rows: int
    """Copied ones, each with its state before, and after where it was changed."""
    bytes: int

    def age(self, now: datetime) -> timedelta:
        return now - self.undoable.made_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Whether what a run keeps stays."""

    kept: Kept
    stays: bool
    why: str


def decide(kept: Kept, *, older_than: timedelta | None, named: Collection[str], now: datetime) -> Fate:
    """What is named goes, whatever it is. What broke off stays: a person has to say that nobody goes on with it."""
    undoable = kept.undoable
    if undoable.run in named:
        return Fate(kept=kept, stays=False, why="it was named")
    if older_than is None:
        return Fate(kept=kept, stays=True, why="it was not named")
    if not undoable.is_finished:
        return Fate(
            kept=kept,
            stays=True,
            why=f"it {undoable.state}: finish it or roll it back, or name it to remove what it keeps",
        )
    days = count_of(older_than.days, "day") if older_than.days else f"{older_than.seconds // 60} minutes"
    if kept.age(now) < older_than:
        return Fate(kept=kept, stays=True, why=f"younger than {days}")
    return Fate(kept=kept, stays=False, why=f"older than {days}")
