"""Expressions of a program that make a text, put together as far as the program's text tells."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.code.texts.text import Text, hole_at, join_texts

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_DEEPEST = 50
"""Of expressions within expressions, and of names that stand for names."""

_TRANSPARENT = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
)
"""Expressions that are worth what stands in them."""


_TO_ITSELF = frozenset(
    {"strip", "lstrip", "rstrip", "trim", "bindparams", "columns", "as_string", "execution_options"}
)
"""Methods that give back the statement that they are called on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """How a language writes texts, in the words of its tree-sitter grammar."""

    strings: frozenset[str]
    contents: frozenset[str]
    """Of a string: what it says as it is."""
    escapes: frozenset[str]
    holes: frozenset[str]
    """Of a string: what is filled in."""
    concatenations: frozenset[str]
    """One literal after the other."""
    additions: frozenset[str]
    calls: frozenset[str]
    wrappers: frozenset[str]
    """Functions that give back the text that they are given."""
    unescape: Callable[[str], str]
    bindings: Mapping[str, tuple[str, str]]
    """What gives a name its value: the kind of node, and its fields for the name and for the value."""
    appendings: frozenset[str]
    """Those of them that add to what the name stood for."""
    functions: frozenset[str]
    classes: frozenset[str]
    imports: frozenset[str]
    choices: frozenset[str]
    """Expressions that are worth one or the other, by a condition."""

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds of nodes that are looked for in a whole file."""
        return (
            self.strings
            | self.concatenations
            | self.calls
            | self.classes
            | self.imports
            | frozenset(self.bindings)
        )


Resolve = Callable[["SgNode", int], Text | None]
"""The text that a name stands for; None where that is not known. The number: how deep it is asked for."""


def build_text(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int = 0) -> Text | None:
    """The text that an expression makes; None where it makes none, as far as can be told."""
    if depth > _DEEPEST:
        return None
    kind = node.kind()
    if kind in grammar.strings:
        return _read_string(node, grammar, resolve, depth)
    if kind in grammar.concatenations:
        return join_texts([build_text(part, grammar, resolve, depth + 1) for part in node.children()])
    if kind in grammar.additions:
        return _read_operation(node, grammar, resolve, depth)
    if kind in _TRANSPARENT:
        [inner, *_] = [*_named(node), None]
        return build_text(inner, grammar, resolve, depth + 1) if inner else None
    if kind in grammar.calls and (text := _read_call(node, grammar, resolve, depth)) is not None:
        return text
    if kind in grammar.choices:
        return resolve(node, depth + 1) or _choose(node, grammar, resolve, depth)
    return resolve(node, depth + 1)


def is_said_at(node: SgNode, grammar: Grammar, places: Container[tuple[int, int]]) -> bool:
    """Whether a part of what a string says stands at one of these places, lines and columns counted from 1."""
    begins = (child.range().start for child in node.children() if child.kind() in grammar.contents)
    return any((begin.line + 1, begin.column + 1) in places for begin in begins)


def _read_string(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int) -> Text | None:
    text = Text()
    for child in node.children():
        kind, start = child.kind(), child.range().start
        if kind == "string_start" and "b" in child.text().lower():
            return None  # bytes
        if kind in grammar.holes:
            text.extend(_fill(child, grammar, resolve, depth))
        elif kind in grammar.contents:
            _add_content(text, child, grammar)
        elif kind in grammar.escapes:
            text.add(grammar.unescape(child.text()), start.line, start.column)
    return text


def _add_content(text: Text, node: SgNode, grammar: Grammar) -> None:
    """A stretch of a string, which in some grammars has the escapes within."""
    content, begin = node.text(), node.range().start
    at, line, column = 0, begin.line, begin.column

    def take(until: int) -> None:
        nonlocal at, line, column
        part = content[at:until]
        newlines = part.count("\n")
        line, column = (
            (line + newlines, len(part) - part.rfind("\n") - 1) if newlines else (line, column + len(part))
        )
        at = until

    for child in node.children():
        if child.kind() not in (*grammar.escapes, "escape_interpolation"):
            continue
        offset = child.range().start.index - begin.index
        text.add(content[at:offset], line, column)
        take(offset)
        raw = child.text()
        text.add(raw[0] if child.kind() == "escape_interpolation" else grammar.unescape(raw), line, column)
        take(offset + len(raw))
    text.add(content[at:], line, column)


def _fill(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int) -> Text:
    """What stands between braces: a constant's text, or a hole."""
    [inner, *_] = [*_named(node), None]
    found = build_text(inner, grammar, resolve, depth + 1) if inner is not None else None
    is_bound = found is not None and not found.is_sql and _binds_values(node)
    return hole_at(node) if found is None or is_bound else found


_INSERTING = frozenset({"raw", "dedent", "outdent", "stripIndent", "stripIndents", "oneLine", "format"})
"""Tags that put texts together; those of SQL make a parameter of each text that is not SQL by a tag of its own."""


def _binds_values(hole: SgNode) -> bool:
    template = hole.parent()
    call = template.parent() if template is not None else None
    if call is None or template is None or call.kind() != "call_expression":
        return False
    function, arguments = call.field("function"), call.field("arguments")
    is_tagged = function is not None and arguments is not None and arguments.kind() == template.kind()
    return is_tagged and function is not None and function.text().rpartition(".")[2] not in _INSERTING


