"""What a layout works on: boxes in columns from left to right, parents first, and the lines between neighbouring ones.

A line that passes a column has a lane there. All lines to one key of a table share their lanes, and are drawn as one
that forks: a table that everything refers to has one line, not thirty.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from govern.core.diagram import Link, Mark
from govern.core.restoration import Place
from govern.reports.diagram.box import Box

_RATIO = 1.5
"""How much wider than high a picture should be."""
_GAP = 24.0
_CHANNEL = 70.0


@dataclass(frozen=True, slots=True)
class Lane:
    """The place of a passing line in one column."""

    net: int
    column: int


Item = Place | Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """A line that begins on the right of one box and ends on the left of others, all further right."""

    number: int
    source: Place
    source_port: str
    is_reversed: bool
    """Whether it begins at the row that refers, and not at the key: in a circle of tables one has to."""
    ends: tuple[tuple[Place, str, Link], ...]
    """Tables, the column at whose row the line ends, and what it says."""


class Wire(NamedTuple):
    """The part of a line between two neighbouring columns, with the rows at which it begins and ends."""

    net: int
    left: Item
    left_port: str
    right: Item
    right_port: str


@dataclass(kw_only=True)
class Graph:
    """Boxes in columns, with their lines."""

    boxes: dict[Place, Box]
    columns: list[list[Item]]
    """From left to right, each from the top down."""
    nets: list[Net]
    wires: list[list[Wire]]
    """Between each column and the next."""
    loops: tuple[Link, ...] = ()
    """Of tables that refer to themselves."""


def make_graph(boxes: dict[Place, Box], links: Sequence[Link]) -> Graph:
    """Columns, nets and lanes for one drawing. ``links`` are between the boxes."""
    loops = tuple(link for link in links if link.reference.child == link.reference.parent)
    others = [link for link in links if link.reference.child != link.reference.parent]
    order = _order_parents_first(sorted(boxes), others)
    column_of = _assign_columns(order, boxes, others)
    nets = list(_make_nets(others, column_of))
    columns: list[list[Item]] = [[] for _ in range(max(column_of.values(), default=-1) + 1)]
    for place in order:
        columns[column_of[place]].append(place)
    graph = Graph(boxes=boxes, columns=columns, nets=nets, wires=[[] for _ in columns[1:]], loops=loops)
    for net in nets:
        _lay_wires(graph, net, column_of)
    return graph


def _order_parents_first(places: Sequence[Place], links: Iterable[Link]) -> list[Place]:
    """Each after its parents; of a circle, first the one with most children and fewest parents (Eades and others, 1993,
    "A fast and effective heuristic for the feedback arc set problem")."""
    parents: dict[Place, set[Place]] = {place: set() for place in places}
    children: dict[Place, set[Place]] = {place: set() for place in places}
    for link in links:
        parents[link.reference.child].add(link.reference.parent)
        children[link.reference.parent].add(link.reference.child)
    order: list[Place] = []
    left = set(places)
    while left:
        free = [place for place in left if not parents[place] & left]
        if not free:
            free = [
                max(left, key=lambda place: (len(children[place] & left) - len(parents[place] & left), place))
            ]
        chosen = sorted(free, key=lambda place: (-len(children[place]), place))
        order += chosen
        left.difference_update(chosen)
    return order


def _assign_columns(
    order: Sequence[Place], boxes: dict[Place, Box], links: Iterable[Link]
) -> dict[Place, int]:
    """Each right of its parents, in the first column that has room: a hundred children do not make one tower.

    Tables without parents come as near to their children as there is room: their lines become short.
    """
    rank = {place: at for at, place in enumerate(order)}
    before: dict[Place, set[Place]] = defaultdict(set)
    after: dict[Place, set[Place]] = defaultdict(set)
    for link in links:
        early, late = sorted((link.reference.parent, link.reference.child), key=rank.__getitem__)
        before[late].add(early)
        after[early].add(late)
    columns = _Columns(boxes)
    for place in order:
        column = 1 + max((columns.of[parent] for parent in before[place]), default=-1)
        while not columns.has_room(column, place):
            column += 1
        columns.put(place, column)
    for place in reversed(order):
        if after[place] and not before[place]:
            nearest = min(columns.of[child] for child in after[place]) - 1
            fitting = range(nearest, columns.of[place], -1)
            columns.put(place, next((at for at in fitting if columns.has_room(at, place)), columns.of[place]))
    used = {column: at for at, column in enumerate(sorted(set(columns.of.values())))}
    return {place: used[column] for place, column in columns.of.items()}


class _Columns:
    """Columns that are being filled."""

    def __init__(self, boxes: dict[Place, Box]) -> None:
        self.of: dict[Place, int] = {}
        self._boxes = boxes
        self._heights: dict[int, float] = defaultdict(float)
        area = sum((box.width + _CHANNEL) * (box.height + _GAP) for box in boxes.values())
        self._highest = max([math.sqrt(area / _RATIO), *(box.height for box in boxes.values())], default=0.0)

    def has_room(self, column: int, place: Place) -> bool:
        height = self._heights[column]
        return not height or height + self._boxes[place].height <= self._highest

    def put(self, place: Place, column: int) -> None:
        """There, and no longer where it was."""
        height = self._boxes[place].height + _GAP
        if place in self.of:
            self._heights[self.of[place]] -= height
        self._heights[column] += height
        self.of[place] = column


_Trunk = tuple[Place, str, bool, tuple[bool, bool, Mark]]
"""What lines have in common that begin as one: table, port, whether it is reversed, and how they look."""


def _make_nets(links: Iterable[Link], column_of: dict[Place, int]) -> Iterator[Net]:
    groups: dict[_Trunk, list[tuple[Place, str, Link]]] = defaultdict(list)
    for link in links:
        child, parent = link.ends
        look = link.is_implied, link.is_read, link.mark
        if column_of[parent] < column_of[child]:
            groups[parent, link.parent_column, False, look].append((child, link.column, link))
        else:
            groups[child, link.column, True, look].append((parent, link.parent_column, link))
    for number, ((source, port, is_reversed, _), ends) in enumerate(sorted(groups.items(), key=_first)):
        yield Net(
            number=number,
            source=source,
            source_port=port,
            is_reversed=is_reversed,
            ends=tuple(ends),
        )


def _first(group: tuple[_Trunk, object]) -> _Trunk:
    return group[0]


def _lay_wires(graph: Graph, net: Net, column_of: dict[Place, int]) -> None:
    """From column to column: a lane in each that the line passes."""
    start, end = column_of[net.source], max(column_of[place] for place, _, _ in net.ends)
    here: Item = net.source
    port = net.source_port
    for column in range(start + 1, end + 1):
        for place, row, _ in net.ends:
            if column_of[place] == column:
                graph.wires[column - 1].append(Wire(net.number, here, port, place, row))
        if column < end:
            lane = Lane(net.number, column)
            graph.columns[column].append(lane)
            graph.wires[column - 1].append(Wire(net.number, here, port, lane, ""))
            here, port = lane, ""
