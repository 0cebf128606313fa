"""Statements as databases prepare them: one at a time, with numbered parameters in place of drivers' placeholders."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from govern.core.code import HOLE, Mark, SqlText

# what one can begin with is told first: at most places of a text there is none;
# what is no placeholder comes before what is one: texts, quoted names, comments, casts, operators of jsonb and arrays
_TOKEN = re.compile(
    rf"""
    (?=['"$\-/:?@;%<{HOLE}]|e'|[bs])(?:
    (?P<opaque>
        [eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | \$(?P<tag>[A-Za-z_]\w*)\$.*?\$(?P=tag)\$
      | \$\$.*?\$\$
      | --[^\n]*
      | /\*(?>/\*.*?\*/|.)*?\*/
      | \bBEGIN\s+ATOMIC\b.*?;\s*END\b
      | ::|:=|\?\||\?&|@\?|@@|@>|<@
      | (?<=\w\s)\?(?=\s*')
    )
    | (?P<end>;)
    | %\((?P<percent>\w+)\)s
    | (?P<unnamed>%s|\?(?!\d)|{HOLE})
    | (?P<escaped>%%)
    | (?<![\w:])[:@](?P<named>[A-Za-z_]\w*)
    | sqlc\.n?arg\(\s*['"]?(?P<argument>\w+)['"]?\s*\)
    | [$?](?P<numbered>\d+)(?P<raw>:name\b|:raw\b|~|\^)?
    | \$(?:<|\{{|\(|/)(?P<bracketed>\w+)(?P<raw_too>:name|:raw|~|\^)?(?:>|\}}|\)|/)
    | (?<![\w$])\$(?P<dollar>[A-Za-z_]\w*)
    )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


_NAMING = ("percent", "named", "numbered", "bracketed", "argument", "dollar")
NAME_HOLE = "govern_hole"
"""Stands in for what is not known of a name: no database has an object of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, ready to be prepared."""

    sql: str
    parameters: int
    origins: tuple[tuple[int, int], ...]
    """Pairs of offsets: from the first one in ``sql`` on, it is the text that it was made of from the second one on."""
    names: tuple[str, ...] = ()
    """What its parameters are called, in their order; of one without a name ``#`` and where it stands."""

    def find_origin(self, offset: int) -> int:
        """Where a character of ``sql`` stands in the text it was made of."""
        at, origin = self.origins[bisect_right(self.origins, offset, key=lambda pair: pair[0]) - 1]
        return origin + offset - at


def split_statements(text: str, *, hole: str | None = None) -> Iterator[Statement]:
    """The statements of a text, without empty ones.

    ``hole``: what stands in for what is not known, outside of texts and comments; None: a parameter, or a part of the
    name that it touches; nothing: what fits there, a condition or nothing at all. Half a text is half a statement: the
    database says so.
    """
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    numbers: dict[str, int] = {}
    length, at = 0, 0

    def add(part: str, origin: int) -> None:
        nonlocal length
        if part:
            origins.append((length, origin))
            parts.append(part)
            length += len(part)

    def finish() -> Iterator[Statement]:
        nonlocal length
        sql = "".join(parts)
        if _says_something(sql):
            yield Statement(
                sql=sql, parameters=len(set(numbers.values())), origins=tuple(origins), names=tuple(numbers)
            )
        parts.clear()
        origins.clear()
        numbers.clear()
        length = 0

    for found in _TOKEN.finditer(text):
        add(text[at : found.start()], at)
        at = found.end()
        if found["end"]:
            yield from finish()
        elif found["opaque"]:
            stand_in = NAME_HOLE if found[0].startswith('"') else "_"
            add(found[0].replace(HOLE, stand_in), found.start())
        elif found["escaped"]:
            add("%", found.start())
        elif _is_name(found, text, surely=hole is not None):
            add(NAME_HOLE, found.start())
        elif found[0] == HOLE and hole is not None:
            add(hole or _find_stand_in(text[: found.start()]), found.start())
        else:
            name = next(filter(None, found.group(*_NAMING)), None) or f"#{found.start()}"
            number = numbers.setdefault(name, len(numbers) + 1)
            add(_as_list(text[max(0, found.start() - 300) : found.start()], f"${number}"), found.start())
    add(text[at:], at)
    yield from finish()


_LISTING = ("in", "values")
_LISTED = re.compile(r"\bIN\s*$|(?:\((?P<columns>[^()]*)\)\s*)?\bVALUES\s*$", re.IGNORECASE)


def _as_list(before: str, parameter: str) -> str:
    """The parameter, in brackets where a driver fills in all of a list: ``IN %s``, ``VALUES %s``."""
    found = _LISTED.search(before) if before.rstrip().lower().endswith(_LISTING) else None
    if found is None:
        return parameter
    more = (found["columns"] or "").count(",")
    return f"({', '.join([parameter, *['NULL'] * more])})"


def split_text(sql: SqlText) -> Iterator[SqlText]:
    """One text of many statements as a text a statement, each at its place."""
    begin = 0
    for found in (*_TOKEN.finditer(sql.text), None):
        if found is not None and not found["end"]:
            continue
        end = found.start() if found else len(sql.text)
        part = sql.text[begin:end]
        if _says_something(part):
            spot = sql.find_spot(begin)
            inner = (
                Mark(mark.offset - begin, mark.line, mark.column)
                for mark in sql.marks
                if begin < mark.offset < end
            )
            yield replace(sql, text=part, marks=(Mark(0, spot.line, spot.column), *inner))
        begin = found.end() if found else end


def _is_name(found: re.Match[str], text: str, *, surely: bool) -> bool:
    """Whether a name is filled in: by pg-promise's ``$1:name``, by a hole that touches the rest of it."""
    if found["raw"] or found["raw_too"]:
        return True
    return found[0] == HOLE and _is_in_name(text, found.start(), surely=surely)


def _is_in_name(text: str, at: int, *, surely: bool) -> bool:
    """``surely``: not where it only follows a word, as a clause does that begins with its own blank."""
    before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
    is_touched = after.isalnum() or (after != "" and after in '_."') or (before != "" and before in '_."')
    return is_touched or (before.isalnum() and not surely)


_STAND_INS = (
    (re.compile(r"\bINDEX\s[^;()]*\sON\s*$", re.I), NAME_HOLE),
    (re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|TRUNCATE|ONLY|VIEW|INDEX|SEQUENCE)\s*$", re.I), NAME_HOLE),
    (re.compile(r"\bBY\s*$", re.I), "1"),
    (re.compile(r"\b(?:WHERE|AND|OR|NOT|ON|HAVING|WHEN)\s*\(?\s*$", re.I), "TRUE"),
    (re.compile(r"\bIN\s*$", re.I), "(NULL)"),
    (re.compile(r"(?:[=<>(,+*/|-]|\b(?:SELECT|LIMIT|OFFSET|THEN|ELSE|BETWEEN|I?LIKE))\s*$", re.I), "NULL"),
)
"""By what comes before a hole."""
_SHORT = 200


def _find_stand_in(before: str) -> str:
    """What a statement can be read with where a part of it is not known; nothing where it can do without."""
    return next((one for pattern, one in _STAND_INS if pattern.search(before[-_SHORT:])), "")


_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def _says_something(sql: str) -> bool:
    return bool(_COMMENT.sub("", sql).strip())
