"""The arguments of Python's calls, by their places and names, and what is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

NOWHERE = 99
"""A place that no argument has: it is given by its name alone."""


class Calls:
    """The calls of a file, by what is called."""

    def __init__(self, nodes: Iterable[SgNode]) -> None:
        self._by_name: dict[str, list[tuple[int, SgNode]]] = {}
        for place, node in enumerate(nodes):
            self._by_name.setdefault(called(node), []).append((place, node))

    def named(self, names: Iterable[str]) -> list[SgNode]:
        """In the order of the file."""
        found = [one for name in names for one in self._by_name.get(name, ())]
        return [node for _, node in sorted(found, key=itemgetter(0))]


def called(call: SgNode) -> str:
    """``execute`` of ``session.execute(…)``."""
    function = call.field("function")
    return function.text().rpartition(".")[2] if function is not None else ""


def receiver_of(call: SgNode) -> str:
    """``session`` of ``session.execute(…)``."""
    function = call.field("function")
    return function.text().rpartition(".")[0] if function is not None else ""


def placed_arguments(call: SgNode) -> Sequence[SgNode]:
    """Those that are given by their places."""
    arguments = call.field("arguments")
    given = arguments.named_children() if arguments is not None else []
    return [one for one in given if one.kind() not in ("keyword_argument", "comment")]


def named_arguments(call: SgNode) -> Iterator[tuple[str, SgNode]]:
    """Those that are given by their names."""
    arguments = call.field("arguments")
    for one in arguments.named_children() if arguments is not None else ():
        name, value = one.field("name"), one.field("value")
        if one.kind() == "keyword_argument" and name is not None and value is not None:
            yield name.text(), value


def argument(call: SgNode, place: int, *names: str) -> SgNode | None:
    """The argument at this place, or of one of these names."""
    placed = placed_arguments(call)
    if place < len(placed):
        return placed[place]
    return next((value for name, value in named_arguments(call) if name in names), None)
