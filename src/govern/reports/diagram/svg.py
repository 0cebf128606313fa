"""A picture as SVG: classes and no styles, so that it may stand in a page with a strict Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from govern.core.diagram import Diagram, Mark
from govern.core.restoration import Place
from govern.reports.diagram.box import HEADER, PADDING, ROW, Box, Row, sign_width
from govern.reports.diagram.legend import Legend, make_legend
from govern.reports.diagram.markup import write_attribute, write_text
from govern.reports.diagram.packing import Frame, Picture, compose
from govern.reports.diagram.placing import Line, PlacedBox, Point
from govern.reports.diagram.signs import KEY, STAR, STATE_SIGNS, draw_arrow, draw_bar, draw_foot
from govern.reports.diagram.style import STYLE
from govern.reports.diagram.telling import describe, describe_table

Href = Callable[[Place], str]
_MARGIN = 16
_BEND = 6.0


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
    ``is_alone``: as a file of its own, with its style, its title and a legend inside; else a page brings ``STYLE``.
    """
    picture = compose(diagram)
    legend = make_legend(diagram, title, least=picture.drawing.width) if is_alone else Legend()
    width = round(max(picture.drawing.width, legend.width)) + 2 * _MARGIN
    height = round(picture.drawing.height + legend.height) + 2 * _MARGIN
    top = -_MARGIN - round(legend.height)
    labels = {
        place: describe_table(diagram, table, (notes or {}).get(place, ""))
        for place, table in diagram.tables.items()
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {top} {width} {height}" role="group" aria-label={write_attribute(title)}>',
        f"<title>{write_text(title)}</title>",
        f"<desc>{write_text(describe(diagram))}</desc>",
        f"<style>{STYLE}</style>" if is_alone else "",
        f'<rect class="ground" x="{-_MARGIN}" y="{top}" width="{width}" height="{height}"/>'
        if is_alone
        else "",
        *(f'<g transform="translate(0 {top + _MARGIN})">{one}</g>' for one in legend.parts),
        *_draw_all(picture, href, labels),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _draw_all(picture: Picture, href: Href | None, labels: Mapping[Place, str]) -> Iterator[str]:
    for frame in picture.frames:
        yield _draw_frame(frame)
    yield '<g aria-hidden="true">'
    for line in picture.drawing.lines:
        yield _draw_line(line)
    yield "</g>"
    for placed in picture.drawing.boxes:
        yield _draw_table(placed, href, labels[placed.box.table.place])


def _draw_frame(frame: Frame) -> str:
    return (
        f'<g class="frame"><rect x="{frame.x:.0f}" y="{frame.y:.0f}" width="{frame.width:.0f}" '
        f'height="{frame.height:.0f}" rx="8"/>'
        f'<text x="{frame.x + PADDING:.0f}" y="{frame.y + HEADER:.0f}">{write_text(frame.title)}</text></g>'
    )


def _draw_table(placed: PlacedBox, href: Href | None, label: str) -> str:
    table = placed.box.table
    classes = f"table {table.state}" + (" is-critical" if table.is_critical else "")
    classes += _mark(table.mark) + ("" if table.kind == "table" else " is-view")
    opening = f'<g class="{classes}" transform="translate({placed.x:.1f} {placed.y:.1f})"'
    inside = "".join((f"<title>{write_text(label)}</title>", *_draw_box(placed.box)))
    if href is None:
        return f'{opening} role="img" aria-label={write_attribute(label)}>{inside}</g>'
    link = f"href={write_attribute(href(table.place))} aria-label={write_attribute(label)}"
    return f"{opening}><a {link}>{inside}</a></g>"


def _draw_box(box: Box) -> Iterator[str]:
    width, height = f"{box.width:.1f}", f"{box.height:.1f}"
    yield f'<rect class="sheet" width="{width}" height="{height}" rx="6"/>'
    yield (
        f'<path class="top" d="M1 {HEADER} V7 a6 6 0 0 1 6 -6 H{box.width - 7:.1f} a6 6 0 0 1 6 6 V{HEADER} Z"/>'
    )
    left, middle = PADDING, HEADER / 2
    if box.table.is_critical:
        yield f'<path class="star" transform="translate({left + 4} {middle})" d="{STAR}"/>'
        left += 16
    if box.sign:
        yield f'<text class="sign" x="{left}" y="{middle}">{box.sign}</text>'
        left += sign_width(box.table.mark)
    yield f'<text class="name" x="{left}" y="{middle}">{write_text(box.name)}</text>'
    if box.kind:
        yield f'<text class="says ends" x="{box.width - PADDING:.1f}" y="{middle}">{write_text(box.kind)}</text>'
    if sign := STATE_SIGNS.get(box.table.state):
        yield (
            f'<path class="badge state" transform="translate({box.width - PADDING - 5:.1f} {middle})" d="{sign}"/>'
        )
    for row in box.rows:
        yield from _draw_row(row, box.width)
    for below, footer in enumerate(reversed(box.footers)):
        y = box.height - 4 - ROW * (below + 0.5)
        yield f'<text class="footer" x="{PADDING + 18}" y="{y:.1f}">{write_text(footer)}</text>'


def _draw_row(row: Row, width: float) -> Iterator[str]:
    left = PADDING + 18
    if row.sign:
        yield f'<g class="row{_mark(row.mark)}"><rect x="1.5" y="{row.middle - ROW / 2}" width="{width - 3:.1f}" '
        yield f'height="{ROW}"/><text class="sign" x="{left}" y="{row.middle}">{row.sign}</text>'
        left += sign_width(row.mark)
    if row.is_primary:
        yield f'<path class="key" transform="translate({PADDING + 5} {row.middle})" d="{KEY}"/>'
    yield f'<text x="{left}" y="{row.middle}">{write_text(row.name)}</text>'
    if row.says:
        yield f'<text class="says ends" x="{width - PADDING:.1f}" y="{row.middle}">{write_text(row.says)}</text>'
    if row.sign:
        yield "</g>"


def _mark(mark: Mark) -> str:
    """A class for how something is different."""
    return "" if mark == "same" else f" is-marked is-{mark}"


def _draw_line(line: Line) -> str:
    course = _round_off(line.corners)
    return (
        f'<g class="{_classes(line)}"><title>{write_text(str(line.link))}</title>'
        f'<path class="reach" d="{course}"/><path class="course" d="{course}"/>'
        f'<path class="end" d="{_draw_ends(line)}"/></g>'
    )


def _classes(line: Line) -> str:
    look = "implied" if line.link.is_implied else "reads" if line.link.is_read else ""
    return f"link {look}".rstrip() + _mark(line.link.mark)


def _draw_ends(line: Line) -> str:
    """Many rows or one at the child's end, one at the parent's; of a view an arrow from what it reads."""
    first, last = line.corners[0], line.corners[-1]
    child, parent = (first, last) if line.refers_first else (last, first)
    link = line.link
    is_child_left = line.refers_first and link.reference.child != link.reference.parent
    side = 1 if is_child_left else -1
    if link.is_read:
        return draw_arrow(child, side)
    foot = draw_foot(child, side, is_single=link.is_single)
    return f"{foot} {draw_bar(parent, -1 if line.refers_first else 1)}"


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


def _distance(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, end: Point, far: float) -> Point:
    whole = _distance(start, end) or 1.0
    return (
        start[0] + (end[0] - start[0]) * far / whole,
        start[1] + (end[1] - start[1]) * far / whole,
    )
