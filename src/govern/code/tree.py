"""The syntax tree of one file, walked once for all kinds of nodes that its language is read by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode


class Tree:
    """Finds nodes by kind. A walk over a file takes as long as all that is done with what it finds."""

    def __init__(self, root: SgNode, kinds: Iterable[str]) -> None:
        """``kinds``: all that are going to be asked for; for others the tree is walked again."""
        self.root = root
        self._kinds = frozenset(kinds)
        self._found: dict[str, list[SgNode]] | None = None

    def find_all(self, *, kind: str) -> list[SgNode]:
        """In the order of the file."""
        if kind not in self._kinds:
            return self.root.find_all(kind=kind)
        if self._found is None:
            self._found = {known: [] for known in self._kinds}
            for node in self.root.find_all({"rule": {"any": [{"kind": known} for known in self._kinds]}}):
                self._found[node.kind()].append(node)
        return self._found[kind]

    def text(self) -> str:
        """The whole file."""
        return self.root.text()
