"""Objections that are the scan's own doing: it does not know the types of parameters, which drivers do.

A database that is asked to prepare ``mtime < now() - $1`` takes ``$1`` for a time. A driver that sends an interval
with its type, or fills it in itself, means no such thing. So the statement is shown again, with types that would fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from govern.checks.scan.placeholders import Statement
from govern.checks.scan.schema import Schema
from govern.core.code import HOLE, SqlText
from govern.core.objection import Objection, ObjectionKind

_TYPED_BY_DRIVERS = re.compile(rf"%s|%\(\w+\)s|(?<![\w:])[:$][A-Za-z_]|{HOLE}")
"""Placeholders of drivers that know what they fill in; ``$1`` and ``?`` go to the database as they are."""
_WITHIN_LITERAL = re.compile(rf"'[^']*(?:%s|%\(\w+\)s|{HOLE})[^']*'")
_TYPES = (
    "interval",
    "text",
    "bigint",
    "timestamptz",
    "jsonb",
    "text[]",
    "bigint[]",
    "boolean",
    "date",
    "uuid",
    "numeric",
)
_MOST_PARAMETERS = 12
"""Of which each is tried with each type; nobody writes more of them into an expression."""
_CONSTANTS = ("1", "'x'", "(NULL)")
"""The last one for a list, and for rows of VALUES."""
_WITHOUT_TYPES: frozenset[ObjectionKind] = frozenset({"undefined-table", "undefined-column"})
"""What constants have no part in."""
_TOO_FEW = "INSERT has more target columns"
"""Whoever fills in whole rows, as psycopg2's execute_values, fills in as many values as there are columns."""
_ROUNDS = 3
"""So many parameters may need a type of their own."""


def reconsider(sql: SqlText, statement: Statement, objection: Objection, schema: Schema) -> Objection | None:
    """The objection, or None where values of some type make the statement one that the database takes."""
    if not schema.reads_grammar or not _TYPED_BY_DRIVERS.search(sql.text):
        return objection
    if objection.message.startswith("invalid input syntax") and _WITHIN_LITERAL.search(sql.text):
        return None
    if not statement.parameters:
        return objection
    if objection.message.endswith("is not unique"):
        return None  # with a type it is
    if objection.kind == "syntax":
        return _try_constants(statement, objection, schema)
    if objection.kind in ("wrong-type", "undefined-function"):
        return _try_types(statement, objection, schema)
    return objection


def _try_constants(statement: Statement, objection: Objection, schema: Schema) -> Objection | None:
    """``ALTER SEQUENCE … RESTART WITH $1``: a driver that fills in values itself can do it."""
    said = schema.judge([(re.sub(r"\$\d+", value, statement.sql), 0) for value in _CONSTANTS])
    if None in said:
        return None
    others = [other for other in said if other is not None and other.kind != "syntax"]
    others += [other for other in said if other is not None and other.message.startswith(_TOO_FEW)]
    if not others:
        return objection
    return replace(others[0], offset=None) if others[0].kind in _WITHOUT_TYPES else None


def _try_types(statement: Statement, objection: Objection, schema: Schema) -> Objection | None:
    """What is left when each parameter has the type that gets the database furthest."""
    sql, left = statement.sql, objection
    for _ in range(_ROUNDS):
        tried = list(_with_types(sql, statement.parameters))
        said = schema.judge([(one, statement.parameters) for one in tried])
        if None in said:
            return None
        for one, other in zip(tried, said, strict=True):
            if other is not None and other.kind in _WITHOUT_TYPES and left.kind not in _WITHOUT_TYPES:
                return replace(other, offset=_origin_of(other.offset, one, sql))
        reached = [
            (other.offset - (len(one) - len(sql)), one, other)
            for one, other in zip(tried, said, strict=True)
            if other is not None and other.offset is not None and not other.message.startswith("cannot cast")
        ]
        furthest = max(reached, key=lambda each: each[0], default=None)
        if furthest is None or left.offset is None or furthest[0] <= left.offset:
            break
        sql, left = furthest[1], replace(furthest[2], offset=furthest[0])
    return left


def _origin_of(offset: int | None, changed: str, sql: str) -> int | None:
    """Where it stands in ``sql``, into which one type was written."""
    if offset is None:
        return None
    begins = next(
        (at for at, (one, other) in enumerate(zip(changed, sql, strict=False)) if one != other), len(sql)
    )
    return offset if offset <= begins else offset - (len(changed) - len(sql))


def _with_types(sql: str, parameters: int) -> Iterator[str]:
    for number in range(1, min(parameters, _MOST_PARAMETERS) + 1):
        for kind in _TYPES:
            changed = re.sub(rf"\${number}(?!\d|::)", f"${number}::{kind}", sql)
            if changed != sql:
                yield changed
