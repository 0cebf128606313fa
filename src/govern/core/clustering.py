"""Which tables of a large schema belong together: those that refer to each other more than chance would have it."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from govern.core.diagram import Diagram, Link
from govern.core.restoration import Place, name_place
from govern.core.snapshot import join_name

_MOST_TABLES = 24
"""Of a cluster: as many as an eye takes in."""
_MOST_OF_A_NAMESPACE = 40
"""The same of tables that somebody put together already."""
_MOST_TOGETHER = 60
"""Tables that are drawn as one, with every line. More are drawn by clusters; what joins these is said in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Tables that are drawn together."""

    centre: Place | None
    """The one that most of the others refer to; None of those that have nothing to do with each other."""
    tables: frozenset[Place]
    namespace: str | None = None
    """The one that all of them are in, where the schema has several."""
    is_whole: bool = False
    """Whether these are all tables of the namespace."""

    @property
    def name(self) -> str:
        """``around users``, ``audit``, ``audit, around events``."""
        if self.namespace and self.is_whole:
            return self.namespace
        if self.centre is None:
            around = "other tables"
        else:
            around = f"around {join_name(self.centre[1]) if self.namespace else name_place(self.centre)}"
        return f"{self.namespace}, {around}" if self.namespace else around


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """What of a diagram is drawn where, and which lines are."""

    clusters: tuple[Cluster, ...]
    """None where all is drawn as one."""
    links: tuple[Link, ...]
    undrawn: Mapping[Place, int]
    """How many lines to a table are left out: its rows that refer say so in words."""


def divide(diagram: Diagram, *, most_lines: int) -> Division:
    """Clusters of a large diagram, with the lines inside of them; of a small one all but those to a table with more
    than ``most_lines``, which would hide the rest."""
    clusters = find_clusters(diagram) if len(diagram.tables) > _MOST_TOGETHER else ()
    if clusters:
        cluster_of = {place: at for at, cluster in enumerate(clusters) for place in cluster.tables}
        links = [link for link in diagram.links if len({cluster_of[place] for place in link.ends}) == 1]
    else:
        links = list(diagram.without_lines_to(diagram.find_hubs(most_lines)).links)
    undrawn = Counter(link.reference.parent for link in diagram.links)
    undrawn.subtract(link.reference.parent for link in links)
    return Division(clusters=clusters, links=tuple(links), undrawn=+undrawn)


def find_clusters(diagram: Diagram, *, most: int = _MOST_TABLES) -> tuple[Cluster, ...]:
    """Every table in one cluster, the largest first; those that belong to none are together in the last one.

    Of several namespaces each is a cluster, or falls into some of its own. Groups are joined as long as modularity
    grows (Clauset, Newman and Moore, 2004, "Finding community structure in very large networks"), and never beyond
    ``most`` tables.
    """
    edges = [link.ends for link in diagram.links if link.reference.child != link.reference.parent]
    spaces: dict[str, set[Place]] = defaultdict(set)
    for place in diagram.tables:
        spaces[place[0]].add(place)
    if len(spaces) == 1:
        return tuple(_find_communities(set(diagram.tables), edges, most))
    clusters = [
        cluster
        for space, tables in spaces.items()
        for cluster in _divide_namespace(space, tables, edges, most)
    ]
    return tuple(sorted(clusters, key=lambda cluster: (cluster.centre is None, *_largest_first(cluster))))


def _divide_namespace(
    namespace: str, tables: set[Place], edges: list[tuple[Place, Place]], most: int
) -> Iterator[Cluster]:
    """Those of one namespace."""
    if len(tables) <= max(most, _MOST_OF_A_NAMESPACE):
        yield replace(_make_cluster(tables, edges), namespace=namespace, is_whole=True)
        return
    within = [edge for edge in edges if tables.issuperset(edge)]
    for cluster in _find_communities(tables, within, most):
        yield replace(cluster, namespace=namespace)


def _find_communities(tables: set[Place], edges: list[tuple[Place, Place]], most: int) -> Iterator[Cluster]:
    groups = [group for group in _join(edges, most) if len(group) > 1]
    yield from sorted((_make_cluster(group, edges) for group in groups), key=_largest_first)
    if others := frozenset(tables.difference(*groups)):
        yield Cluster(centre=None, tables=others)


def _largest_first(cluster: Cluster) -> tuple[int, Place]:
    return -len(cluster.tables), cluster.centre or ("", "")


def _join(edges: list[tuple[Place, Place]], most: int) -> Iterable[set[Place]]:
    groups = _Groups(edges)
    while (pair := groups.take_best()) is not None:
        if groups.size_of(pair) <= most:
            groups.merge(*pair)
    return groups.members.values()


class _Groups:
    """Tables in groups, and by how much modularity grows where two of them are joined."""

    def __init__(self, edges: list[tuple[Place, Place]]) -> None:
        self.members = {place: {place} for edge in edges for place in edge}
        self._ends = Counter(place for edge in edges for place in edge)
        self._all_ends = 2 * len(edges)
        self._between: dict[Place, Counter[Place]] = defaultdict(Counter)
        for child, parent in edges:
            self._between[child][parent] += 1
            self._between[parent][child] += 1
        self._candidates: list[tuple[float, Place, Place]] = []
        for one in sorted(self.members):
            self._propose(one)

    def take_best(self) -> tuple[Place, Place] | None:
        """The two groups that gain most by being one; None where none do."""
        while self._candidates:
            gain, one, other = heapq.heappop(self._candidates)
            if one in self.members and other in self.members and gain == -self._gain(one, other):
                return one, other
        return None

    def size_of(self, pair: tuple[Place, Place]) -> int:
        return sum(len(self.members[group]) for group in pair)

    def merge(self, into: Place, other: Place) -> None:
        self.members[into] |= self.members.pop(other)
        self._ends[into] += self._ends.pop(other)
        for neighbour, count in self._between.pop(other).items():
            del self._between[neighbour][other]
            if neighbour != into:
                self._between[into][neighbour] += count
                self._between[neighbour][into] += count
        self._propose(into)

    def _propose(self, one: Place) -> None:
        for other in self._between[one]:
            pair = (min(one, other), max(one, other))
            if (gain := self._gain(*pair)) > 0:
                heapq.heappush(self._candidates, (-gain, *pair))

    def _gain(self, one: Place, other: Place) -> float:
        expected = self._ends[one] * self._ends[other] / self._all_ends
        return self._between[one][other] - expected


def _make_cluster(tables: set[Place], edges: list[tuple[Place, Place]]) -> Cluster:
    within = Counter(parent for child, parent in edges if child in tables and parent in tables)
    centre = min(tables, key=lambda place: (-within[place], place))
    return Cluster(centre=centre, tables=frozenset(tables))
