"""Statements for schemas, extensions, event triggers and publications."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import literal, quote
from govern.database.postgresql.repair.wanted import Side

_ENABLED = {None: "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
_GENERATED_COLUMNS = {"s": "stored", "n": "none"}
_NAME = r'(?:"(?:[^"]|"")*"|[^\s".]+)'
_TABLE = re.compile(rf"({_NAME}(?:\.{_NAME})*).*", re.DOTALL)
"""A table's name, without its columns and its condition."""


def create_schema(key: ObjectKey, _facts: Facts, _declared: Side) -> tuple[str, ...]:
    return (f"CREATE SCHEMA {quote(key.name)}",)


def create_extension(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    where, version = quote(str(facts["schema"])), literal(str(facts["version"]))
    return (f"CREATE EXTENSION {quote(key.name)} WITH SCHEMA {where} VERSION {version}",)


def alter_extension(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...]:
    alter = f"ALTER EXTENSION {quote(key.name)}"
    statements = []
    if wanted["schema"] != existing["schema"]:
        statements.append(f"{alter} SET SCHEMA {quote(str(wanted['schema']))}")
    if wanted["version"] != existing["version"]:
        statements.append(f"{alter} UPDATE TO {literal(str(wanted['version']))}")
    return tuple(statements)


def create_event_trigger(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    tags = ", ".join(literal(tag) for tag in _items(facts.get("tags")))
    when = f" WHEN TAG IN ({tags})" if tags else ""
    create = f"CREATE EVENT TRIGGER {quote(key.name)} ON {facts['event']}{when} EXECUTE FUNCTION {facts['function']}"
    return (create, *_enable(key, facts, {}))


def alter_event_trigger(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    if any(wanted.get(name) != existing.get(name) for name in ("event", "function", "tags")):
        return None
    return tuple(_enable(key, wanted, existing))


def _enable(key: ObjectKey, wanted: Facts, existing: Facts) -> Iterator[str]:
    state = wanted.get("enabled")
    if state != existing.get("enabled"):
        yield f"ALTER EVENT TRIGGER {quote(key.name)} {_ENABLED[str(state) if state else None]}"


def create_publication(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    words = [f"CREATE PUBLICATION {quote(key.name)}"]
    if facts.get("all_tables"):
        words.append("FOR ALL TABLES")
    elif members := _members(facts):
        words.append(f"FOR {', '.join(members)}")
    words.append(f"WITH ({', '.join(_options(facts))})")
    return (" ".join(words),)


def alter_publication(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where it has, or had, all tables."""
    if wanted.get("all_tables") != existing.get("all_tables"):
        return None
    alter = f"ALTER PUBLICATION {quote(key.name)}"
    statements = []
    before, after = _members(existing), _members(wanted)
    if after and before != after:
        statements.append(f"{alter} SET {', '.join(after)}")
    elif before != after:
        tables = [_TABLE.sub(r"\1", table) for table in _items(existing.get("tables"))]
        statements.append(f"{alter} DROP {', '.join(_members({**existing, 'tables': tuple(tables)}))}")
    if options := [option for option in _options(wanted, existing) if option not in _options(existing)]:
        statements.append(f"{alter} SET ({', '.join(options)})")
    return tuple(statements)


def _members(facts: Facts) -> list[str]:
    """The word TABLE stands before the first only: before PostgreSQL 15 it may not be said again."""
    tables = ", ".join(map(_with_condition, _items(facts.get("tables"))))
    schemas = [f"TABLES IN SCHEMA {quote(name)}" for name in _items(facts.get("schemas"))]
    return [f"TABLE {tables}", *schemas] if tables else schemas


def _options(facts: Facts, other: Facts | None = None) -> list[str]:
    """With those that ``other`` has too; an older server lacks some."""
    options = [
        f"publish = {literal(str(facts.get('operations') or ''))}",
        f"publish_via_partition_root = {'true' if facts.get('via_root') else 'false'}",
    ]
    if "generated_columns" in (other or facts) or "generated_columns" in facts:
        generated = _GENERATED_COLUMNS[str(facts.get("generated_columns", "n"))]
        options.append(f"publish_generated_columns = {generated}")
    return options


def _with_condition(member: str) -> str:
    """A row filter wants brackets around it, which the server leaves out where it sees none needed."""
    table, where, condition = member.partition(" WHERE ")
    return f"{table} WHERE ({condition})" if where else member


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
