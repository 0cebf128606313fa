"""Statements for languages and access methods: what a handler function brings."""

from __future__ import annotations

from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair.names import quote
from govern.database.postgresql.repair.wanted import Side


def create_language(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    trusted = "TRUSTED " if facts.get("trusted") else ""
    functions = [
        f"{name.upper()} {facts[name]}" for name in ("handler", "inline", "validator") if name in facts
    ]
    return (f"CREATE OR REPLACE {trusted}LANGUAGE {quote(key.name)} {' '.join(functions)}",)


def alter_language(
    key: ObjectKey, wanted: Facts, _existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...]:
    return create_language(key, wanted, declared)


def create_access_method(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    kind = str(facts["type"]).upper()
    return (f"CREATE ACCESS METHOD {quote(key.name)} TYPE {kind} HANDLER {facts['handler']}",)
