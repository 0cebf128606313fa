"""How a parser's nodes become expressions, in whatever language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.code.looks import may_be_sql
from govern.code.program import Expression, Kind
from govern.code.text import Text
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


def as_statement(text: Text | None, path: str) -> SqlText | None:
    """What something is called with, if it is SQL."""
    if text is None or not text.marks or not may_be_sql(text.content):
        return None
    return text.as_sql(path, "", "statement")
