"""Which statements make, unmake and change an object of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair import (
    database_wide,
    privileges,
    relations,
    routines,
    sequences,
    tables,
    types,
)
from govern.database.postgresql.repair.names import address
from govern.database.postgresql.repair.wanted import Side

Statements = tuple[str, ...]


def drop_object(key: ObjectKey, _facts: Facts, _live: Side) -> Statements:
    """RESTRICT, as always: what is in the way is dropped by name or not at all."""
    return (f"DROP {address(key)}",)


def rebuild(_key: ObjectKey, _wanted: Facts, _existing: Facts, _declared: Side, _live: Side) -> None:
    """Nothing can be changed in place."""


@dataclass(frozen=True, slots=True)
class Kind:
    create: Callable[[ObjectKey, Facts, Side], Statements]
    """Of the declared facts and the declared side."""
    alter: Callable[[ObjectKey, Facts, Facts, Side, Side], Statements | None] = rebuild
    """Of the declared and the live facts and sides; None where the object must be made anew."""
    drop: Callable[[ObjectKey, Facts, Side], Statements] = drop_object
    """Of the live facts and side."""


KINDS: Mapping[str, Kind] = {
    "schema": Kind(database_wide.create_schema),
    "extension": Kind(database_wide.create_extension, database_wide.alter_extension),
    "collation": Kind(types.create_collation),
    "enum": Kind(types.create_enum, types.alter_enum),
    "type": Kind(types.create_type, types.alter_type),
    "domain": Kind(types.create_domain, types.alter_domain),
    "sequence": Kind(sequences.create_sequence, sequences.alter_sequence),
    "function": Kind(routines.create_function, routines.alter_function),
    "aggregate": Kind(routines.create_aggregate),
    "table": Kind(tables.create_table, tables.alter_table),
    "column": Kind(tables.create_column, tables.alter_column, tables.drop_column),
    "default": Kind(tables.create_default, tables.alter_default, tables.drop_default),
    "owned": Kind(sequences.create_ownership, sequences.alter_ownership, sequences.drop_ownership),
    "constraint": Kind(relations.create_constraint, relations.alter_constraint, relations.drop_constraint),
    "index": Kind(relations.create_index, relations.alter_index, relations.drop_index),
    "replica-identity": Kind(
        tables.create_replica_identity, tables.alter_replica_identity, tables.drop_replica_identity
    ),
    "statistics": Kind(relations.create_statistics, relations.alter_statistics, relations.drop_statistics),
    "view": Kind(relations.create_view, relations.alter_view),
    "materialized-view": Kind(relations.create_view, relations.alter_view),
    "trigger": Kind(relations.create_trigger, relations.alter_trigger, relations.drop_trigger),
    "rule": Kind(relations.create_rule, relations.alter_trigger, relations.drop_trigger),
    "policy": Kind(relations.create_policy, relations.alter_policy),
    "event-trigger": Kind(database_wide.create_event_trigger, database_wide.alter_event_trigger),
    "publication": Kind(database_wide.create_publication),
}
"""In the order in which objects are made where nothing else decides."""

RANKS: Mapping[str, int] = {
    kind: rank for rank, kind in enumerate((*KINDS, "default-privileges", "owner", "grant", "comment"))
}


def describe(
    key: ObjectKey, wanted: Facts | None, existing: Facts | None, declared: Side, live: Side
) -> Statements:
    """What is said about an object, set as declared; None stands for nothing said."""
    if key.kind == "default-privileges":
        return privileges.change_default_privileges(key, wanted, existing, live)
    if key.kind == "grant":
        return privileges.change_grant(key, wanted, existing, live)
    if key.kind == "owner":
        return privileges.set_owner(key, wanted, declared) if wanted else privileges.reset_owner(key, live)
    return privileges.set_comment(key, wanted, declared) if wanted else privileges.drop_comment(key)
