"""The chain's checks on random graphs: against a small checker of its own making, and against Alembic."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from pathlib import Path

from alembic.script.revision import Revision, RevisionMap
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.checks.chain import check_chain
from govern.checks.chain.graph import find_cycles
from govern.revisions.graph import RevisionFile, build_chain

Node = tuple[str, tuple[str, ...], tuple[str, ...]]
"""An id, its down_revision, its depends_on."""

IDS = ("a1", "b2", "c3", "d4", "e5", "f6")
UNKNOWN = ("11111111", "previous_revision_id")
SHAPE_RULES = {
    "cycle",
    "duplicate-id",
    "missing-parent",
    "placeholder-parent",
    "multiple-heads",
    "multiple-bases",
}


def reference(nodes: list[Node]) -> set[str]:
    """Which rules speak, found in the most pedestrian way: by closures over all pairs."""
    ids = [id_ for id_, _, _ in nodes]
    rules = set()
    if len(set(ids)) < len(ids):
        rules.add("duplicate-id")
    for _, down, depends in nodes:
        for parent in (*down, *depends):
            if parent not in ids:
                rules.add("placeholder-parent" if "_" in parent else "missing-parent")
    down_edges = {(id_, parent) for id_, down, _ in nodes for parent in down if parent in ids}
    all_edges = down_edges | {
        (id_, parent) for id_, _, depends in nodes for parent in depends if parent in ids
    }
    unique = {id_ for id_ in ids if ids.count(id_) == 1}
    clear = closure({edge for edge in all_edges if unique.issuperset(edge)})
    if any((id_, id_) in clear for id_ in unique):
        rules.add("cycle")
    joined = closure(down_edges | {(parent, id_) for id_, parent in down_edges})
    heads = {id_ for id_ in ids if not any(parent == id_ for _, parent in down_edges)}
    if any(one != other and (one, other) in joined for one in heads for other in heads):
        rules.add("multiple-heads")
    if len({id_ for id_, down, _ in nodes if not down}) > 1:
        rules.add("multiple-bases")
    return rules


def closure(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    while True:
        longer = edges | {(one, last) for one, middle in edges for first, last in edges if middle == first}
        if longer == edges:
            return edges
        edges = longer


def found(nodes: list[Node]) -> set[str]:
    chain = build_chain(as_file(node) for node in nodes)
    rules = {finding.rule.id.removeprefix("chain.") for finding in check_chain(chain, root=Path())}
    assert rules <= SHAPE_RULES
    return rules


def as_file(node: Node) -> RevisionFile:
    id_, down, depends = node
    return RevisionFile(path=Path(f"{id_}.py"), revision=id_, down_revisions=down, depends_on=depends)


def random_nodes(randomly: random.Random) -> list[Node]:
    """Up to 6 revisions; most parents exist and come earlier, some do not."""
    count = randomly.randint(1, 6)
    ids = [*IDS[:count]]
    if randomly.random() < 0.1:
        ids[-1] = randomly.choice(ids)
    nodes = []
    for place, id_ in enumerate(ids):
        pool = ids[:place] if randomly.random() < 0.8 else [*ids, *UNKNOWN]
        down = tuple(randomly.sample(pool, min(len(pool), randomly.choice((0, 1, 1, 1, 1, 2)))))
        depends = tuple(randomly.sample(ids, 1)) if randomly.random() < 0.1 else ()
        nodes.append((id_, tuple(dict.fromkeys(down)), depends))
    randomly.shuffle(nodes)
    return nodes


def alembic_rejects(nodes: list[Node]) -> bool:
    """A warning of Alembic's counts: a duplicate id is no more to it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            known = RevisionMap(
                lambda: [Revision(id_, down or None, depends or None) for id_, down, depends in nodes]
            )
            known.heads  # noqa: B018 - loads the map
    except Exception:
        return True
    return False


def test_fifty_thousand_random_graphs_are_judged_like_by_the_reference() -> None:
    randomly = random.Random(7)
    spoken: Counter[str] = Counter()
    silent = 0
    for _ in range(50_000):
        nodes = random_nodes(randomly)
        expected = reference(nodes)
        assert found(nodes) == expected, nodes
        spoken.update(expected)
        silent += not expected
    assert set(spoken) == SHAPE_RULES
    assert min(*spoken.values(), silent) > 1_000  # every rule was put to the test, and so was silence


def test_whatever_alembic_rejects_is_found_and_more() -> None:
    randomly = random.Random(11)
    hard = {"cycle", "duplicate-id", "missing-parent", "placeholder-parent"}
    hidden_cycles = 0
    for _ in range(10_000):
        nodes = random_nodes(randomly)
        rules = found(nodes) & hard
        if alembic_rejects(nodes):
            assert rules, nodes
        elif rules:
            assert rules == {"cycle"}, nodes
            hidden_cycles += 1
    assert hidden_cycles > 0


def test_a_graph_alembic_accepts_can_hold_a_cycle() -> None:
    nodes: list[Node] = [("aa", (), ()), ("bb", ("aa", "cc"), ()), ("cc", ("bb",), ()), ("dd", ("cc",), ())]
    assert not alembic_rejects(nodes)
    assert found(nodes) == {"cycle"}


PARENTS = st.lists(st.sampled_from((*IDS, *UNKNOWN)), max_size=3, unique=True).map(tuple)
NODES = st.lists(st.tuples(st.sampled_from(IDS), PARENTS, PARENTS), min_size=1, max_size=6)


@settings(max_examples=1_000, deadline=None)
@given(NODES)
def test_any_graph_is_judged_like_by_the_reference(nodes: list[Node]) -> None:
    assert found(nodes) == reference(nodes)


@settings(max_examples=1_000, deadline=None)
@given(st.dictionaries(st.sampled_from(IDS), st.lists(st.sampled_from(IDS), max_size=3), min_size=1))
def test_cycles_are_real_and_apart_and_every_tangle_has_one(edges: dict[str, list[str]]) -> None:
    edges = {id_: [parent for parent in edges.get(id_, []) if parent in edges] for id_ in edges}
    cycles = list(find_cycles(edges))
    nodes = [node for cycle in cycles for node in cycle]
    assert len(nodes) == len(set(nodes))
    for cycle in cycles:
        assert all(
            parent in edges[child] for child, parent in zip(cycle, (*cycle[1:], cycle[0]), strict=True)
        )
    reach = closure({(child, parent) for child, parents in edges.items() for parent in parents})
    for tangled in (id_ for id_ in edges if (id_, id_) in reach):
        assert any((tangled, node) in reach and (node, tangled) in reach for node in nodes)
