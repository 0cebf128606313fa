"""Which table a file is of, by its name: the same name, or the only one that differs in nothing but case."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from govern.core.restoration import Place

_HOMES = ("public", "")
"""The namespaces whose tables go by their own name."""


def find_table(name: str, tables: Iterable[Place]) -> Place | None:
    """The table that ``users`` or ``billing.invoices`` stands for; None where none or more than one does."""
    places = tuple(tables)
    for wanted, spell in ((name, str), (name.casefold(), str.casefold)):
        for spellings in (_in_full, _at_home, _by_itself):
            found = [place for place in places if (said := spellings(place)) and spell(said) == wanted]
            if found:
                return found[0] if len(found) == 1 else None
    return None


def suggest_tables(name: str, tables: Iterable[Place]) -> tuple[str, ...]:
    """Tables of nearly that name, the nearest first."""
    names = {
        table.casefold(): _at_home((namespace, table)) or f"{namespace}.{table}"
        for namespace, table in tables
    }
    return tuple(names[close] for close in difflib.get_close_matches(name.casefold(), names, n=3, cutoff=0.6))


def _in_full(place: Place) -> str:
    namespace, name = place
    return f"{namespace}.{name}" if namespace else name


def _at_home(place: Place) -> str | None:
    namespace, name = place
    return name if namespace in _HOMES else None


def _by_itself(place: Place) -> str | None:
    return place[1]
