"""What the schema has to say about the names that code uses outside SQL: models, foreign keys, query builders."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from govern.checks.scan.findings import undefined_name
from govern.checks.scan.rules import UNDEFINED_COLUMN, UNDEFINED_TABLE
from govern.checks.scan.schema import Schema
from govern.core.code import NameUse
from govern.core.finding import Finding
from govern.core.restoration import Place, name_place


def judge_names(names: Iterable[NameUse], schema: Schema, own: frozenset[str]) -> Iterator[Finding]:
    """A finding for each table and each column that there is not. ``own``: tables that the code makes for itself."""
    for use in names:
        if use.kind == "model" or use.engine not in ("", schema.engine):
            continue
        table, column = (use.name, None) if use.kind == "table" else _split_column(use.name)
        place = split_place(table)
        columns = schema.find(*place)
        if columns is None and use.may_be_renamed:
            columns = schema.find(place[0], _in_snake_case(place[1]))
        if columns is None:
            if use.is_beside_table or place[1] in own:
                continue
            close = schema.find_close_tables(place)
            yield undefined_name(
                UNDEFINED_TABLE, ("table", name_place(place)), use, "there is no table", close
            )
        elif column is not None and column not in columns:
            if use.may_be_renamed and _in_snake_case(column) in columns:
                continue
            near = tuple(difflib.get_close_matches(column, columns, 2))
            yield undefined_name(UNDEFINED_COLUMN, ("column", use.name), use, "there is no column", near)


def _in_snake_case(name: str) -> str:
    """``created_at`` of ``createdAt``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def split_place(name: str) -> Place:
    """``auth.users``, in its parts."""
    schema, _, table = name.rpartition(".")
    return (schema, table)


def _split_column(name: str) -> tuple[str, str | None]:
    """``auth.users`` and ``id``; a name alone is a table, whose column is the one that refers to it."""
    table, _, column = name.rpartition(".")
    return (table, column) if table else (name, None)
