"""Where boxes and lines are: heights within columns by the lines that end there, columns by the lines between them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govern.core.diagram import Link
from govern.core.restoration import Place
from govern.reports.diagram.box import HEADER, Box
from govern.reports.diagram.graph import Graph, Item, Lane, Net, Wire
from govern.reports.diagram.ordering import untangle
from govern.reports.diagram.routing import STUB, TRACK, Segment, assign_tracks

Point = tuple[float, float]
_GAP = 24.0
_LANE_GAP = 12.0
_SWEEPS = 8
_LANE_WEIGHT = 3.0
"""A passing line should be straight more than a box should be in the middle of its neighbours."""
_FREE_WEIGHT = 0.01
_LOOP = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line from box to box."""

    corners: tuple[Point, ...]
    link: Link
    refers_first: bool
    """Whether the row that refers is at its first corner, and not at its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedBox:
    """A box and its upper left corner."""

    box: Box
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Boxes and lines with their coordinates, all of them from 0, 0 on."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    lines: tuple[Line, ...]


def place_graph(graph: Graph) -> Drawing:
    """Coordinates for everything."""
    untangle(graph)
    tops = _find_tops(graph)
    segments = [_find_segments(graph, wires, tops) for wires in graph.wires]
    tracks = [assign_tracks(channel) for channel in segments]
    sheet = _Sheet(graph, tops, tracks)
    boxes = tuple(
        PlacedBox(box=graph.boxes[item], x=sheet.lefts[at], y=tops[item])
        for at, column in enumerate(graph.columns)
        for item in column
        if not isinstance(item, Lane)
    )
    lines = (*sheet.draw_lines(segments), *sheet.draw_loops())
    bottoms = [placed.y + placed.box.height for placed in boxes]
    bottoms += [height for line in lines for _, height in line.corners]
    return Drawing(
        width=max((placed.x + placed.box.width for placed in boxes), default=0.0),
        height=max(bottoms, default=0.0),
        boxes=boxes,
        lines=lines,
    )


def spread(wanted: Sequence[float], weights: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Places in the given order, each at least its size before the next, as near to the wanted ones as can be.

    Least squares, by pooling what would overlap (Ayer and others, 1955, "An empirical distribution function for
    sampling with incomplete information").
    """
    starts = [0.0]
    for size in sizes[:-1]:
        starts.append(starts[-1] + size)
    pools: list[tuple[float, float, int]] = []  # the mean of what is wanted, its weight, how many
    for want, weight, start in zip(wanted, weights, starts, strict=True):
        mean, heft, count = want - start, weight, 1
        while pools and pools[-1][0] >= mean:
            before, its, members = pools.pop()
            mean = (before * its + mean * heft) / (its + heft)
            heft, count = its + heft, members + count
        pools.append((mean, heft, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + start for mean, start in zip(means, starts, strict=True)]


def _find_tops(graph: Graph) -> dict[Item, float]:
    """There and back again, each column as near to what its lines want as its order allows."""
    tops: dict[Item, float] = {}
    for column in graph.columns:
        at = 0.0
        for item, size in zip(column, _sizes(graph, column), strict=True):
            tops[item] = at
            at += size
    forth = range(len(graph.columns))
    for sweep in range(_SWEEPS):
        for number in forth if sweep % 2 == 0 else reversed(forth):
            _settle(graph, number, tops)
    _straighten(graph, tops)
    highest = min(tops.values(), default=0.0)
    return {item: top - highest for item, top in tops.items()}


def _settle(graph: Graph, number: int, tops: dict[Item, float]) -> None:
    wanted: dict[Item, list[float]] = defaultdict(list)
    for wire in graph.wires[number - 1] if number else ():
        wanted[wire.right].append(_left_height(graph, wire, tops) - _port(graph, wire.right, wire.right_port))
    for wire in graph.wires[number] if number < len(graph.wires) else ():
        wanted[wire.left].append(_right_height(graph, wire, tops) - _port(graph, wire.left, wire.left_port))
    column = graph.columns[number]
    places = [_mean(wanted[item]) if item in wanted else tops[item] for item in column]
    weights = [_weigh(item) if item in wanted else _FREE_WEIGHT for item in column]
    tops.update(zip(column, spread(places, weights, _sizes(graph, column)), strict=True))


def _straighten(graph: Graph, tops: dict[Item, float]) -> None:
    """Each lane at the height at which its line comes in, as far as there is room: a bend less."""
    for number, wires in enumerate(graph.wires, start=1):
        comes_in = {wire.right: _left_height(graph, wire, tops) for wire in wires}
        column = graph.columns[number]
        sizes = _sizes(graph, column)
        for at, item in enumerate(column):
            if isinstance(item, Lane):
                lowest = tops[column[at - 1]] + sizes[at - 1] if at else -math.inf
                highest = tops[column[at + 1]] - sizes[at] if at + 1 < len(column) else math.inf
                tops[item] = min(max(comes_in[item], lowest), highest)


def _find_segments(graph: Graph, wires: Sequence[Wire], tops: Mapping[Item, float]) -> list[Segment]:
    """What is drawn between two columns: lines with the heights where they come in and go out."""
    ends: dict[tuple[int, float], list[float]] = defaultdict(list)
    for wire in wires:
        ends[wire.net, _left_height(graph, wire, tops)].append(_right_height(graph, wire, tops))
    return [Segment(net, start, tuple(sorted(found))) for (net, start), found in sorted(ends.items())]


class _Sheet:
    """Columns with their places, and the lines drawn between them."""

    def __init__(
        self, graph: Graph, tops: Mapping[Item, float], tracks: Sequence[Mapping[Segment, int]]
    ) -> None:
        self._graph, self._tops, self._tracks = graph, tops, tracks
        self._column_of = {item: at for at, column in enumerate(graph.columns) for item in column}
        self._widths = [
            max((graph.boxes[item].width for item in column if not isinstance(item, Lane)), default=0.0)
            for column in graph.columns
        ]
        self.lefts = list(self._find_lefts())

    def _find_lefts(self) -> Iterator[float]:
        loops = {link.reference.child for link in self._graph.loops}
        left = _LOOP if self._graph.columns and loops.intersection(self._graph.columns[0]) else 0.0
        for at, width in enumerate(self._widths):
            yield left
            tracks = self._tracks[at] if at < len(self._tracks) else {}
            left += width + 2 * STUB + TRACK * max(tracks.values(), default=0)

    def draw_lines(self, segments: Sequence[Sequence[Segment]]) -> Iterator[Line]:
        trunks = {
            (number, segment.net, segment.start): self._trunk(number, segment)
            for number, channel in enumerate(segments)
            for segment in channel
        }
        for net in self._graph.nets:
            for place, port, link in net.ends:
                corners = tuple(self._walk(net, place, port, trunks))
                yield Line(corners=_tidy(corners), link=link, refers_first=net.is_reversed)

    def draw_loops(self) -> Iterator[Line]:
        """Of a table that refers to itself: from the row around to the header."""
        for link in self._graph.loops:
            place = link.reference.child
            left, top = self.lefts[self._column_of[place]], self._tops[place]
            row = top + self._graph.boxes[place].port(link.column)
            out = left - _LOOP
            corners = ((left, row), (out, row), (out, top + HEADER / 2), (left, top + HEADER / 2))
            yield Line(corners=corners, link=link, refers_first=True)

    def _trunk(self, number: int, segment: Segment) -> float:
        return self.lefts[number] + self._widths[number] + STUB + TRACK * self._tracks[number].get(segment, 0)

    def _walk(
        self, net: Net, end: Place, port: str, trunks: Mapping[tuple[int, int, float], float]
    ) -> Iterator[Point]:
        first, last = self._column_of[net.source], self._column_of[end]
        height = self._tops[net.source] + _port(self._graph, net.source, net.source_port)
        yield self.lefts[first] + self._graph.boxes[net.source].width, height
        for number in range(first, last):
            trunk = trunks[number, net.number, height]
            yield trunk, height
            is_there = number + 1 == last
            item: Item = end if is_there else Lane(net.number, number + 1)
            height = self._tops[item] + _port(self._graph, item, port if is_there else "")
            yield trunk, height
        yield self.lefts[last], height


def _tidy(corners: Sequence[Point]) -> tuple[Point, ...]:
    """Without corners at which nothing turns."""
    kept = [corners[0]]
    for corner, following in pairwise(corners[1:]):
        goes_on = (abs(kept[-1][1] - corner[1]) < 0.5 and abs(corner[1] - following[1]) < 0.5) or (
            abs(kept[-1][0] - corner[0]) < 0.5 and abs(corner[0] - following[0]) < 0.5
        )
        if not goes_on:
            kept.append(corner)
    return (*kept, corners[-1])


def _sizes(graph: Graph, column: Sequence[Item]) -> list[float]:
    """Of each item with the gap to the next."""
    sizes = [0.0 if isinstance(item, Lane) else graph.boxes[item].height for item in column]
    for at, (one, other) in enumerate(pairwise(column)):
        sizes[at] += _LANE_GAP if isinstance(one, Lane) or isinstance(other, Lane) else _GAP
    return sizes


def _left_height(graph: Graph, wire: Wire, tops: Mapping[Item, float]) -> float:
    return tops[wire.left] + _port(graph, wire.left, wire.left_port)


def _right_height(graph: Graph, wire: Wire, tops: Mapping[Item, float]) -> float:
    return tops[wire.right] + _port(graph, wire.right, wire.right_port)


def _port(graph: Graph, item: Item, port: str) -> float:
    return 0.0 if isinstance(item, Lane) else graph.boxes[item].port(port)


def _weigh(item: Item) -> float:
    return _LANE_WEIGHT if isinstance(item, Lane) else 1.0


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
