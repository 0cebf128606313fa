"""Statements for foreign data: wrappers, servers, user mappings and foreign tables.

A snapshot never holds a secret: what has one can be altered beside it, and never be made anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.snapshot import Fact, Facts, ObjectKey
from govern.database.postgresql.repair.names import grantee, literal, mapped_server, quote, relation
from govern.database.postgresql.repair.tables import (
    alter_parents,
    define_column,
    finish_columns,
)
from govern.database.postgresql.repair.wanted import Side

_NAME_AND_VALUE = re.compile(r'("(?:[^"]|"")*"|\S+) (.*)', re.DOTALL)
_HIDDEN = "'***'"


def has_secret(facts: Facts) -> bool:
    return any(value == _HIDDEN for value in _options(facts).values())


def create_wrapper(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    functions = [f"{name.upper()} {facts[name]}" for name in ("handler", "validator") if name in facts]
    return _create(f"CREATE FOREIGN DATA WRAPPER {quote(key.name)}", functions, facts)


def alter_wrapper(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...]:
    changes = [
        f"{name.upper()} {wanted[name]}" if name in wanted else f"NO {name.upper()}"
        for name in ("handler", "validator")
        if wanted.get(name) != existing.get(name)
    ]
    return _alter(f"ALTER FOREIGN DATA WRAPPER {quote(key.name)}", changes, wanted, existing)


def create_server(key: ObjectKey, facts: Facts, _declared: Side) -> tuple[str, ...]:
    words = [f"{name.upper()} {literal(str(facts[name]))}" for name in ("type", "version") if name in facts]
    words.append(f"FOREIGN DATA WRAPPER {quote(str(facts['wrapper']))}")
    return _create(f"CREATE SERVER {quote(key.name)}", words, facts)


def alter_server(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where its type or wrapper differs."""
    if any(wanted.get(name) != existing.get(name) for name in ("type", "wrapper")):
        return () if has_secret(wanted) else None
    changes = []
    if wanted.get("version") != existing.get("version"):
        changes.append(f"VERSION {literal(str(wanted['version'])) if 'version' in wanted else 'NULL'}")
    return _alter(f"ALTER SERVER {quote(key.name)}", changes, wanted, existing)


def create_mapping(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    return _create(f"CREATE {_mapping(key, declared)}", [], facts)


def alter_mapping(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, live: Side
) -> tuple[str, ...]:
    return _alter(f"ALTER {_mapping(key, live)}", [], wanted, existing)


def drop_mapping(key: ObjectKey, _facts: Facts, live: Side) -> tuple[str, ...]:
    return (f"DROP {_mapping(key, live)}",)


def _mapping(key: ObjectKey, side: Side) -> str:
    role = grantee(key)
    if role != "PUBLIC":
        role = quote(side.usual_owner if role == "(owner)" else role)
    return f"USER MAPPING FOR {role} SERVER {quote(mapped_server(key).name)}"


def create_foreign_table(key: ObjectKey, facts: Facts, declared: Side) -> tuple[str, ...]:
    columns = declared.columns(key)
    own = [define_column(column, of, declared) for column, of in columns if "type" in of]
    words = [f"({', '.join(own)})"]
    if "partition_of" in facts:
        words = [f"PARTITION OF {facts['partition_of']} {facts['partition_bound']}"]
    if parents := facts.get("inherits"):
        words.append(f"INHERITS ({', '.join(_items(parents))})")
    words.append(f"SERVER {quote(str(facts['server']))}")
    create = _create(f"CREATE FOREIGN TABLE {relation(key)}", words, facts)
    return (
        (*create, *finish_columns(columns, declared, is_inherited="partition_of" in facts)) if create else ()
    )


def alter_foreign_table(
    key: ObjectKey, wanted: Facts, existing: Facts, _declared: Side, _live: Side
) -> tuple[str, ...] | None:
    """None where it is on another server: no row is lost, as none is here."""
    if wanted["server"] != existing["server"]:
        return () if has_secret(wanted) else None
    return (
        *alter_parents(relation(key), wanted, existing),
        *_alter(f"ALTER FOREIGN TABLE {relation(key)}", [], wanted, existing),
    )


def _create(create: str, words: list[str], facts: Facts) -> tuple[str, ...]:
    if has_secret(facts):
        return ()
    options = _items(facts.get("options"))
    return (" ".join((create, *words, *([f"OPTIONS ({', '.join(options)})"] if options else ()))),)


def _alter(alter: str, changes: list[str], wanted: Facts, existing: Facts) -> tuple[str, ...]:
    """A secret that is missing is left to whoever knows it."""
    if options := list(_change_options(_options(wanted), _options(existing))):
        changes = [*changes, f"OPTIONS ({', '.join(options)})"]
    return (f"{alter} {' '.join(changes)}",) if changes else ()


def _change_options(wanted: dict[str, str], existing: dict[str, str]) -> Iterator[str]:
    for name in sorted(existing.keys() - wanted.keys()):
        yield f"DROP {name}"
    for name, value in wanted.items():
        if existing.get(name) != value and value != _HIDDEN:
            yield f"{'SET' if name in existing else 'ADD'} {name} {value}"


def _options(facts: Facts) -> dict[str, str]:
    found = (_NAME_AND_VALUE.fullmatch(item) for item in _items(facts.get("options")))
    return {match[1]: match[2] for match in found if match}


def _items(fact: Fact) -> Sequence[str]:
    return fact if isinstance(fact, tuple) else ()
