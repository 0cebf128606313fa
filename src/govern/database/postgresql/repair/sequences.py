"""Statements for sequences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from govern.core.snapshot import Fact, Facts, ObjectKey, join_name, split_name
from govern.database.postgresql.repair.names import literal, own_name, quote, relation
from govern.database.postgresql.repair.wanted import Side

_OPTION = re.compile(r"(INCREMENT BY|MINVALUE|MAXVALUE|START WITH|CACHE) (-?\d+)")
_LARGEST = {"smallint": 32767, "integer": 2147483647}
_COUNTABLE = ("smallint", "integer", "bigint")


def create_sequence(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    kind = "UNLOGGED SEQUENCE" if facts.get("persistence") == "unlogged" else "SEQUENCE"
    options = f" {facts['options']}" if "options" in facts else ""
    return (f"CREATE {kind} {quote(key.namespace, key.name)} AS {facts['type']}{options}",)


def alter_sequence(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...]:
    """The position stays, or moves to the nearest one that the new bounds allow."""
    name = quote(key.namespace, key.name)
    statements = []
    if (wanted["type"], wanted.get("options")) != (existing["type"], existing.get("options")):
        options = list(altered_options(wanted.get("options"), str(wanted["type"])))
        if wanted["type"] != existing["type"]:
            options.insert(0, f"AS {wanted['type']}")
        before = _bounds(existing.get("options"), str(existing["type"]))
        lowest, highest = _bounds(wanted.get("options"), str(wanted["type"]))
        if highest < before[0] or before[1] < lowest:
            options.append("RESTART")
        elif lowest > before[0] or highest < before[1]:
            nearest = f"least(greatest(last_value, {lowest}), {highest})"
            statements.append(f"SELECT setval({literal(name)}, {nearest}, is_called) FROM {name}")  # noqa: S608
        statements.append(f"ALTER SEQUENCE {name} {' '.join(options)}")
    if wanted.get("persistence") != existing.get("persistence"):
        persistence = "UNLOGGED" if wanted.get("persistence") == "unlogged" else "LOGGED"
        statements.append(f"ALTER SEQUENCE {name} SET {persistence}")
    return tuple(statements)


def altered_options(options: Fact, type_name: str) -> Iterator[str]:
    """Every option in full: ALTER SEQUENCE takes NO MINVALUE for another one than CREATE SEQUENCE does."""
    said = _said(options)
    increment = int(said.get("INCREMENT BY", 1))
    lowest, highest = _bounds(options, type_name)
    yield f"INCREMENT BY {increment}"
    yield f"MINVALUE {lowest}"
    yield f"MAXVALUE {highest}"
    yield f"START WITH {said.get('START WITH', lowest if increment > 0 else highest)}"
    yield f"CACHE {said.get('CACHE', 1)}"
    yield "CYCLE" if "CYCLE" in str(options).split() else "NO CYCLE"


def _bounds(options: Fact, type_name: str) -> tuple[int, int]:
    said = _said(options)
    largest = _LARGEST.get(type_name, 9223372036854775807)
    lowest, highest = (1, largest) if int(said.get("INCREMENT BY", 1)) > 0 else (-largest - 1, -1)
    return int(said.get("MINVALUE", lowest)), int(said.get("MAXVALUE", highest))


def _said(options: Fact) -> dict[str, str]:
    return dict(_OPTION.findall(str(options or "")))


def create_ownership(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    """The sequence goes with the column; it continues after the values that the column has."""
    name = quote(key.namespace, key.name)
    namespace, *table_and_column = split_name(str(facts["owned_by"]))
    column = ObjectKey("column", namespace, join_name(*table_and_column))
    statements = [f"ALTER SEQUENCE {name} OWNED BY {facts['owned_by']}"]
    if declared.objects.get(column, {}).get("type") in _COUNTABLE and _is_plain(
        declared.objects.get(ObjectKey("sequence", key.namespace, key.name), {})
    ):
        statements.append(continue_after(column, literal(name)))
    return tuple(statements)


def _is_plain(facts: Facts) -> bool:
    return not {"INCREMENT", "MINVALUE", "MAXVALUE"} & set(str(facts.get("options", "")).split())


def continue_after(column: ObjectKey, sequence: str) -> str:
    """The next value is greater than those that are there, as an insert would collide otherwise."""
    name = own_name(column)
    return f"SELECT setval({sequence}, max({name})) FROM {relation(column)} HAVING max({name}) > 0"  # noqa: S608


def drop_ownership(key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    return (f"ALTER SEQUENCE {quote(key.namespace, key.name)} OWNED BY NONE",)


def alter_ownership(
    key: ObjectKey, wanted: Facts, _existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...]:
    return (f"ALTER SEQUENCE {quote(key.namespace, key.name)} OWNED BY {wanted['owned_by']}",)
