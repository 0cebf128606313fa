"""A picture as SVG: classes and no styles, so that it may stand in a page with a strict Content-Security-Policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from govern.core.diagram import Diagram, DrawnTable, TableState
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of
from govern.reports.diagram.box import HEADER, PADDING, ROW, Box, Row
from govern.reports.diagram.packing import Frame, Picture, compose
from govern.reports.diagram.placing import Line, PlacedBox, Point
from govern.reports.diagram.style import STYLE

Href = Callable[[Place], str]
_MARGIN = 16
_BEND = 6.0
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write."""

STATE_WORDS: Mapping[TableState, str] = {
    "unknown": "not looked at",
    "healthy": "healthy",
    "warning": "has warnings",
    "critical": "critical",
    "missing": "missing",
}
STATE_SIGNS: Mapping[TableState, str] = {
    "healthy": "M-5 0 L-1.5 4 L5 -4",
    "warning": "M0 -5.5 L6 5 L-6 5 Z M0 -1.5 V1.5",
    "critical": "M-2.5 -6 H2.5 L6 -2.5 V2.5 L2.5 6 H-2.5 L-6 2.5 V-2.5 Z M0 -3 V0.8 M0 3.2 V3.3",
    "missing": "M-5 -5 L5 5 M5 -5 L-5 5",
}
_STAR = "M0 -6 L1.8 -1.9 L6 -1.7 L2.8 1.1 L3.8 5.4 L0 3.1 L-3.8 5.4 L-2.8 1.1 L-6 -1.7 L-1.8 -1.9 Z"
_KEY = "M-5 0 a2.6 2.6 0 1 0 5.2 0 a2.6 2.6 0 1 0 -5.2 0 M0.2 0 H6 V2.5 M3.4 0 V2"


def render_svg(
    diagram: Diagram,
    *,
    title: str,
    href: Href | None = None,
    notes: Mapping[Place, str] | None = None,
    is_alone: bool = False,
) -> str:
    """The diagram as one ``svg`` element.

    ``href``: where a table's link leads. ``notes``: what a reader is told of a table besides how it is: ``2 issues``.
    ``is_alone``: as a file of its own, which has its style inside; else a page brings ``STYLE``.
    """
    picture = compose(diagram)
    width = round(picture.drawing.width) + 2 * _MARGIN
    height = round(picture.drawing.height) + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" role="group" aria-label={_attribute(title)}>',
        f"<title>{_text(title)}</title>",
        f"<desc>{_text(_describe(diagram))}</desc>",
        f"<style>{STYLE}</style>" if is_alone else "",
        *_draw_all(picture, href, notes or {}),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _draw_all(picture: Picture, href: Href | None, notes: Mapping[Place, str]) -> Iterator[str]:
    for frame in picture.frames:
        yield _draw_frame(frame)
    yield '<g aria-hidden="true">'
    for line in picture.drawing.lines:
        yield _draw_line(line)
    yield "</g>"
    for placed in picture.drawing.boxes:
        yield _draw_table(placed, href, notes.get(placed.box.table.place, ""))


def _draw_frame(frame: Frame) -> str:
    return (
        f'<g class="frame"><rect x="{frame.x:.0f}" y="{frame.y:.0f}" width="{frame.width:.0f}" '
        f'height="{frame.height:.0f}" rx="8"/>'
        f'<text x="{frame.x + PADDING:.0f}" y="{frame.y + HEADER / 2:.0f}">{_text(frame.title)}</text></g>'
    )


def _draw_table(placed: PlacedBox, href: Href | None, note: str) -> str:
    table = placed.box.table
    classes = f"table {table.state}" + (" is-critical" if table.is_critical else "")
    label = _describe_table(table, note)
    opening = f'<g class="{classes}" transform="translate({placed.x:.1f} {placed.y:.1f})"'
    inside = "".join(_draw_box(placed.box))
    if href is None:
        return (
            f'{opening} role="img" aria-label={_attribute(label)}><title>{_text(label)}</title>{inside}</g>'
        )
    target = _attribute(href(table.place))
    return f"{opening}><a href={target} aria-label={_attribute(label)}><title>{_text(label)}</title>{inside}</a></g>"


