"""Statements for schemas, extensions, event triggers and publications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import literal, quote
from govern.database.postgresql.repair.wanted import Side

_ENABLED = {None: "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
_GENERATED_COLUMNS = {"s": "stored", "n": "none"}


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
    tables = [f"TABLE {table}" for table in _items(facts.get("tables"))]
    schemas = [f"TABLES IN SCHEMA {quote(name)}" for name in _items(facts.get("schemas"))]
    members = "FOR ALL TABLES" if facts.get("all_tables") else ""
    if tables or schemas:
        members = f"FOR {', '.join(map(_with_condition, (*tables, *schemas)))}"
    options = [f"publish = {literal(str(facts.get('operations') or ''))}"]
    if facts.get("via_root"):
        options.append("publish_via_partition_root = true")
    if "generated_columns" in facts:
        options.append(f"publish_generated_columns = {_GENERATED_COLUMNS[str(facts['generated_columns'])]}")
    return (
        " ".join(
            filter(None, (f"CREATE PUBLICATION {quote(key.name)}", members, f"WITH ({', '.join(options)})"))
        ),
    )


def _with_condition(member: str) -> str:
    """A row filter wants brackets around it, which the server leaves out where it sees none needed."""
    table, where, condition = member.partition(" WHERE ")
    return f"{table} WHERE ({condition})" if where else member


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
