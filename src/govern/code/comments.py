"""Comments that say what a scan should leave alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from govern.core.code import Ignore

_IGNORE = re.compile(
    r"(?P<mark>\#|//|--|/\*)\s*govern:\s*ignore(?:\[(?P<rules>[^\]\n]*)\])?[ \t]*(?P<reason>[^\n]*)"
)


def find_ignores(content: str) -> Iterator[Ignore]:
    """Each of them; one that stands alone on its line means the next line that is none."""
    if "govern:" not in content:
        return
    lines = content.split("\n")
    for number, line in enumerate(lines, 1):
        found = _IGNORE.search(line)
        if found is None:
            continue
        rules = tuple(part.strip() for part in (found["rules"] or "").split(",") if part.strip())
        reason = found["reason"].removesuffix("*/").strip(" :-–—")
        stands_alone = not line[: found.start()].strip()
        meant = _next_line(lines, number) if stands_alone else number
        yield Ignore(line=meant, stands_at=number, rules=rules, reason=reason, text=found[0].strip())


def _next_line(lines: list[str], number: int) -> int:
    """The next line with something other than such a comment, counted from 1."""
    following = (
        at for at in range(number, len(lines)) if lines[at].strip() and not _IGNORE.search(lines[at])
    )
    return next(following, number) + 1
