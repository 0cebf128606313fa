"""One schema of a database, told as if it were the default one: so that tenants can be held against one declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govern.core.snapshot import Fact, Facts, ObjectKey, default_namespace

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
# what the server writes with its schema whatever the search_path is (ruleutils.c), up to that name
_ALWAYS_QUALIFIED: Mapping[tuple[str, str], str] = {
    ("index", "definition"): rf"CREATE (?:UNIQUE )?INDEX {_NAME} ON (?:ONLY )?",
    ("trigger", "definition"): rf"CREATE (?:CONSTRAINT )?TRIGGER {_NAME} .*? ON ",
    ("rule", "definition"): rf"CREATE RULE {_NAME} AS\s+ON \w+ TO ",
    ("statistics", "definition"): r"CREATE STATISTICS ",
    ("function", "definition"): r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) ",
}


def tell_as_default(objects: Mapping[ObjectKey, Facts], home: str) -> dict[ObjectKey, Facts]:
    """``home``: the schema that all of them are in, as the server quotes it."""
    namespace = default_namespace("postgresql")
    patterns = {
        fact: re.compile(rf"({before}){re.escape(home)}\.", re.DOTALL)
        for fact, before in _ALWAYS_QUALIFIED.items()
    }

    def tell(kind: str, name: str, fact: Fact) -> Fact:
        pattern = patterns.get((kind, name))
        found = pattern.match(fact) if pattern and isinstance(fact, str) else None
        return f"{found[1]}{found.string[found.end() :]}" if found else fact

    return {
        ObjectKey(key.kind, namespace, key.name): {
            name: tell(key.kind, name, fact) for name, fact in facts.items()
        }
        for key, facts in objects.items()
    }
