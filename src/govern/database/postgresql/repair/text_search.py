"""Statements for text search: templates, parsers, dictionaries and configurations, whose key's name says which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import address, quote
from govern.database.postgresql.repair.wanted import Side

_FUNCTIONS = {
    "init": "INIT",
    "lexize": "LEXIZE",
    "start": "START",
    "token": "GETTOKEN",
    "end": "END",
    "headline": "HEADLINE",
    "token_types": "LEXTYPES",
}
_OPTION = re.compile(r"""("(?:[^"]|"")*"|[^\s"=,]+) = (E?'(?:[^'\\]|''|\\.)*'|[^,]+)""", re.DOTALL)


def create_text_search(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    options = [f"{option} = {facts[name]}" for name, option in _FUNCTIONS.items() if name in facts]
    options += [f"{name.upper()} = {facts[name]}" for name in ("parser", "template") if name in facts]
    options += [f"{name} = {value}" for name, value in _options(facts).items()]
    return (f"CREATE {address(key)} ({', '.join(options)})", *_change_mappings(key, facts, {}))


def alter_text_search(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where anything but a dictionary's options or a configuration's mappings differs."""
    differing = {name for name in wanted.keys() | existing.keys() if wanted.get(name) != existing.get(name)}
    if not differing <= {"options", "mappings"}:
        return None
    return (*_change_options(key, wanted, existing), *_change_mappings(key, wanted, existing))


def _change_options(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    """Each option anew, as the server moves those that change to the end."""
    before, after = _options(existing), _options(wanted)
    if list(before.items()) != list(after.items()):
        said = [name for name in before if name not in after]
        said += [f"{name} = {value}" for name, value in after.items()]
        yield f"ALTER {address(key)} ({', '.join(said)})"


def _options(facts: Facts) -> dict[str, str]:
    return dict(_OPTION.findall(str(facts.get("options", ""))))


def _change_mappings(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    before, after = _mappings(existing), _mappings(wanted)
    for token in sorted(before.keys() - after.keys()):
        yield f"ALTER {address(key)} DROP MAPPING FOR {quote(token)}"
    for token, dictionaries in after.items():
        if before.get(token) != dictionaries:
            verb = "ALTER" if token in before else "ADD"
            yield f"ALTER {address(key)} {verb} MAPPING FOR {quote(token)} WITH {dictionaries}"


def _mappings(facts: Facts) -> dict[str, str]:
    return {
        token: names for token, _, names in (item.partition(": ") for item in _items(facts.get("mappings")))
    }


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
