"""Statements as PostgreSQL's own grammar reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from govern.errors import ToolMissing


def parse_sql(sql: str, *, extra: str) -> tuple[Any, ...] | None:
    """The nodes of its statements; None for what is no PostgreSQL.

    ``extra``: of the package, which has pglast. Raises ToolMissing without it.
    """
    try:
        import pglast
    except ImportError as error:
        raise ToolMissing(
            "statements cannot be read: pglast is not installed", next=f"pip install 'govern[{extra}]'"
        ) from error
    try:
        return tuple(statement.stmt for statement in pglast.parse_sql(sql))
    except pglast.parser.ParseError:
        return None


def walk(node: Any) -> Iterator[Any]:
    """A node, or several, and all below."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif hasattr(node, "__slots__"):
        yield node
        for name in node.__slots__:
            yield from walk(getattr(node, name, None))
