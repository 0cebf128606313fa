"""Brings a comment into the length that there may be, by whole parts: what is left out is counted and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govern.core.wording import count_of

LONGEST = 65_536
"""Characters of a comment on GitHub; GitLab takes more."""
_RESERVE = 1_024
"""For what is left out, and for a line that whoever sends the comment puts before it."""
_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of Markdown that stands for itself."""

    text: str
    name: str = ""
    """What it is called where it is left out; empty: it is never left out."""
    rank: int = 0
    """Of two that do not both fit the one with the larger number is left out."""


def fit(parts: Sequence[Part], *, longest: int = LONGEST) -> str:
    """The parts that fit, in their order, with an empty line between them."""
    room = longest - _RESERVE - sum(_measure(part.text) for part in parts if not part.name)
    left_out: set[int] = set()
    for position in sorted(range(len(parts)), key=lambda position: parts[position].rank):
        part = parts[position]
        size = _measure(part.text) if part.name else 0
        if size > room:
            left_out.add(position)
        else:
            room -= size
    kept = [part.text for position, part in enumerate(parts) if position not in left_out]
    if left_out:
        kept.append(_tell([parts[position].name for position in sorted(left_out)]))
    return _GAP.join(kept) + "\n"


def fit_items(items: Sequence[str], *, longest: int, gap: str = _GAP) -> str:
    """The first of a list's items, and how many more there are."""
    room = longest
    kept: list[str] = []
    for item in items:
        room -= _measure(item)
        if room < 0:
            break
        kept.append(item)
    more = len(items) - len(kept)
    return gap.join([*kept, *([f"… and {more:,} more."] if more else [])])


def _tell(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    listed = f"{', '.join(names[:5])}{rest}"[:600]
    return f"_{count_of(len(names), 'part')} left out, for a comment has {LONGEST:,} characters at most: {listed}._"


def _measure(text: str) -> int:
    """As JavaScript and GitHub count: in units of UTF-16."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2 + len(_GAP)
