"""Statements for casts, conversions of encodings, and transforms."""

from __future__ import annotations

from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair.names import address, literal, quote
from govern.database.postgresql.repair.wanted import Side

_METHODS = {"inout": "WITH INOUT", "binary": "WITHOUT FUNCTION"}
_TRANSFORM_WAYS = {"from_sql": "FROM SQL", "to_sql": "TO SQL"}


def create_cast(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    method = f"WITH FUNCTION {facts['function']}" if "function" in facts else _METHODS[str(facts["method"])]
    context = f" AS {str(facts['context']).upper()}" if "context" in facts else ""
    return (f"CREATE {address(key)} {method}{context}",)


def create_conversion(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    default = "DEFAULT " if facts.get("default") else ""
    name = quote(key.namespace, key.name)
    source, target = (literal(str(facts[fact])) for fact in ("source", "target"))
    return (f"CREATE {default}CONVERSION {name} FOR {source} TO {target} FROM {facts['function']}",)


def create_transform(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    ways = [f"{way} WITH FUNCTION {facts[name]}" for name, way in _TRANSFORM_WAYS.items() if name in facts]
    return (f"CREATE OR REPLACE {address(key)} ({', '.join(ways)})",)


def alter_transform(
    key: ObjectKey, wanted: Facts, _existing: Facts, declared: Side, _live: Side
) -> tuple[str, ...]:
    return create_transform(key, wanted, declared)
