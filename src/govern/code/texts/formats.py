"""Formats of a program, filled with what they are given: ``{}``, ``%s``, knex's ``??``, ``%I`` of pg-format."""

from __future__ import annotations

import re
from collections.abc import Callable

from govern.code.texts.text import Text
from govern.core.code import HOLE, SqlText

BRACES = re.compile(r"\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
PERCENTS = re.compile(r"%%|%(?:\(\w+\))?[-+ #0]*(?:\*|\d+)?(?:\.\d+)?[sdifr]")
BINDINGS = re.compile(r"\?\?|\?(?![|&])|:\w+:")
"""knex's: ``?`` is a value and ``??`` a name."""
PG_FORMAT = re.compile(r"%%|%(?:\d+\$)?[ILs]")
_ESCAPED = {"{{": "{", "}}": "}", "%%": "%"}

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_FIELD = re.compile(r"\{\w*(?:![rsa])?\}")

Fill = Callable[[str, int], "Text | None"]
"""What stands in a field, by its text and its number; None where that is not known."""


def fill_fields(text: Text, fields: re.Pattern[str], fill: Fill) -> Text:
    """The same text with what its fields are filled with, holes where that is not known."""
    content, made = text.content, Text()
    if not text.marks:
        return made
    places = SqlText(text=content, path="", marks=tuple(text.marks), via="")
    at = number = 0
    for found in fields.finditer(content):
        _copy(made, places, at, found.start())
        spot = places.find_spot(found.start())
        at = found.end()
        if found[0] in _ESCAPED:
            made.add(_ESCAPED[found[0]], spot.line - 1, spot.column - 1)
            continue
        given = fill(found[0], number)
        number += 1
        if given is None:
            made.add(HOLE, spot.line - 1, spot.column - 1)
        else:
            made.extend(given)
    _copy(made, places, at, len(content))
    return made


def is_format(content: str) -> bool:
    """Whether it has fields where SQL has no braces, outside of its own texts: somebody fills them elsewhere."""
    return _FIELD.search(_QUOTED.sub("''", content)) is not None


def name_of_field(field: str) -> str:
    """``user`` of ``{user.id!r:>5}`` and of ``%(user)s``; nothing where it goes by its place."""
    found = re.match(r"\{(\w*)(.*)\}$|%\((\w+)\)", field, re.DOTALL)
    if found is None:
        return ""
    has_more = (found[2] or "")[:1] in (".", "[")
    return "\0" if has_more else (found[1] or found[3] or "")


def _copy(made: Text, places: SqlText, begin: int, end: int) -> None:
    """From ``begin`` to ``end``, with every place where the text changes to another one in the file."""
    edges = [mark.offset for mark in places.marks if begin < mark.offset < end]
    for start, stop in zip((begin, *edges), (*edges, end), strict=True):
        spot = places.find_spot(start)
        made.add(places.text[start:stop], spot.line - 1, spot.column - 1)
