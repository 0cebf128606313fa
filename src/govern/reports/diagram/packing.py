"""A whole picture of several drawings: those of its clusters, or of the groups that no line joins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from govern.core.clustering import divide
from govern.core.diagram import Diagram, Link
from govern.core.restoration import Place
from govern.reports.diagram.box import Box, make_box
from govern.reports.diagram.graph import make_graph
from govern.reports.diagram.placing import Drawing, Line, PlacedBox, place_graph

_MOST_LINES = 30
"""To one table, though they are drawn as one that forks: more is a wall."""
_RATIO = 1.6
_GAP = 44.0
_ALONE_GAP = 24.0
_FRAME = 24.0
_FRAME_HEADER = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A rectangle around a cluster, with its name."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn, with coordinates from 0, 0 on."""

    drawing: Drawing
    frames: tuple[Frame, ...] = ()


def compose(diagram: Diagram) -> Picture:
    """Where everything of a diagram goes."""
    division = divide(diagram, most_lines=_MOST_LINES)
    boxes = {
        place: make_box(table, undrawn=division.undrawn.get(place, 0))
        for place, table in diagram.tables.items()
    }
    if not division.clusters:
        return Picture(drawing=_arrange(boxes, division.links))
    drawn = [
        (_arrange({place: boxes[place] for place in sorted(cluster.tables)}, division.links), cluster.name)
        for cluster in division.clusters
    ]
    drawn.sort(key=lambda one: -one[0].height)  # those of one height side by side
    return _frame([drawing for drawing, _ in drawn], [title for _, title in drawn])


def _arrange(boxes: dict[Place, Box], links: Iterable[Link]) -> Drawing:
    """Groups that lines join, each drawn for itself; then what stands alone, in rows."""
    within = [link for link in links if link.reference.child in boxes and link.reference.parent in boxes]
    groups = _find_groups(boxes, within)
    drawings = [
        place_graph(
            make_graph(
                {place: boxes[place] for place in sorted(group)},
                [link for link in within if link.reference.child in group],
            )
        )
        for group in groups
        if len(group) > 1
    ]
    alone = [
        place_graph(
            make_graph({place: boxes[place]}, [link for link in within if link.reference.child == place])
        )
        for group in groups
        if len(group) == 1
        for place in group
    ]
    if alone:
        wide = max((drawing.width for drawing in drawings), default=0.0)
        drawings.append(_merge(alone, _shelve(alone, gap=_ALONE_GAP, least=wide)))
    return _merge(drawings, _shelve(drawings, gap=_GAP))


def _find_groups(boxes: Iterable[Place], links: Iterable[Link]) -> list[set[Place]]:
    """The largest first."""
    group_of = {place: {place} for place in boxes}
    for link in links:
        one, other = group_of[link.reference.child], group_of[link.reference.parent]
        if one is not other:
            one |= other
            group_of |= dict.fromkeys(other, one)
    groups = {id(group): group for group in group_of.values()}
    return sorted(groups.values(), key=lambda group: (-len(group), min(group)))


def _shelve(drawings: Sequence[Drawing], *, gap: float, least: float = 0.0) -> list[tuple[float, float]]:
    """Corners, as in shelves: each on the first that has room, so that all of it is about as wide as a screen."""
    area = sum((drawing.width + gap) * (drawing.height + gap) for drawing in drawings)
    widest = max([math.sqrt(area * _RATIO), least, *(drawing.width for drawing in drawings)], default=0.0)
    shelves: list[list[int]] = []
    used: list[float] = []
    for number, drawing in enumerate(drawings):
        shelf = next((at for at, x in enumerate(used) if x + drawing.width <= widest), len(shelves))
        if shelf == len(shelves):
            shelves.append([])
            used.append(0.0)
        shelves[shelf].append(number)
        used[shelf] += drawing.width + gap
    corners, y = {}, 0.0
    for shelf_of in shelves:
        x = 0.0
        for number in shelf_of:
            corners[number] = (x, y)
            x += drawings[number].width + gap
        y += max(drawings[number].height for number in shelf_of) + gap
    return [corners[number] for number in range(len(drawings))]


def _merge(drawings: Sequence[Drawing], corners: Sequence[tuple[float, float]]) -> Drawing:
    moved = [_move(drawing, *corner) for drawing, corner in zip(drawings, corners, strict=True)]
    ends = [(x + one.width, y + one.height) for one, (x, y) in zip(drawings, corners, strict=True)]
    return Drawing(
        width=max((x for x, _ in ends), default=0.0),
        height=max((y for _, y in ends), default=0.0),
        boxes=tuple(box for drawing in moved for box in drawing.boxes),
        lines=tuple(line for drawing in moved for line in drawing.lines),
    )


def _move(drawing: Drawing, x: float, y: float) -> Drawing:
    return replace(
        drawing,
        boxes=tuple(PlacedBox(box=placed.box, x=placed.x + x, y=placed.y + y) for placed in drawing.boxes),
        lines=tuple(_move_line(line, x, y) for line in drawing.lines),
    )


def _move_line(line: Line, x: float, y: float) -> Line:
    return replace(line, corners=tuple((at + x, height + y) for at, height in line.corners))


def _frame(drawings: Sequence[Drawing], titles: Sequence[str]) -> Picture:
    framed = [
        replace(one, width=one.width + 2 * _FRAME, height=one.height + _FRAME + _FRAME_HEADER)
        for one in (_move(drawing, _FRAME, _FRAME_HEADER) for drawing in drawings)
    ]
    corners = _shelve(framed, gap=_GAP)
    frames = tuple(
        Frame(x=x, y=y, width=drawing.width, height=drawing.height, title=title)
        for drawing, (x, y), title in zip(framed, corners, titles, strict=True)
    )
    return Picture(drawing=_merge(framed, corners), frames=frames)
