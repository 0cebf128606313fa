"""Python's syntax trees as programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from govern.code.programs.program import Expression, Kind
from govern.code.programs.reading import as_statement, is_one_text, make, named, text_of
from govern.code.texts.building import PYTHON, build_text
from govern.code.texts.names import Names
from govern.code.tree import Tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_BLOCKS = frozenset({"block", "else_clause", "finally_clause"})
_COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
_UNKNOWN_TARGETS = frozenset({"as_pattern_target", "case_pattern", "global_statement", "nonlocal_statement"})
"""Whatever names stand in them get values that nobody here follows."""


def read_python_program(tree: Tree, path: str, imported: Mapping[str, str]) -> Expression:
    """``imported``: the texts of the names that the file imports from others of the project."""
    return _Translation(Names(tree, PYTHON, imported), path).block(tree.root)


class _Translation:
    """Looks at one file, from the outside in."""

    def __init__(self, names: Names, path: str) -> None:
        self._names, self._path = names, path
        self._readers: Mapping[str, Callable[[SgNode], Expression]] = {
            "identifier": lambda node: make("name", node, name=node.text()),
            "dotted_name": lambda node: make("name", node, name=node.text()),
            "attribute": self._attribute,
            "subscript": self._item,
            "call": self._call,
            "keyword_argument": self._keyword,
            "list_splat": lambda node: self._all("spread", node),
            "dictionary_splat": lambda node: self._all("spread", node),
            "string": self._string,
            "integer": lambda node: make("number", node, name=node.text()),
            "none": lambda node: make("null", node),
            "tuple": lambda node: self._all("sequence", node),
            "list": lambda node: self._all("sequence", node),
            "expression_list": lambda node: self._all("sequence", node),
            "pattern_list": lambda node: self._all("sequence", node),
            "tuple_pattern": lambda node: self._all("sequence", node),
            "list_pattern": lambda node: self._all("sequence", node),
            "dictionary": lambda node: self._all("mapping", node),
            "pair": self._pair,
            "comparison_operator": self._comparison,
            "conditional_expression": self._choice,
            "parenthesized_expression": self._wrapped,
            "await": self._wrapped,
            "assignment": self._assignment,
            "augmented_assignment": lambda node: self._unknown(node, node.field("left")),
            "named_expression": self._named,
            "return_statement": lambda node: self._all("return", node),
            "raise_statement": lambda node: self._all("raise", node),
            "if_statement": lambda node: self._all("branch", node),
            "elif_clause": lambda node: self._all("branch", node),
            "try_statement": lambda node: self._all("attempt", node),
            "for_statement": self._loop,
            "for_in_clause": self._loop,
            "function_definition": self._function,
            "lambda": self._function,
            "class_definition": self._class,
            "decorated_definition": lambda node: self._all("decorated", node),
            "import_from_statement": self._import_from,
            "import_statement": self._import,
            "expression_statement": self._statement,
            "type": lambda node: make("type", node, name=node.text()),
        }

    def read(self, node: SgNode) -> Expression:
        kind = node.kind()
        if reader := self._readers.get(kind):
            return reader(node)
        if kind in _BLOCKS:
            return self.block(node)
        if kind in _COMPREHENSIONS:
            return self._all("comprehension", node)
        if kind in _UNKNOWN_TARGETS:
            return self._unknown(node, node)
        return self._all("other", node)

    def block(self, node: SgNode) -> Expression:
        return self._all("block", node)

    def _all(self, kind: Kind, node: SgNode, name: str = "") -> Expression:
        return make(kind, node, *map(self.read, named(node)), name=name)

    def _statement(self, node: SgNode) -> Expression:
        inner = [self.read(one) for one in named(node)]
        return inner[0] if len(inner) == 1 else make("other", node, *inner)

    def _attribute(self, node: SgNode) -> Expression:
        return make("attribute", node, self._field(node, "object"), name=text_of(node.field("attribute")))

    def _item(self, node: SgNode) -> Expression:
        keys = [self.read(one) for one in node.field_children("subscript")]
        name = keys[0].name if len(keys) == 1 and keys[0].kind in ("text", "number") else ""
        return make("item", node, self._field(node, "value"), *keys, name=name)

    def _call(self, node: SgNode) -> Expression:
        arguments = node.field("arguments")
        given = named(arguments) if arguments is not None else []
        if arguments is not None and arguments.kind() != "argument_list":
            given = [arguments]
        text = self._names.build(given[0]) if given and is_one_text(given[0], self._names) else None
        sql = as_statement(text, self._path)
        function = self._field(node, "function")
        return make("call", node, function, *map(self.read, given), sql=sql)

    def _keyword(self, node: SgNode) -> Expression:
        return make("keyword", node, self._field(node, "value"), name=text_of(node.field("name")))

    def _string(self, node: SgNode) -> Expression:
        holes = [child for child in node.children() if child.kind() == "interpolation"]
        if holes:
            return make("template", node, *(self.read(one) for hole in holes for one in named(hole)))
        text = build_text(node, PYTHON, lambda _node, _depth: None)
        return make("text", node, name=text.content if text else "")

    def _pair(self, node: SgNode) -> Expression:
        key = self._field(node, "key")
        value = self._field(node, "value")
        if key.kind == "text":
            return make("pair", node, value, name=key.name)
        return make("other", node, key, value)

    def _comparison(self, node: SgNode) -> Expression:
        operands = named(node)
        operators = [child.text() for child in node.children() if not child.is_named()]
        if len(operands) != 2:
            return self._all("other", node)
        return make("comparison", node, *map(self.read, operands), name=operators[0] if operators else "")

    def _choice(self, node: SgNode) -> Expression:
        then, condition, otherwise = (self.read(one) for one in named(node)[:3])
        return make("choice", node, condition, then, otherwise)

    def _wrapped(self, node: SgNode) -> Expression:
        inner = named(node)
        return self._all("wrapped" if len(inner) == 1 else "other", node)

    def _assignment(self, node: SgNode) -> Expression:
        right = node.field("right")
        if right is None:
            return make("other", node)
        return make("bind", node, self._field(node, "left"), self.read(right))

    def _named(self, node: SgNode) -> Expression:
        return make("bind", node, self._field(node, "name"), self._field(node, "value"))

    def _unknown(self, node: SgNode, target: SgNode | None) -> Expression:
        read = self._all("other", node)
        names = target.find_all(kind="identifier") if target is not None else []
        if target is not None and target.kind() == "identifier":
            names = [target]
        where = "outer" if node.kind() in ("global_statement", "nonlocal_statement") else ""
        binds = (make("bind", one, make("name", one, name=one.text()), name=where) for one in names)
        return make("other", node, *binds, *read.parts)

    def _loop(self, node: SgNode) -> Expression:
        parts = [self._field(node, "left"), self._field(node, "right")]
        known = {part.begin for part in parts}
        body = [self.read(one) for one in named(node) if one.range().start.index not in known]
        return make("loop", node, *parts, *body)

    def _function(self, node: SgNode) -> Expression:
        given, body = node.field("parameters"), node.field("body")
        parameters = [self._parameter(one) for one in named(given)] if given is not None else []
        start = given if given is not None else node
        inner = self.read(body) if body is not None else make("block", node)
        if node.kind() == "lambda":
            inner = make("return", body or node, inner)
        return make(
            "function", node, make("parameters", start, *parameters), inner, name=text_of(node.field("name"))
        )

    def _parameter(self, node: SgNode) -> Expression:
        kind = node.kind()
        if kind == "identifier":
            return make("parameter", node, name=node.text())
        if kind in ("default_parameter", "typed_default_parameter", "typed_parameter"):
            name = node.field("name") or next(iter(named(node)), None)
            rest = [one for one in (node.field("type"), node.field("value")) if one is not None]
            if name is not None and name.kind() == "identifier":
                return make("parameter", node, *map(self.read, rest), name=name.text())
        return self._unknown(node, node)

    def _class(self, node: SgNode) -> Expression:
        bases = node.field("superclasses")
        parts = [self._all("sequence", bases)] if bases is not None else [make("sequence", node)]
        return make("class", node, *parts, self._field(node, "body"), name=text_of(node.field("name")))

    def _import_from(self, node: SgNode) -> Expression:
        parts = []
        for one in node.field_children("name"):
            name, alias = one.field("name") or one, one.field("alias")
            local = alias or name
            parts.append(make("imported", one, make("name", local, name=local.text()), name=name.text()))
        if any(child.kind() == "wildcard_import" for child in node.children()):
            parts.append(make("imported", node, name="*"))
        return make("import", node, *parts, name=text_of(node.field("module_name")))

    def _import(self, node: SgNode) -> Expression:
        imports = []
        for one in node.field_children("name"):
            name, alias = one.field("name") or one, one.field("alias")
            local = alias or name
            imported = make("imported", one, make("name", local, name=local.text()))
            imports.append(make("import", node, imported, name=name.text()))
        return imports[0] if len(imports) == 1 else make("other", node, *imports)

    def _field(self, node: SgNode, name: str) -> Expression:
        found = node.field(name)
        return self.read(found) if found is not None else make("other", node)