def _draw_box(box: Box) -> Iterator[str]:
    width, height = f"{box.width:.1f}", f"{box.height:.1f}"
    yield f'<rect class="sheet" width="{width}" height="{height}" rx="6"/>'
    yield (
        f'<path class="top" d="M1 {HEADER} V7 a6 6 0 0 1 6 -6 H{box.width - 7:.1f} a6 6 0 0 1 6 6 V{HEADER} Z"/>'
    )
    left, middle = PADDING, HEADER / 2
    if box.table.is_critical:
        yield f'<path class="star" transform="translate({left + 4} {middle})" d="{_STAR}"/>'
        left += 16
    yield f'<text class="name" x="{left}" y="{middle}">{_text(box.name)}</text>'
    if sign := STATE_SIGNS.get(box.table.state):
        yield (
            f'<path class="badge state" transform="translate({box.width - PADDING - 5:.1f} {middle})" d="{sign}"/>'
        )
    for row in box.rows:
        yield from _draw_row(row, box.width)
    if box.footer:
        y = box.height - 4 - ROW / 2
        yield f'<text class="footer" x="{PADDING + 18}" y="{y:.1f}">{_text(box.footer)}</text>'


def _draw_row(row: Row, width: float) -> Iterator[str]:
    if row.is_primary:
        yield f'<path class="key" transform="translate({PADDING + 5} {row.middle})" d="{_KEY}"/>'
    yield f'<text x="{PADDING + 18}" y="{row.middle}">{_text(row.name)}</text>'
    yield f'<text class="says ends" x="{width - PADDING:.1f}" y="{row.middle}">{_text(row.says)}</text>'


def _draw_line(line: Line) -> str:
    course = _round_off(line.corners)
    first, last = line.corners[0], line.corners[-1]
    child, parent = (first, last) if line.refers_first else (last, first)
    is_child_left = line.refers_first and line.link.reference.child != line.link.reference.parent
    foot = _draw_foot(child, 1 if is_child_left else -1, is_single=line.link.is_single)
    bar = _draw_bar(parent, -1 if line.refers_first else 1)
    classes = "link implied" if line.link.is_implied else "link"
    return (
        f'<g class="{classes}"><title>{_text(_say_link(line))}</title>'
        f'<path class="reach" d="{course}"/><path class="course" d="{course}"/>'
        f'<path class="end" d="{foot} {bar}"/></g>'
    )


def _round_off(corners: tuple[Point, ...]) -> str:
    """The line with its corners bent a little."""
    path = [f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"]
    for at in range(1, len(corners) - 1):
        before, corner, after = corners[at - 1], corners[at], corners[at + 1]
        bend = min(_BEND, _distance(before, corner) / 2, _distance(corner, after) / 2)
        start, end = _towards(corner, before, bend), _towards(corner, after, bend)
        path.append(
            f"L{start[0]:.1f} {start[1]:.1f} Q{corner[0]:.1f} {corner[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
        )
    path.append(f"L{corners[-1][0]:.1f} {corners[-1][1]:.1f}")
    return " ".join(path)


def _draw_foot(at: Point, side: int, *, is_single: bool) -> str:
    """Many: three toes. One at most: a bar. ``side``: 1 right of the box, -1 left of it."""
    x, y = at
    if is_single:
        return f"M{x + side * 7:.1f} {y - 5:.1f} v10"
    return f"M{x:.1f} {y - 5:.1f} L{x + side * 10:.1f} {y:.1f} L{x:.1f} {y + 5:.1f}"


def _draw_bar(at: Point, side: int) -> str:
    return f"M{at[0] + side * 7:.1f} {at[1] - 5:.1f} v10"


def _distance(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, end: Point, far: float) -> Point:
    whole = _distance(start, end) or 1.0
    return (
        start[0] + (end[0] - start[0]) * far / whole,
        start[1] + (end[1] - start[1]) * far / whole,
    )


def _describe_table(table: DrawnTable, note: str = "") -> str:
    """``users, critical table: has warnings, 2 issues``."""
    kind = "critical table" if table.is_critical else "table"
    said = STATE_WORDS[table.state] + (f", {note}" if note else "")
    return f"{name_place(table.place)}, {kind}: {said}"


def _describe(diagram: Diagram) -> str:
    tables, links = count_of(len(diagram.tables), "table"), count_of(len(diagram.links), "reference")
    return f"{tables} and {links}. A line leads from the rows that refer, at its fork, to the row that they refer to."


def _say_link(line: Line) -> str:
    return f"{line.link.reference}" + (", as the manifest says" if line.link.is_implied else "")


def _text(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(text: str) -> str:
    return quoteattr(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))
