"""Statements as PostgreSQL's own grammar reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """What a function, a procedure or a DO block runs, as far as its text tells."""

    body: str
    queries: tuple[str, ...]
    """Its statements of SQL, without those that are only put together when it runs."""
    variables: tuple[str, ...]
    records: tuple[str, ...]
    """Variables that have fields."""
    is_sql: bool
    """Whether its language is SQL: its one query may be several statements."""


def read_routine(sql: str) -> Routine | None:
    """The routine that a statement makes; None for one in another language, and for what is none."""
    import pglast

    [node, *_] = [*(parse_sql(sql, extra="scan") or ()), None]
    options = {
        one.defname: one.arg for one in (getattr(node, "options", None) or getattr(node, "args", None) or ())
    }
    language = getattr(
        options.get("language"), "sval", "plpgsql" if type(node).__name__ == "DoStmt" else "sql"
    )
    listed = options.get("as")
    body = getattr(listed[0] if isinstance(listed, tuple) else listed, "sval", None)
    if body is None or language.lower() not in ("sql", "plpgsql"):
        return None
    if language.lower() == "sql":
        given = tuple(one.name for one in node.parameters or () if one.name)
        return Routine(body=body, queries=(body,), variables=given, records=(), is_sql=True)
    try:
        parsed = pglast.parse_plpgsql(sql)
    except pglast.parser.ParseError:
        return None
    return Routine(
        body=body,
        queries=tuple(_queries_of(parsed)),
        variables=tuple(_named_of(parsed, "PLpgSQL_var")),
        records=tuple(_named_of(parsed, "PLpgSQL_rec")),
        is_sql=False,
    )


_STATEMENT, _EXPRESSION = 0, 2
"""How PL/pgSQL parses a query (PostgreSQL sources, RawParseMode)."""


def _queries_of(parsed: Any) -> Iterator[str]:
    if isinstance(parsed, list):
        for one in parsed:
            yield from _queries_of(one)
    elif isinstance(parsed, dict):
        query, mode = parsed.get("query"), parsed.get("parseMode", _STATEMENT)
        if isinstance(query, str) and mode == _STATEMENT:
            yield query
        elif (
            isinstance(query, str) and mode == _EXPRESSION and re.search(r"\bselect\b", query, re.IGNORECASE)
        ):
            yield f"SELECT {query}"
        else:
            for one in parsed.values():
                yield from _queries_of(one)


def _named_of(parsed: Any, kind: str) -> Iterator[str]:
    if isinstance(parsed, list):
        for one in parsed:
            yield from _named_of(one, kind)
    elif isinstance(parsed, dict):
        for key, value in parsed.items():
            if key == kind and isinstance(value.get("refname"), str):
                yield value["refname"]
            yield from _named_of(value, kind)
