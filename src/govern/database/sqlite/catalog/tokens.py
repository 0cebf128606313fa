"""SQLite's stored CREATE texts as tokens, so that spelling alone is never a difference.

SQLite keeps the author's text and no catalog: comments, white space, quotes and the case of reserved words
go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from govern.core.identifiers import quote

_TOKEN = re.compile(
    r"""
      (?P<skipped>   \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<literal>   [xX]?'(?:[^']|'')*' | \d[\w.]*(?:(?<=[eE])[+-]\d+)? | \.\d\w* )
    | (?P<quoted>    "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<word>      [^\W\d][\w$]* )
    | (?P<operator>  ->> | -> | \|\| | << | >> | <= | >= | <> | != | == | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[^\W\d][\w$]*")
# those that cannot be names without quotes
# fmt: off
_RESERVED = frozenset({
    "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CHECK", "COLLATE", "COMMIT",
    "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP", "ELSE", "ESCAPE",
    "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INDEX", "INSERT", "INTO", "IS", "ISNULL", "JOIN",
    "LIMIT", "NOT", "NOTNULL", "NULL", "ON", "OR", "ORDER", "PRIMARY", "REFERENCES", "RETURNING", "SELECT",
    "SET", "TABLE", "THEN", "TO", "TRANSACTION", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN",
    "WHERE",
})
# fmt: on
_NO_SPACE_BEFORE = frozenset({")", ",", ".", ";"})
_NO_SPACE_AFTER = frozenset({"(", "."})


def tokens(sql: str) -> tuple[str, ...]:
    """The text's tokens: reserved words in capitals, names without quotes where they need none."""
    return tuple(_normal(found) for found in _TOKEN.finditer(sql) if found.lastgroup != "skipped")


def text_of(parts: Sequence[str]) -> str:
    """The tokens as one line."""
    written: list[str] = []
    before = "("
    for part in parts:
        attached = (
            before in _NO_SPACE_AFTER
            or part in _NO_SPACE_BEFORE
            or (part == "(" and before not in _RESERVED and bool(_PLAIN.fullmatch(before)))
        )
        written.append(part if attached else f" {part}")
        before = part
    return "".join(written)


def name_of(token: str) -> str:
    """The name that a token stands for."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


def split_top(parts: Sequence[str], separator: str = ",") -> Iterator[tuple[str, ...]]:
    """The runs of tokens between separators that stand in no bracket."""
    start = 0
    for position, depth in enumerate(depths(parts)):
        if parts[position] == separator and depth == 0:
            yield tuple(parts[start:position])
            start = position + 1
    yield tuple(parts[start:])


def depths(parts: Iterable[str]) -> list[int]:
    """For each token, in how many brackets it stands; a bracket stands outside of itself."""
    found: list[int] = []
    depth = 0
    for part in parts:
        depth -= part == ")"
        found.append(depth)
        depth += part == "("
    return found


def closing(parts: Sequence[str], opening: int) -> int:
    """Where the bracket that opens at ``opening`` closes."""
    levels = depths(parts)
    return next(
        at for at in range(opening + 1, len(parts)) if parts[at] == ")" and levels[at] == levels[opening]
    )


def _normal(found: re.Match[str]) -> str:
    text = found.group()
    if found.lastgroup == "word":
        return text.upper() if text.upper() in _RESERVED else text
    if found.lastgroup != "quoted":
        return text
    mark = text[-1]
    name = text[1:-1] if mark == "]" else text[1:-1].replace(mark * 2, mark)
    if _PLAIN.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    return quote(name)