def _read_operation(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int) -> Text | None:
    left, right = node.field("left"), node.field("right")
    operator = next((child.text() for child in node.children() if child.text() in ("+", "%", "&&")), None)
    if left is None or right is None or operator is None:
        return None
    if operator == "&&":
        return build_text(right, grammar, resolve, depth + 1)
    if operator == "%":
        return resolve(node, depth + 1)
    before = build_text(left, grammar, resolve, depth + 1)
    after = build_text(right, grammar, resolve, depth + 1)
    if before is None and after is None:
        return None
    return join_texts([before or hole_at(left), after or hole_at(right)])


def _choose(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int) -> Text | None:
    """Of two texts the one that says more: what is added under a condition is looked at."""
    parts = _named(node)
    branches = [node.field("consequence") or parts[0], node.field("alternative") or parts[-1]]
    texts = [build_text(branch, grammar, resolve, depth + 1) for branch in branches]
    first, second = texts
    if first is None or second is None:
        return None
    return first if first.says_something else second


def _read_call(node: SgNode, grammar: Grammar, resolve: Resolve, depth: int) -> Text | None:
    function, arguments = node.field("function"), node.field("arguments")
    if function is None or arguments is None:
        return None
    if arguments.kind() in grammar.strings:  # a tagged template
        return _as_sql(build_text(arguments, grammar, resolve, depth + 1))
    name = function.text().rpartition(".")[2]
    if name in _TO_ITSELF and (receiver := function.field("object")) is not None:
        return build_text(receiver, grammar, resolve, depth + 1)
    if name in grammar.wrappers:
        [first, *_] = [*_named(arguments), None]
        return _as_sql(build_text(first, grammar, resolve, depth + 1)) if first is not None else None
    return None


def _as_sql(text: Text | None) -> Text | None:
    if text is not None:
        text.is_sql = True
    return text


def _named(node: SgNode) -> list[SgNode]:
    return [child for child in node.children() if child.is_named() and child.kind() != "comment"]


def unescape_python(raw: str) -> str:
    """What an escape sequence of Python stands for; itself where it is none."""
    if raw == "\\\n":
        return ""
    try:
        return _whole(str(ast.literal_eval(f'"{raw}"')))
    except (SyntaxError, ValueError):
        return raw


def _whole(character: str) -> str:
    """Half of a character is none that a database could be sent, or a terminal."""
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def unescape_ecmascript(raw: str) -> str:
    """The same for JavaScript and TypeScript (ECMA-262, 12.9.4)."""
    rest = raw[1:]
    if rest[:1] in "xu" and (digits := rest[1:].strip("{}")):
        try:
            return _whole(chr(int(digits, 16)))
        except (ValueError, OverflowError):
            return raw
    return _SHORT.get(rest, rest)


PYTHON = Grammar(
    strings=frozenset({"string"}),
    contents=frozenset({"string_content"}),
    escapes=frozenset({"escape_sequence"}),
    holes=frozenset({"interpolation"}),
    concatenations=frozenset({"concatenated_string"}),
    additions=frozenset({"binary_operator"}),
    calls=frozenset({"call"}),
    wrappers=frozenset(
        {"text", "SQL", "dedent", "cleandoc", "RawSQL", "literal_column", "TextClause", "quoted_name", "DDL"}
    ),
    unescape=unescape_python,
    bindings={
        "assignment": ("left", "right"),
        "augmented_assignment": ("left", "right"),
        "named_expression": ("name", "value"),
        "default_parameter": ("name", "value"),
        "typed_default_parameter": ("name", "value"),
    },
    appendings=frozenset({"augmented_assignment"}),
    functions=frozenset({"function_definition", "lambda"}),
    classes=frozenset({"class_definition"}),
    imports=frozenset({"import_from_statement"}),
    choices=frozenset({"conditional_expression"}),
)
JAVASCRIPT = Grammar(
    strings=frozenset({"string", "template_string"}),
    contents=frozenset({"string_fragment"}),
    escapes=frozenset({"escape_sequence"}),
    holes=frozenset({"template_substitution"}),
    concatenations=frozenset(),
    additions=frozenset({"binary_expression"}),
    calls=frozenset({"call_expression"}),
    wrappers=frozenset({"literal", "unsafe", "dedent"}),
    unescape=unescape_ecmascript,
    bindings={
        "variable_declarator": ("name", "value"),
        "assignment_expression": ("left", "right"),
        "augmented_assignment_expression": ("left", "right"),
        "field_definition": ("property", "value"),
    },
    appendings=frozenset({"augmented_assignment_expression"}),
    functions=frozenset(
        {
            "function_declaration",
            "function_expression",
            "arrow_function",
            "method_definition",
            "generator_function",
        }
    ),
    classes=frozenset({"class_declaration", "class"}),
    imports=frozenset({"import_statement"}),
    choices=frozenset({"ternary_expression"}),
)
_JAVASCRIPT_FIELD = "field_definition"
TYPESCRIPT = replace(
    JAVASCRIPT,
    bindings={
        **{kind: fields for kind, fields in JAVASCRIPT.bindings.items() if kind != _JAVASCRIPT_FIELD},
        "public_field_definition": ("name", "value"),
    },
)
