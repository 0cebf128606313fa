"""Constant defaults that give a column the same value, however they are written: ``'0'``, ``0`` and ``FALSE``."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from govern.core.changes import Change
from govern.core.identifiers import quote
from govern.core.snapshot import Fact

_CONSTANT = re.compile(r"(?:[-+] ?)?(?:\d+(?:\.\d*)?|\.\d+)|'(?:[^']|'')*'|TRUE|FALSE", re.IGNORECASE)
_IS_SAME = "SELECT typeof(a) = typeof(b) AND a IS b FROM defaults"


def find_equal_defaults(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Of ``changes``, columns whose two defaults are constants that SQLite stores as one value, with that fact alone.

    A text becomes a number in a column of numbers (https://www.sqlite.org/datatype3.html, 3).
    """
    found = []
    for change in changes:
        declared, live = change.facts.get("default", (None, None))
        is_column = change.action == "changed" and change.key.kind == "column"
        if is_column and "type" not in change.facts and _store_same(change, declared, live):
            found.append(replace(change, facts={"default": (declared, live)}))
    return tuple(found)


def _store_same(change: Change, declared: Fact, live: Fact) -> bool:
    column_type = (change.live or {}).get("type", "")
    if not (_is_constant(declared) and _is_constant(live)):
        return False
    if not isinstance(column_type, str) or column_type == "ANY":
        return False  # ANY converts nothing in a STRICT table
    type_ = quote(column_type) if column_type else ""  # a type may be any word, as SQLite has it
    with closing(sqlite3.connect(":memory:")) as database:
        # constants, as they were matched: a default is no place for parameters
        database.execute(
            f"CREATE TABLE defaults (a {type_} DEFAULT ({declared}), b {type_} DEFAULT ({live}))"
        )
        database.execute("INSERT INTO defaults DEFAULT VALUES")
        return bool(database.execute(_IS_SAME).fetchone()[0])


def _is_constant(fact: Fact) -> bool:
    return isinstance(fact, str) and _CONSTANT.fullmatch(fact) is not None
