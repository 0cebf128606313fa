"""What is declared beside what is there: fact by fact, texts line by line, words that differ within a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

_MOST_LINES = 400
"""Of one fact: more are counted, and not compared."""
_LONGEST_LINE = 2_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.3
"""Below this likeness of two lines no word of them is compared: they are other lines."""

LineKind = Literal["same", "changed", "declared", "live"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line."""

    text: str
    differs: bool = False


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePair:
    """One line of both sides; of a side that has none of it None."""

    kind: LineKind
    declared: Line | None
    live: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFact:
    """One fact of an object."""

    name: str
    lines: tuple[LinePair, ...]
    lines_left_out: int = 0

    @property
    def kind(self) -> LineKind:
        """Of all of it."""
        kinds = {line.kind for line in self.lines}
        return kinds.pop() if len(kinds) == 1 else "changed"


def compare_sides(evidence: Mapping[str, Any]) -> tuple[ComparedFact, ...]:
    """Every fact that differs. ``evidence``: that of a drift's finding, ``declared`` and ``live``; one of them alone
    where the other side has no such object."""
    declared, live = evidence.get("declared"), evidence.get("live")
    names = dict.fromkeys((*(declared or ()), *(live or ())))
    return tuple(
        _compare_fact(name, declared.get(name) if declared else _ABSENT, live.get(name) if live else _ABSENT)
        for name in names
    )


class _Absent:
    """There is no such object."""


_ABSENT = _Absent()


def _compare_fact(name: str, declared: object, live: object) -> ComparedFact:
    ours, theirs = _write(declared), _write(live)
    lines = _compare_lines(ours[:_MOST_LINES], theirs[:_MOST_LINES])
    longest = max(len(ours), len(theirs))
    return ComparedFact(
        name=name.replace("_", " "), lines=tuple(lines), lines_left_out=max(0, longest - _MOST_LINES)
    )


def _write(fact: object) -> list[str]:
    """As lines; none where there is no such object."""
    if isinstance(fact, _Absent):
        return []
    if fact is None:
        return ["unset"]
    if isinstance(fact, bool):
        return ["yes" if fact else "no"]
    items: Iterable[object] = fact if isinstance(fact, list | tuple) else str(fact).split("\n")
    return [_shorten(str(item)) for item in items] or ["none"]


def _shorten(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…"


def _compare_lines(declared: Sequence[str], live: Sequence[str]) -> Iterator[LinePair]:
    for tag, start, end, other_start, other_end in SequenceMatcher(
        None, declared, live, autojunk=False
    ).get_opcodes():
        for ours, theirs in zip_longest(declared[start:end], live[other_start:other_end]):
            if tag == "equal":
                yield LinePair(kind="same", declared=(Piece(ours),), live=(Piece(theirs),))
            else:
                yield _pair(ours, theirs)


def _pair(declared: str | None, live: str | None) -> LinePair:
    if declared is None:
        return LinePair(kind="live", declared=None, live=(Piece(live or "", differs=True),))
    if live is None:
        return LinePair(kind="declared", declared=(Piece(declared, differs=True),), live=None)
    ours, theirs = _WORD.findall(declared), _WORD.findall(live)
    words = SequenceMatcher(None, ours, theirs, autojunk=False)
    if words.ratio() < _ALIKE:
        return LinePair(
            kind="changed", declared=(Piece(declared, differs=True),), live=(Piece(live, differs=True),)
        )
    left, right = [], []
    for tag, start, end, other_start, other_end in words.get_opcodes():
        left.append(Piece("".join(ours[start:end]), differs=tag != "equal"))
        right.append(Piece("".join(theirs[other_start:other_end]), differs=tag != "equal"))
    return LinePair(kind="changed", declared=_without_empty(left), live=_without_empty(right))


def _without_empty(pieces: Iterable[Piece]) -> Line:
    return tuple(piece for piece in pieces if piece.text)
