"""What the names of one file stand for: the texts that were assigned to them, as far as its text tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from govern.code.texts.building import Grammar, build_text
from govern.code.texts.compositions import compose
from govern.code.texts.engines import AS_IT_IS, Reading
from govern.code.texts.text import Text, text_at
from govern.code.tree import Tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_MODULE = -1
"""The scope that is no function and no class."""
_OWN = ("self", "cls", "this")


@dataclass(frozen=True, slots=True)
class _Assignment:
    """A node that gives a name a value."""

    node: SgNode
    value: SgNode | None
    appends: bool


@dataclass(frozen=True, slots=True)
class Binding:
    """A place where a name gets a value."""

    value: SgNode | None
    """None where it is a part of what another expression is worth: ``clause, values = make_clause()``."""
    at: int
    ends: int
    """What stands in the value itself is what the name was before."""
    appends: bool


class Names:
    """Looks names up from the inside out, as the languages do; of several values the last one before the use counts.

    What is added to a name piece by piece is one text of all the pieces: conditions are not looked at.
    """

    def __init__(
        self, tree: Tree, grammar: Grammar, imported: Mapping[str, str], reading: Reading = AS_IT_IS
    ) -> None:
        self._tree = tree
        self._reading = reading
        self._grammar = grammar
        self._imported = imported
        self._bindings: dict[str, Mapping[int, Sequence[Binding]]] = {}

    def read_as(self, reading: Reading) -> Names:
        """The same names, as one database meets them."""
        return Names(self._tree, self._grammar, self._imported, reading) if reading.shut else self

    def text_of(self, node: SgNode, depth: int) -> Text | None:
        """The text that a name or an attribute stands for; None where that is not known, or it is none."""
        kind = node.kind()
        if kind == "identifier":
            return self._look_up(node.text(), node, depth) or self._import(node)
        if node.text() in ("Prisma.empty", "sql.empty"):
            return Text()
        if kind in ("attribute", "member_expression"):
            return self._look_up_attribute(node, depth) or self._look_up_key(node, depth)
        if kind in ("subscript", "subscript_expression"):
            return self._look_up_key(node, depth)
        if kind in self._grammar.calls or kind in self._grammar.additions:
            composed = compose(node, self, depth)
            if composed is not None and kind in self._grammar.calls:
                composed.is_sql = True
            return composed
        if kind in self._grammar.choices:
            choice = self._reading.choose(node)
            return self.build(choice, depth) if choice is not None else None
        return None

    def stands_elsewhere(self, node: SgNode) -> bool:
        """Whether it is the name of a text of another file, which is looked at there."""
        return node.kind() == "identifier" and node.text() in self._imported

    def build(self, node: SgNode, depth: int = 0) -> Text | None:
        """The text that an expression of the file makes; None where it makes none, as far as can be told."""
        return build_text(node, self._grammar, self.text_of, depth)

    def value_of(self, node: SgNode) -> SgNode:
        """The expression that a name was given, where there is just one; else the node itself."""
        if node.kind() != "identifier":
            return node.named_children()[0] if node.kind() == "as_expression" else node
        for scope in (*_scopes(node, self._grammar), _MODULE):
            if bindings := self._bound(scope, node.text()):
                value = bindings[0].value
                return self.value_of(value) if len(bindings) == 1 and value is not None else node
        return node

    def _import(self, node: SgNode) -> Text | None:
        """As if it stood where it is used."""
        content = self._imported.get(node.text())
        if content is None:
            return None
        return text_at(content, node)

    def constants(self) -> Mapping[str, Text]:
        """The texts of the names that other files can import."""
        found = {}
        for name in self._assignments:
            bindings = self._bound(_MODULE, name)
            if bindings and (text := self._gather(bindings, 0)) is not None:
                found[name] = text
        return found

    def knows(self, node: SgNode) -> bool:
        """Whether the file says what the name stands for, text or not."""
        scopes = (*_scopes(node, self._grammar), _MODULE)
        bindings = (one for scope in scopes for one in self._bound(scope, node.text()))
        return node.text() in self._imported or any(one.value is not None for one in bindings)

    def _look_up(self, name: str, use: SgNode, depth: int) -> Text | None:
        at = use.range().start.index
        for scope in _scopes(use, self._grammar):
            before = [one for one in self._bound(scope, name) if one.ends <= at]
            if before:
                return self._gather(before, depth)
        everywhere = self._bound(_MODULE, name)
        return self._gather(everywhere, depth) if everywhere else None

    def _look_up_attribute(self, node: SgNode, depth: int) -> Text | None:
        """``self.QUERY`` of the class around it, ``Queries.QUERY`` of a class of this file."""
        receiver = node.field("object")
        name = node.field("attribute") or node.field("property")
        if receiver is None or name is None:
            return None
        for scope, known in self._classes.items():
            is_own = receiver.text() in _OWN and scope[0] <= node.range().start.index < scope[1]
            if (is_own or receiver.text() == known) and (found := self._bound(scope[0], name.text())):
                return self._gather(found, depth)
        return None

    def _look_up_key(self, node: SgNode, depth: int) -> Text | None:
        """``QUERIES["find"]`` and ``queries.find`` of an object that is written out."""
        of = node.field("value") or node.field("object")
        key = node.field("subscript") or node.field("index") or node.field("property")
        held = self.value_of(of) if of is not None else None
        if held is None or key is None or held.kind() not in ("dictionary", "object"):
            return None
        wanted = key.text().strip("\"'")
        for pair in held.named_children():
            name, value = pair.field("key"), pair.field("value")
            if name is not None and value is not None and name.text().strip("\"'") == wanted:
                return self.build(value, depth + 1)
        return None

    def _gather(self, bindings: Sequence[Binding], depth: int) -> Text | None:
        """The last value, and what was added to it."""
        start = max((i for i, one in enumerate(bindings) if not one.appends), default=0)
        gathered = Text()
        for binding in bindings[start:]:
            value = binding.value
            text = build_text(value, self._grammar, self.text_of, depth + 1) if value is not None else None
            if text is None:
                return None
            gathered.extend(text)
        return gathered

    @cached_property
    def _classes(self) -> dict[tuple[int, int], str]:
        """By where they begin and end; many files never ask."""
        classes = {}
        for kind in self._grammar.classes:
            for node in self._tree.find_all(kind=kind):
                if (name := node.field("name")) is not None:
                    span = node.range()
                    classes[span.start.index, span.end.index] = name.text()
        return classes

    def _bound(self, scope: int, name: str) -> Sequence[Binding]:
        """The values that a name gets in a scope, in the order of the file."""
        if name not in self._bindings:
            self._bindings[name] = self._find_bindings(name)
        return self._bindings[name].get(scope, ())

    def _find_bindings(self, name: str) -> Mapping[int, Sequence[Binding]]:
        """By scope; most names are never asked for."""
        found: dict[int, list[Binding]] = {}
        for one in self._assignments.get(name, ()):
            span = one.node.range()
            binding = Binding(one.value, span.start.index, span.end.index, one.appends)
            found.setdefault(_home(one.node, self._grammar), []).append(binding)
        for bindings in found.values():
            bindings.sort(key=lambda binding: binding.at)
        return found

    @cached_property
    def _assignments(self) -> Mapping[str, Sequence[_Assignment]]:
        """By name."""
        grammar = self._grammar
        found: dict[str, list[_Assignment]] = {}
        for kind, (target, value) in grammar.bindings.items():
            for node in self._tree.find_all(kind=kind):
                to, of = node.field(target), node.field(value)
                if to is None or of is None or not self._reading.has(node):
                    continue
                appends = kind in grammar.appendings
                for name, is_all in _names_in(to):
                    found.setdefault(name, []).append(_Assignment(node, of if is_all else None, appends))
        return found


_PATTERNS = frozenset({"pattern_list", "tuple_pattern", "list_pattern", "array_pattern", "object_pattern"})


def _names_in(target: SgNode) -> Iterator[tuple[str, bool]]:
    """The names that an assignment gives values to, and whether it is all that stands on its right."""
    if "identifier" in target.kind():
        yield target.text(), True
    elif target.kind() in _PATTERNS:
        yield from ((one.text(), False) for one in target.children() if "identifier" in one.kind())


def _scopes(node: SgNode, grammar: Grammar) -> list[int]:
    """The functions around it, from the inside out."""
    return [one.range().start.index for one in node.ancestors() if one.kind() in grammar.functions]


def _home(node: SgNode, grammar: Grammar) -> int:
    """The function or class that a name is given a value in."""
    around = (one for one in node.ancestors() if one.kind() in grammar.functions | grammar.classes)
    return next((one.range().start.index for one in around), _MODULE)
