"""What is declared beside what is there: fact by fact, texts line by line, words that differ within a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

_MOST_LINES = 300
"""Of one fact: more are counted, and not compared."""
_LONGEST_LINE = 1_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.5
"""Below this likeness of two lines no word of them is compared: they are other lines."""

_LONGEST_LIKENESS = 120
"""Of a line: by its beginning it is known."""
_MOST_WORDS = 120
"""Of a line whose words are compared."""
_CONTEXT = 3
"""Lines that are the same, before and after those that are not."""
_MOST_PAIRS = 400
"""Of lines that are compared with each other; of more than that each stands beside the next."""

LineKind = Literal["same", "changed", "declared", "live", "left-out"]


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
    declared: Line | None = None
    live: Line | None = None
    count: int = 1
    """How many lines of both sides are left out here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFact:
    """One fact of an object."""

    name: str
    lines: tuple[LinePair, ...]


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
    lines = list(_compare_lines(ours[:_MOST_LINES], theirs[:_MOST_LINES]))
    left_out = max(len(ours), len(theirs)) - _MOST_LINES
    if left_out > 0:
        lines.append(LinePair(kind="left-out", count=left_out))
    return ComparedFact(name=name.replace("_", " "), lines=tuple(lines))


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
        ours, theirs = declared[start:end], live[other_start:other_end]
        if tag == "equal":
            yield from _fold(ours)
        else:
            yield from (_pair(left, right) for left, right in _align(ours, theirs))


def _fold(lines: Sequence[str]) -> Iterator[LinePair]:
    """Of many lines that are the same the first and the last ones."""
    shown = [LinePair(kind="same", declared=(Piece(line),), live=(Piece(line),)) for line in lines]
    if len(shown) <= 2 * _CONTEXT + 1:
        yield from shown
        return
    yield from shown[:_CONTEXT]
    yield LinePair(kind="left-out", count=len(shown) - 2 * _CONTEXT)
    yield from shown[-_CONTEXT:]


def _align(ours: Sequence[str], theirs: Sequence[str]) -> Iterable[tuple[str | None, str | None]]:
    """Lines that are most alike stand beside each other, in their order."""
    if not ours or not theirs or len(ours) * len(theirs) > _MOST_PAIRS:
        return zip_longest(ours, theirs)
    best: dict[tuple[int, int], float] = {}
    likeness = [[_likeness(left, right) for right in theirs] for left in ours]
    for at in range(len(ours) - 1, -1, -1):
        for other in range(len(theirs) - 1, -1, -1):
            best[at, other] = max(
                likeness[at][other] + best.get((at + 1, other + 1), 0.0),
                best.get((at + 1, other), 0.0),
                best.get((at, other + 1), 0.0),
            )
    return _walk_best(ours, theirs, best)


def _walk_best(
    ours: Sequence[str], theirs: Sequence[str], best: Mapping[tuple[int, int], float]
) -> Iterator[tuple[str | None, str | None]]:
    at = other = 0
    while at < len(ours) and other < len(theirs):
        here = best[at, other]
        if here == best.get((at + 1, other), 0.0) and here > 0:
            yield ours[at], None
            at += 1
        elif here == best.get((at, other + 1), 0.0) and here > 0:
            yield None, theirs[other]
            other += 1
        else:
            yield ours[at], theirs[other]
            at, other = at + 1, other + 1
    yield from zip_longest(ours[at:], theirs[other:])


def _likeness(left: str, right: str) -> float:
    """0.0 where they are other lines."""
    one, other = left.strip()[:_LONGEST_LIKENESS], right.strip()[:_LONGEST_LIKENESS]
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio >= _ALIKE else 0.0


def _pair(declared: str | None, live: str | None) -> LinePair:
    if declared is None:
        return LinePair(kind="live", declared=None, live=(Piece(live or ""),))
    if live is None:
        return LinePair(kind="declared", declared=(Piece(declared),), live=None)
    ours, theirs = _WORD.findall(declared), _WORD.findall(live)
    words = SequenceMatcher(None, ours, theirs, autojunk=False)
    if max(len(ours), len(theirs)) > _MOST_WORDS or words.ratio() < _ALIKE:
        return LinePair(kind="changed", declared=_mark(declared), live=_mark(live))
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, start, end, other_start, other_end in words.get_opcodes():
        differs = tag != "equal"
        left += _mark("".join(ours[start:end]), differs=differs)
        right += _mark("".join(theirs[other_start:other_end]), differs=differs)
    return LinePair(kind="changed", declared=tuple(left), live=tuple(right))


def _mark(text: str, *, differs: bool = True) -> Line:
    """A difference without the space before it, which nobody could see."""
    space = text[: len(text) - len(text.lstrip())]
    pieces = (Piece(space), Piece(text[len(space) :], differs=differs))
    return tuple(piece for piece in pieces if piece.text)
