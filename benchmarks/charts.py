"""Two kinds of charts as SVG, in light and in dark: seconds over sizes, both logarithmic, and bars of anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 64, 240, 44, 36
HEIGHT = 340
BAR = 26
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #1f2937 } .title { font-size: 14px; font-weight: 600 }
.case { font-weight: 600 }
.axis { stroke: #d1d5db } .ours { stroke: #0f766e; fill: #0f766e } .peer { stroke: #9ca3af; fill: #9ca3af }
polyline { fill: none !important; stroke-width: 2 } polyline.ours { stroke-width: 3 }
text.ours { stroke: none; font-weight: 600 }
text.peer { stroke: none; fill: #4b5563 }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } text.peer { fill: #9ca3af } .axis { stroke: #374151 }
  .ours { stroke: #2dd4bf; fill: #2dd4bf } .peer { stroke: #6b7280; fill: #6b7280 }
}
</style>"""


class Series(NamedTuple):
    """What one program took, or reached."""

    name: str
    points: Sequence[tuple[int, float]]
    """Sizes and values."""
    is_ours: bool


def draw_curves(title: str, series: Sequence[Series]) -> str:
    """Names stand at the ends of the lines, each on a line of its own."""
    sizes = sorted({size for one in series for size, _ in one.points})
    seconds = [value for one in series for _, value in one.points]
    low, high = 10 ** math.floor(math.log10(min(seconds))), 10 ** math.ceil(math.log10(max(seconds)))
    x = _scale(sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)
    y = _scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [*_grid(sizes, low, high, x, y)]
    ends = _spread({one.name: y(one.points[-1][1]) for one in series})
    for one in sorted(series, key=lambda one: one.is_ours):
        kind = "ours" if one.is_ours else "peer"
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in one.points)
        parts.append(f'<polyline class="{kind}" points="{path}"/>')
        parts += [
            f'<circle class="{kind}" cx="{x(size):.1f}" cy="{y(value):.1f}" r="3"/>'
            for size, value in one.points
        ]
        parts.append(
            f'<text class="{kind}" x="{WIDTH - RIGHT + 12}" y="{ends[one.name] + 4:.1f}">{escape(one.name)}</text>'
        )
    return _document(title, HEIGHT, parts)


def draw_bars(
    title: str,
    cases: Mapping[str, Sequence[Series]],
    show: Callable[[float], str],
    *,
    longest: float | None = None,
) -> str:
    """Case by case; a program's name on the left, its value at the bar's end.

    ``longest``: the value that takes all of the width, else each case has a scale of its own.
    """
    names = 290
    parts, top = [], TOP
    for case, series in cases.items():
        parts.append(f'<text class="case" x="12" y="{top + 14}">{escape(case)}</text>')
        top += BAR
        whole = longest or max(value for one in series for _, value in one.points) or 1.0
        for one in series:
            kind, value = "ours" if one.is_ours else "peer", one.points[0][1]
            width = max(1.0, (WIDTH - names - 80) * value / whole)
            parts += [
                f'<text class="{kind}" x="{names - 8}" y="{top + 14}" text-anchor="end">'
                f"{escape(_cut(one.name))}</text>",
                f'<rect class="{kind}" x="{names}" y="{top + 2}" width="{width:.1f}" height="16" rx="2"/>',
                f'<text x="{names + width + 6:.1f}" y="{top + 14}">{show(value)}</text>',
            ]
            top += BAR
        top += BAR // 2
    return _document(title, top, parts)


def show_seconds(value: float) -> str:
    return f"{show_digits(value)} s" if value >= 0.1 else f"{show_digits(value * 1000)} ms"


def show_digits(value: float) -> str:
    """Three that count, never as a power of ten."""
    decimals = max(0, 2 - math.floor(math.log10(value))) if value else 0
    return f"{float(f'{value:.3g}'):,.{decimals}f}"


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Logarithmic, from ``low`` at ``start`` to ``high`` at ``end``."""
    span = math.log(high / low) or 1.0
    return lambda value: start + (end - start) * math.log(value / low) / span


def _grid(
    sizes: Sequence[int], low: float, high: float, x: Callable[[float], float], y: Callable[[float], float]
) -> Iterator[str]:
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        value = 10.0**power
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g} s</text>'
    for size in sizes:
        yield f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,}</text>'


def _spread(places: dict[str, float], least: float = 16) -> dict[str, float]:
    """The same places, none nearer to the one above than a line of text is high."""
    found: dict[str, float] = {}
    before = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        before = max(place, before + least)
        found[name] = before
    return found


def _cut(name: str, longest: int = 44) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _document(title: str, height: int, parts: Sequence[str]) -> str:
    named = escape(title)
    size = f'viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{named}">'
    return "\n".join((head, STYLE, f'<text class="title" x="12" y="22">{named}</text>', *parts, "</svg>\n"))
