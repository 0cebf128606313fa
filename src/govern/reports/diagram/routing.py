"""Which line goes up and down where between two columns: side by side, in an order that lets few of them cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

TRACK = 10.0
"""Between two lines that run side by side."""
STUB = 24.0
"""What a line runs straight before and after: room for the sign at its end."""
_APART = 4.0
_MOST_ROUNDS = 30


class Segment(NamedTuple):
    """A line between two columns: the height at which it comes in, and those at which it goes out."""

    net: int
    start: float
    ends: tuple[float, ...]

    @property
    def top(self) -> float:
        return min(self.start, *self.ends)

    @property
    def bottom(self) -> float:
        return max(self.start, *self.ends)

    @property
    def is_straight(self) -> bool:
        return self.bottom - self.top < 0.5


def assign_tracks(segments: Sequence[Segment]) -> dict[Segment, int]:
    """The track of each line that is not straight, counted from the left."""
    order = _order([segment for segment in segments if not segment.is_straight])
    tracks: dict[Segment, int] = {}
    for segment in order:
        tracks[segment] = 1 + max(
            (track for other, track in tracks.items() if _are_near(segment, other)), default=-1
        )
    return tracks


def _order(segments: list[Segment]) -> list[Segment]:
    """Neighbours change places for as long as that saves crossings."""
    order = sorted(segments, key=lambda segment: (segment.start, segment.net))
    for _ in range(_MOST_ROUNDS):
        has_changed = False
        for at in range(len(order) - 1):
            one, other = order[at], order[at + 1]
            if _count_crossings(other, one) < _count_crossings(one, other):
                order[at], order[at + 1] = other, one
                has_changed = True
        if not has_changed:
            break
    return order


def _count_crossings(left: Segment, right: Segment) -> int:
    """What leaves the left one crosses the right one, and what comes to the right one crosses the left one."""
    leaving = sum(1 for end in left.ends if right.top < end < right.bottom)
    return leaving + (left.top < right.start < left.bottom)


def _are_near(one: Segment, other: Segment) -> bool:
    return one.top < other.bottom + _APART and other.top < one.bottom + _APART
