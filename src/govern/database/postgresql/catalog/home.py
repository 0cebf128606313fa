"""One schema of a database, told as if it were the default one: so that tenants can be held against one declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govern.core.snapshot import Fact, Facts, ObjectKey, default_namespace

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_DEFAULT = default_namespace("postgresql")
# what has its schema's name whatever the search_path is, up to that name: by the server (ruleutils.c), or by our
# queries, where the server has no output function for such a name
_ALWAYS_QUALIFIED: Mapping[tuple[str, str], str] = {
    ("index", "definition"): rf"CREATE (?:UNIQUE )?INDEX {_NAME} ON (?:ONLY )?",
    ("trigger", "definition"): rf"CREATE (?:CONSTRAINT )?TRIGGER {_NAME} .*? ON ",
    ("rule", "definition"): rf"CREATE RULE {_NAME} AS\s+ON \w+ TO ",
    ("statistics", "definition"): r"CREATE STATISTICS ",
    ("function", "definition"): r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) ",
    ("operator-class", "family"): "",
    ("operator-class", "operators"): r".*\) FOR ORDER BY ",
    ("operator-family", "operators"): r".*\) FOR ORDER BY ",
    ("text-search", "parser"): "",
    ("text-search", "template"): "",
}
_FULL_NAMES = frozenset({("sequence", "owned_by")})
"""Read as a table's full name by whoever asks what goes with it."""


def tell_as_default(objects: Mapping[ObjectKey, Facts], home: str) -> dict[ObjectKey, Facts]:
    """``home``: the schema that all of them are in, as the server quotes it."""
    own = re.escape(f"{home}.")
    patterns = {
        fact: re.compile(f"({before}){own}", re.DOTALL) for fact, before in _ALWAYS_QUALIFIED.items()
    } | {fact: re.compile(f"(){own}") for fact in _FULL_NAMES}

    def tell(place: tuple[str, str], fact: Fact) -> Fact:
        if place not in patterns or fact is None:
            return fact
        if isinstance(fact, tuple):
            return tuple(str(tell(place, part)) for part in fact)
        found = patterns[place].match(str(fact))
        name = f"{_DEFAULT}." if place in _FULL_NAMES else ""
        return f"{found[1]}{name}{found.string[found.end() :]}" if found else fact

    return {
        ObjectKey(key.kind, _DEFAULT, key.name): {
            name: tell((key.kind, name), fact) for name, fact in facts.items()
        }
        for key, facts in objects.items()
    }
