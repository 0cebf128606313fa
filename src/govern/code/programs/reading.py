"""How a parser's nodes become expressions, in whatever language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.code.looks import may_be_sql
from govern.code.programs.program import Expression, Kind
from govern.code.texts.names import Names
from govern.code.texts.text import Text
from govern.core.code import SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def make(
    kind: Kind, node: SgNode, *parts: Expression, name: str = "", sql: SqlText | None = None
) -> Expression:
    """An expression where the node stands."""
    span = node.range()
    return Expression(kind=kind, begin=span.start.index, end=span.end.index, name=name, parts=parts, sql=sql)


def named(node: SgNode) -> list[SgNode]:
    """What stands in a node, without punctuation and comments."""
    return [child for child in node.children() if child.is_named() and child.kind() != "comment"]


def text_of(node: SgNode | None) -> str:
    return node.text() if node is not None else ""


_LITERALS = frozenset({"string", "concatenated_string", "template_string"})
_FILLED = frozenset({"interpolation", "template_substitution"})
_ADDITIONS = frozenset({"binary_operator", "binary_expression"})
_GIVE_IT_BACK = frozenset({"text", "SQL", "dedent", "cleandoc", "trim", "strip", "raw", "sql"})


def is_one_text(node: SgNode, names: Names) -> bool:
    """Whether an expression is the same text whenever it is reached: no name in it has a second value."""
    kind, inner = node.kind(), named(node)
    if kind in _LITERALS:
        return not any(
            child.kind() in _FILLED or not is_one_text(child, names) for child in _strings_in(node)
        )
    if kind in _ADDITIONS or kind == "parenthesized_expression":
        return bool(inner) and all(is_one_text(child, names) for child in inner)
    if kind == "identifier":
        value = names.value_of(node)
        return value.range() != node.range() and value.kind() != "identifier" and is_one_text(value, names)
    if kind in ("call", "call_expression"):
        function, arguments = node.field("function"), node.field("arguments")
        given = named(arguments) if arguments is not None else []
        name = text_of(function).rpartition(".")[2]
        receiver = function.field("object") if function is not None else None
        if name in ("strip", "trim") and receiver is not None and not given:
            return is_one_text(receiver, names)
        return name in _GIVE_IT_BACK and bool(given) and is_one_text(given[0], names)
    return False


def _strings_in(node: SgNode) -> list[SgNode]:
    return [child for child in named(node) if child.kind() in _LITERALS | _FILLED]


def as_statement(text: Text | None, path: str) -> SqlText | None:
    """What something is called with, if it is SQL."""
    if text is None or not text.marks or not may_be_sql(text.content):
        return None
    return text.as_sql(path, "", "statement")
