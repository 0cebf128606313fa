"""Syntax trees of JavaScript and TypeScript as programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.code.programs.program import Expression, Kind
from govern.code.programs.reading import as_statement, is_one_text, make, named, text_of
from govern.code.texts.building import JAVASCRIPT, Grammar, build_text
from govern.code.texts.names import Names
from govern.code.tree import Tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_BLOCKS = frozenset({"program", "statement_block", "else_clause", "finally_clause", "class_body"})
_SEQUENCES = frozenset({"array", "array_pattern"})
_MAPPINGS = frozenset({"object", "object_pattern"})
_WRAPPERS = frozenset(
    {"parenthesized_expression", "await_expression", "non_null_expression"}
    | {"as_expression", "satisfies_expression"}
)
_FUNCTIONS = frozenset(
    {"function_declaration", "function_expression", "arrow_function", "method_definition"}
    | {"generator_function", "generator_function_declaration"}
)
_COMPARISONS = frozenset({"==", "===", "!=", "!==", "<", ">", "<=", ">="})


def read_ecmascript_program(
    tree: Tree, path: str, grammar: Grammar, imported: Mapping[str, str]
) -> Expression:
    """``grammar``: ``JAVASCRIPT`` or ``TYPESCRIPT``; ``imported``: the texts of names from other files."""
    return _Translation(Names(tree, grammar, imported), path).read(tree.root)


class _Translation:
    """Looks at one file, from the outside in."""

    def __init__(self, names: Names, path: str) -> None:
        self._names, self._path = names, path
        self._readers: Mapping[str, Callable[[SgNode], Expression]] = {
            "identifier": lambda node: make("name", node, name=node.text()),
            "shorthand_property_identifier": self._shorthand,
            "shorthand_property_identifier_pattern": self._shorthand,
            "member_expression": self._attribute,
            "subscript_expression": self._item,
            "call_expression": self._call,
            "new_expression": self._new,
            "spread_element": lambda node: self._all("spread", node),
            "string": lambda node: make("text", node, name=self._content(node)),
            "template_string": self._template,
            "number": lambda node: make("number", node, name=node.text()),
            "null": lambda node: make("null", node, name="null"),
            "undefined": lambda node: make("null", node, name="undefined"),
            "pair": self._pair,
            "pair_pattern": self._pair,
            "binary_expression": self._binary,
            "unary_expression": self._unary,
            "ternary_expression": lambda node: self._all("choice", node),
            "variable_declarator": self._declarator,
            "assignment_expression": self._assignment,
            "augmented_assignment_expression": lambda node: self._unknown(node, node.field("left")),
            "update_expression": lambda node: self._unknown(node, node.field("argument")),
            "public_field_definition": lambda node: self._bind(node, "name", "value"),
            "field_definition": lambda node: self._bind(node, "property", "value"),
            "return_statement": lambda node: self._all("return", node),
            "throw_statement": lambda node: self._all("raise", node),
            "if_statement": lambda node: self._all("branch", node),
            "try_statement": lambda node: self._all("attempt", node),
            "catch_clause": self._catch,
            "for_in_statement": self._loop,
            "class_declaration": self._class,
            "class": self._class,
            "import_statement": self._import,
            "export_statement": self._export,
            "expression_statement": self._only,
            "lexical_declaration": self._only,
            "type_annotation": lambda node: make("type", node, name=node.text().lstrip(": ")),
        }

    def read(self, node: SgNode) -> Expression:
        kind = node.kind()
        if reader := self._readers.get(kind):
            return reader(node)
        if kind in _FUNCTIONS:
            return self._function(node)
        if kind in _WRAPPERS:
            return make("wrapped", node, *map(self.read, named(node)[:1]))
        for kinds, meant in ((_BLOCKS, "block"), (_SEQUENCES, "sequence"), (_MAPPINGS, "mapping")):
            if kind in kinds:
                return self._all(meant, node)  # type: ignore[arg-type]
        return self._all("other", node)

    def _all(self, kind: Kind, node: SgNode, name: str = "") -> Expression:
        return make(kind, node, *map(self.read, named(node)), name=name)

    def _only(self, node: SgNode) -> Expression:
        inner = [self.read(one) for one in named(node)]
        return inner[0] if len(inner) == 1 else make("other", node, *inner)

    def _shorthand(self, node: SgNode) -> Expression:
        return make("pair", node, make("name", node, name=node.text()), name=node.text())

    def _attribute(self, node: SgNode) -> Expression:
        return make("attribute", node, self._field(node, "object"), name=text_of(node.field("property")))

    def _item(self, node: SgNode) -> Expression:
        key = self._field(node, "index")
        name = key.name if key.kind in ("text", "number") else ""
        return make("item", node, self._field(node, "object"), key, name=name)

    def _call(self, node: SgNode) -> Expression:
        function, arguments = self._field(node, "function"), node.field("arguments")
        if arguments is not None and arguments.kind() == "template_string":
            text = self._names.build(arguments)
            return make("call", node, function, self.read(arguments), sql=as_statement(text, self._path))
        given = named(arguments) if arguments is not None else []
        read = tuple(map(self.read, given))
        chosen = _statement_in(given)
        is_known = chosen is not None and is_one_text(chosen, self._names)
        text = self._names.build(chosen) if chosen is not None and is_known else None
        return make("call", node, function, *read, sql=as_statement(text, self._path))

    def _new(self, node: SgNode) -> Expression:
        arguments = node.field("arguments")
        given = map(self.read, named(arguments)) if arguments is not None else ()
        return make("call", node, self._field(node, "constructor"), *given)

    def _content(self, node: SgNode) -> str:
        text = build_text(node, JAVASCRIPT, lambda _node, _depth: None)
        return text.content if text else ""

    def _template(self, node: SgNode) -> Expression:
        holes = [child for child in node.children() if child.kind() == "template_substitution"]
        if not holes:
            return make("text", node, name=self._content(node))
        around = "".join(child.text() for child in node.children() if child.kind() == "string_fragment")
        inner = (self.read(one) for hole in holes for one in named(hole))
        return make("template", node, *inner, name=around)

    def _pair(self, node: SgNode) -> Expression:
        key = node.field("key")
        name = text_of(key).strip("\"'") if key is not None and key.kind() != "computed_property_name" else ""
        return make("pair", node, self._field(node, "value"), name=name)

    def _binary(self, node: SgNode) -> Expression:
        operator = text_of(node.field("operator"))
        if operator not in _COMPARISONS:
            return self._all("other", node, operator)
        return self._all("comparison", node, operator)

    def _unary(self, node: SgNode) -> Expression:
        return self._all("unary", node, text_of(node.field("operator")))

    def _declarator(self, node: SgNode) -> Expression:
        value = node.field("value")
        if value is None:
            return make("bind", node, self._field(node, "name"), make("null", node, name="undefined"))
        target = self._field(node, "name")
        home = _required_file(value)
        if home and target.kind == "mapping":
            parts = (replace(pair, kind="imported") for pair in target.parts if pair.kind == "pair")
            return make("import", node, *parts, name=home)
        if home and target.kind == "name":
            return make("import", node, make("imported", node, target), name=home)
        return make("bind", node, target, self.read(value))

    def _assignment(self, node: SgNode) -> Expression:
        value = self._field(node, "right")
        is_exported = text_of(node.field("left")) in ("module.exports", "exports") and value.kind == "mapping"
        names = [pair for pair in value.parts if pair.kind == "pair" and pair.parts[0].kind == "name"]
        if not is_exported or len(names) != len(value.parts):
            return replace(self._bind(node, "left", "right"), name="outer")
        parts = (
            replace(
                pair,
                kind="imported",
                name=pair.parts[0].name,
                parts=(replace(pair.parts[0], name=pair.name),),
            )
            for pair in names
        )
        return make("export", node, *parts)

    def _bind(self, node: SgNode, target: str, value: str) -> Expression:
        if node.field(value) is None:
            return make("other", node)
        return make("bind", node, self._field(node, target), self._field(node, value))

    def _unknown(self, node: SgNode, target: SgNode | None) -> Expression:
        read = self._all("other", node)
        names = [one for one in [target] if one is not None and one.kind() == "identifier"]
        if target is not None and not names:
            names = target.find_all(kind="identifier")
        binds = (make("bind", one, make("name", one, name=one.text()), name="outer") for one in names)
        return make("other", node, *binds, *read.parts)

    def _catch(self, node: SgNode) -> Expression:
        parameter = node.field("parameter")
        read = self._field(node, "body")
        if parameter is None:
            return make("block", node, read)
        bind = make("bind", parameter, make("name", parameter, name=parameter.text()))
        return make("block", node, bind, read)

    def _loop(self, node: SgNode) -> Expression:
        is_of = any(child.text() == "of" for child in node.children())
        parts = [self._field(node, "left"), self._field(node, "right"), self._field(node, "body")]
        if is_of:
            return make("loop", node, *parts)
        return make("other", node, make("bind", node, parts[0]), *parts[1:])

    def _function(self, node: SgNode) -> Expression:
        given, single, body = node.field("parameters"), node.field("parameter"), node.field("body")
        nodes = named(given) if given is not None else [single] if single is not None else []
        parameters = make("parameters", node, *map(self._parameter, nodes))
        inner = self.read(body) if body is not None else make("block", node)
        if body is not None and body.kind() != "statement_block":
            inner = make("return", body, inner)
        return make("function", node, parameters, inner, name=text_of(node.field("name")))

    def _parameter(self, node: SgNode) -> Expression:
        pattern = node.field("pattern") or node
        rest = [one for one in (node.field("type"), node.field("value")) if one is not None]
        if pattern.kind() == "identifier":
            return make("parameter", node, *map(self.read, rest), name=pattern.text())
        if pattern.kind() == "object_pattern":
            return make("parameter", node, self.read(pattern))
        return self._unknown(node, node)

    def _class(self, node: SgNode) -> Expression:
        body = self._field(node, "body")
        return make("class", node, make("sequence", node), body, name=text_of(node.field("name")))

    def _import(self, node: SgNode) -> Expression:
        parts = []
        for clause in (child for child in node.children() if child.kind() == "import_clause"):
            for one in named(clause):
                if one.kind() == "identifier":
                    parts.append(make("imported", one, make("name", one, name=one.text()), name="default"))
                elif one.kind() == "namespace_import":
                    local = named(one)[0]
                    parts.append(make("imported", one, make("name", local, name=local.text())))
                parts += [_specified(each) for each in one.find_all(kind="import_specifier")]
        return make("import", node, *parts, name=text_of(node.field("source")).strip("\"'"))

    def _export(self, node: SgNode) -> Expression:
        source = text_of(node.field("source")).strip("\"'")
        specifiers = node.find_all(kind="export_specifier")
        if specifiers:
            return make("export", node, *map(_specified, specifiers), name=source)
        if source:
            return make("export", node, make("imported", node, name="*"), name=source)
        return self._all("other", node, "export")

    def _field(self, node: SgNode, name: str) -> Expression:
        found = node.field(name)
        return self.read(found) if found is not None else make("other", node)


def _specified(node: SgNode) -> Expression:
    """``a as b``: there and here."""
    name, alias = node.field("name") or node, node.field("alias")
    local = alias or name
    return make("imported", node, make("name", local, name=local.text()), name=name.text())


def _required_file(node: SgNode) -> str:
    """What ``require("./ids")`` asks for."""
    function, arguments = node.field("function"), node.field("arguments")
    if node.kind() != "call_expression" or text_of(function) != "require" or arguments is None:
        return ""
    given = named(arguments)
    return text_of(given[0]).strip("\"'`") if len(given) == 1 and given[0].kind() == "string" else ""


def _statement_in(given: list[SgNode]) -> SgNode | None:
    """The first argument, or what an object there has as its text."""
    if given and given[0].kind() == "object":
        pairs = (child for child in given[0].children() if child.kind() == "pair")
        named_so = (pair for pair in pairs if text_of(pair.field("key")) in ("text", "sql", "query"))
        found = next(named_so, None)
        return found.field("value") if found is not None else None
    return given[0] if given else None
