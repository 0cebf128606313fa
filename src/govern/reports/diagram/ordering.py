"""The order of boxes and lanes within columns: so that few lines cross."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from govern.reports.diagram.graph import Graph, Item

_ROUNDS = 10
Positions = dict[Item, int]
Pairs = Sequence[tuple[Item, Item]]


def untangle(graph: Graph) -> None:
    """Orders each column by where the other ends of its lines are, there and back again; keeps the best order."""
    pairs = [[(wire.left, wire.right) for wire in wires] for wires in graph.wires]
    best, fewest = _copy(graph.columns), _count_all(graph.columns, pairs)
    for round_ in range(_ROUNDS):
        if not fewest:
            break
        _sweep(graph.columns, pairs, rightwards=round_ % 2 == 0)
        _swap_neighbours(graph.columns, pairs)
        crossings = _count_all(graph.columns, pairs)
        if crossings < fewest:
            best, fewest = _copy(graph.columns), crossings
    graph.columns[:] = best


def _sweep(columns: list[list[Item]], pairs: Sequence[Pairs], *, rightwards: bool) -> None:
    steps = range(1, len(columns)) if rightwards else range(len(columns) - 2, -1, -1)
    for at in steps:
        neighbours: dict[Item, list[int]] = defaultdict(list)
        fixed = _positions(columns[at - 1 if rightwards else at + 1])
        for left, right in pairs[at - 1 if rightwards else at]:
            here, there = (right, left) if rightwards else (left, right)
            neighbours[here].append(fixed[there])
        own = _positions(columns[at])
        scale = max(len(fixed), 1) / max(len(own), 1)
        columns[at].sort(key=_by_mean(neighbours, own, scale))


def _by_mean(
    neighbours: dict[Item, list[int]], own: Positions, scale: float
) -> Callable[[Item], tuple[float, int]]:
    """What has no line stays about where it is."""

    def weigh(item: Item) -> tuple[float, int]:
        others = neighbours.get(item)
        return (sum(others) / len(others) if others else own[item] * scale), own[item]

    return weigh


def _swap_neighbours(columns: list[list[Item]], pairs: Sequence[Pairs]) -> None:
    """Two that stand one above the other change places where that makes fewer crossings."""
    for at, column in enumerate(columns):
        sides = []
        if at:
            sides.append(_ends(((right, left) for left, right in pairs[at - 1]), columns[at - 1]))
        if at + 1 < len(columns):
            sides.append(_ends(pairs[at], columns[at + 1]))
        for upper in range(len(column) - 1):
            one, other = column[upper], column[upper + 1]
            as_it_is = sum(_crossings(side.get(one, ()), side.get(other, ())) for side in sides)
            swapped = sum(_crossings(side.get(other, ()), side.get(one, ())) for side in sides)
            if swapped < as_it_is:
                column[upper], column[upper + 1] = other, one


def _ends(pairs: Iterable[tuple[Item, Item]], others: Sequence[Item]) -> dict[Item, list[int]]:
    positions = _positions(others)
    ends: dict[Item, list[int]] = defaultdict(list)
    for here, there in pairs:
        ends[here].append(positions[there])
    return ends


def _crossings(upper: Iterable[int], lower: Iterable[int]) -> int:
    below = tuple(lower)
    return sum(1 for one in upper for other in below if one > other)


def _count_all(columns: Sequence[Sequence[Item]], pairs: Sequence[Pairs]) -> int:
    return sum(_count(columns[at], columns[at + 1], pairs[at]) for at in range(len(columns) - 1))


def _count(left: Sequence[Item], right: Sequence[Item], pairs: Pairs) -> int:
    lefts, rights = _positions(left), _positions(right)
    seen: list[int] = []
    crossings = 0
    for _, end in sorted((lefts[one], rights[other]) for one, other in pairs):
        crossings += len(seen) - bisect.bisect_right(seen, end)
        bisect.insort(seen, end)
    return crossings


def _positions(column: Sequence[Item]) -> Positions:
    return {item: at for at, item in enumerate(column)}


def _copy(columns: Sequence[Sequence[Item]]) -> list[list[Item]]:
    return [list(column) for column in columns]
