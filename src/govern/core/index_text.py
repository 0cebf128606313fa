"""What the definition of an index says, as both engines write it."""

from __future__ import annotations

import re

from govern.core.snapshot import Facts, split_name

_INDEXED = re.compile(r" USING \w+ \((.*?)\)(?: INCLUDE| WITH| WHERE| NULLS|$)", re.DOTALL)
_WHERE = re.compile(r"\) WHERE ", re.DOTALL)


def read_index_columns(facts: Facts) -> tuple[str, ...]:
    """The columns of an index, or expressions, in order."""
    columns = facts.get("columns")
    if isinstance(columns, tuple):
        return columns
    found = _INDEXED.search(str(facts.get("definition", "")))
    return _read_names(found[1]) if found else ()


def is_partial(facts: Facts) -> bool:
    """Whether an index is over some of the rows."""
    return bool(facts.get("where")) or _WHERE.search(str(facts.get("definition", ""))) is not None


def _read_names(listed: str) -> tuple[str, ...]:
    """Of an expression its text."""
    return tuple(
        (split_name(part.strip()) or (part.strip(),))[0] for part in listed.split(",") if part.strip()
    )
