"""Puts operations into an order in which each finds what it needs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

Rank = tuple[int, int, str]


def put_in_order(ranks: Sequence[Rank], before: Iterable[tuple[int, int]]) -> list[int]:
    """Numbers of operations, each after those that must come before it, else by rank.

    ``before`` has pairs (earlier, later). Where they form a circle, the operation of the lowest rank breaks
    it: whether that works is for the proof to say.
    """
    later: dict[int, set[int]] = {number: set() for number in range(len(ranks))}
    waiting: dict[int, int] = dict.fromkeys(later, 0)
    for first, second in set(before):
        if first != second:
            later[first].add(second)
            waiting[second] += 1
    ready = [(ranks[number], number) for number, count in waiting.items() if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while waiting:
        number = heapq.heappop(ready)[1] if ready else _lowest(waiting, ranks)
        if waiting.pop(number, None) is None:
            continue
        order.append(number)
        for other in later[number]:
            if other in waiting:
                waiting[other] -= 1
                if not waiting[other]:
                    heapq.heappush(ready, (ranks[other], other))
    return order


def _lowest(waiting: Mapping[int, int], ranks: Sequence[Rank]) -> int:
    return min(waiting, key=lambda number: ranks[number])
