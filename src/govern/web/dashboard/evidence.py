"""What a finding knows, in the shapes that a page shows: a comparison, numbers, keys, a query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_QUERY, _KEYS, _DECLARED, _LIVE = "query", ("keys", "examples"), "declared", "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of an object on both sides."""

    name: str
    live: str | None
    """None where it is not known of this side."""
    declared: str | None

    @property
    def differs(self) -> bool:
        return self.live is not None and self.declared is not None and self.live != self.declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is shown."""

    facts: tuple[Fact, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    """Of some of the rows; never whole rows."""
    query: str = ""
    """Shows more of them."""

    @property
    def has_both_sides(self) -> bool:
        return any(fact.live is not None for fact in self.facts) and any(
            fact.declared is not None for fact in self.facts
        )


def read_evidence(evidence: Mapping[str, Any]) -> Evidence:
    """Of whatever kind: what is not known here is shown by its name."""
    keys = next((evidence[name] for name in _KEYS if isinstance(evidence.get(name), list | tuple)), ())
    shown = {
        _DECLARED,
        _LIVE,
        _QUERY,
        *(name for name in _KEYS if isinstance(evidence.get(name), list | tuple)),
    }
    declared, live = evidence.get(_DECLARED), evidence.get(_LIVE)
    are_facts = isinstance(declared, Mapping) or isinstance(live, Mapping)
    if not are_facts:
        shown -= {_DECLARED, _LIVE}
    return Evidence(
        facts=_compare(declared or {}, live or {}) if are_facts else (),
        numbers=tuple(
            (name.replace("_", " "), _say(value))
            for name, value in evidence.items()
            if name not in shown and value is not None
        ),
        keys=tuple(_say(key) for key in keys),
        query=str(evidence.get(_QUERY) or ""),
    )


def _compare(declared: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[Fact, ...]:
    names = dict.fromkeys((*declared, *live))
    return tuple(
        Fact(
            name=name.replace("_", " "),
            live=_say(live[name]) if name in live else None,
            declared=_say(declared[name]) if name in declared else None,
        )
        for name in names
    )


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
