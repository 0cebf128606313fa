"""The small signs of a picture, as paths of SVG."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.diagram import TableState
from govern.reports.diagram.placing import Point

STATE_SIGNS: Mapping[TableState, str] = {
    "healthy": "M-5 0 L-1.5 4 L5 -4",
    "warning": "M0 -5.5 L6 5 L-6 5 Z M0 -1.5 V1.5",
    "critical": "M-2.5 -6 H2.5 L6 -2.5 V2.5 L2.5 6 H-2.5 L-6 2.5 V-2.5 Z M0 -3 V0.8 M0 3.2 V3.3",
    "missing": "M-5 -5 L5 5 M5 -5 L-5 5",
}
STAR = "M0 -6 L1.8 -1.9 L6 -1.7 L2.8 1.1 L3.8 5.4 L0 3.1 L-3.8 5.4 L-2.8 1.1 L-6 -1.7 L-1.8 -1.9 Z"
KEY = "M-5 0 a2.6 2.6 0 1 0 5.2 0 a2.6 2.6 0 1 0 -5.2 0 M0.2 0 H6 V2.5 M3.4 0 V2"


def draw_foot(at: Point, side: int, *, is_single: bool) -> str:
    """Many: three toes. One at most: a bar. ``side``: 1 right of the box, -1 left of it."""
    x, y = at
    if is_single:
        return draw_bar(at, side)
    return f"M{x:.1f} {y - 5:.1f} L{x + side * 10:.1f} {y:.1f} L{x:.1f} {y + 5:.1f}"


def draw_bar(at: Point, side: int) -> str:
    """One row."""
    return f"M{at[0] + side * 7:.1f} {at[1] - 5:.1f} v10"


def draw_arrow(at: Point, side: int) -> str:
    """What comes from there."""
    x, y = at
    return f"M{x + side * 8:.1f} {y - 4.5:.1f} L{x:.1f} {y:.1f} L{x + side * 8:.1f} {y + 4.5:.1f}"
