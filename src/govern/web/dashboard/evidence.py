"""What a finding knows, in the shapes that a page shows: a comparison, numbers, keys, a query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from govern.web.dashboard.comparison import ComparedFact, compare_sides

_MILLISECONDS = "ms"
_QUERY, _KEYS, _SIDES = "query", ("keys", "examples"), ("declared", "live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is shown."""

    facts: tuple[ComparedFact, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    """Of some of the rows; never whole rows."""
    query: str = ""
    """Shows more of them."""


def read_evidence(evidence: Mapping[str, Any]) -> Evidence:
    """Of whatever kind: what is not known here is shown by its name."""
    left = dict(evidence)
    keys = next((left.pop(name) for name in _KEYS if isinstance(left.get(name), list | tuple)), ())
    query = left.pop(_QUERY, None)
    sides = {name: left.pop(name) for name in _SIDES if isinstance(left.get(name), Mapping)}
    return Evidence(
        facts=compare_sides(sides),
        numbers=tuple(_name(name, value) for name, value in left.items() if value is not None),
        keys=tuple(_say(key) for key in keys),
        query=str(query or ""),
    )


def _name(name: str, value: object) -> tuple[str, str]:
    if name == _MILLISECONDS:
        return "took", f"{_say(value)} ms"
    return name.replace("_", " "), _say(value)


def _say(value: object) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
