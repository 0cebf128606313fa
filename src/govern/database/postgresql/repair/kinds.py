"""Which statements make, unmake and change an object of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair import (
    attachments,
    conversions,
    database_wide,
    foreign,
    languages,
    operators,
    privileges,
    relations,
    routines,
    sequences,
    tables,
    text_search,
    types,
    views,
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
    "access-method": Kind(languages.create_access_method),
    "collation": Kind(types.create_collation),
    "enum": Kind(types.create_enum, types.alter_enum),
    "type": Kind(types.create_type, types.alter_type, types.drop_type),
    "domain": Kind(types.create_domain, types.alter_domain),
    "sequence": Kind(sequences.create_sequence, sequences.alter_sequence),
    "function": Kind(routines.create_function, routines.alter_function),
    "base": Kind(types.create_base, types.alter_base, types.drop_base),
    "language": Kind(languages.create_language, languages.alter_language),
    "aggregate": Kind(routines.create_aggregate),
    "operator": Kind(operators.create_operator, operators.alter_operator),
    "operator-family": Kind(operators.create_family, operators.alter_family),
    "operator-class": Kind(operators.create_class),
    "cast": Kind(conversions.create_cast),
    "conversion": Kind(conversions.create_conversion),
    "transform": Kind(conversions.create_transform, conversions.alter_transform),
    "text-search": Kind(text_search.create_text_search, text_search.alter_text_search),
    "foreign-data-wrapper": Kind(foreign.create_wrapper, foreign.alter_wrapper),
    "foreign-server": Kind(foreign.create_server, foreign.alter_server),
    "user-mapping": Kind(foreign.create_mapping, foreign.alter_mapping, foreign.drop_mapping),
    "table": Kind(tables.create_table, tables.alter_table),
    "foreign-table": Kind(foreign.create_foreign_table, foreign.alter_foreign_table),
    "column": Kind(tables.create_column, tables.alter_column, tables.drop_column),
    "default": Kind(tables.create_default, tables.alter_default, tables.drop_default),
    "owned": Kind(sequences.create_ownership, sequences.alter_ownership, sequences.drop_ownership),
    "constraint": Kind(relations.create_constraint, relations.alter_constraint, relations.drop_constraint),
    "index": Kind(relations.create_index, relations.alter_index, relations.drop_index),
    "attached": Kind(attachments.create_attachment, drop=attachments.drop_attachment),
    "replica-identity": Kind(
        tables.create_replica_identity, tables.alter_replica_identity, tables.drop_replica_identity
    ),
    "statistics": Kind(relations.create_statistics, relations.alter_statistics, relations.drop_statistics),
    "view": Kind(views.create_view, views.alter_view),
    "materialized-view": Kind(views.create_materialized_view, views.alter_materialized_view),
    "clustered-on": Kind(tables.create_cluster_mark, tables.alter_cluster_mark, tables.drop_cluster_mark),
    "trigger": Kind(relations.create_trigger, relations.alter_trigger, relations.drop_trigger),
    "rule": Kind(relations.create_rule, relations.alter_trigger, relations.drop_trigger),
    "policy": Kind(relations.create_policy, relations.alter_policy),
    "event-trigger": Kind(database_wide.create_event_trigger, database_wide.alter_event_trigger),
    "publication": Kind(database_wide.create_publication, database_wide.alter_publication),
}
"""In the order in which objects are made where nothing else decides."""

RANKS: Mapping[str, int] = {
    kind: rank
    for rank, kind in enumerate((*KINDS, "storage", "default-privileges", "owner", "grant", "comment"))
}


def describe(
    key: ObjectKey, wanted: Facts | None, existing: Facts | None, declared: Side, live: Side
) -> Statements:
    """What is said about an object, set as declared; None stands for nothing said."""
    if key.kind == "default-privileges":
        return privileges.change_default_privileges(key, wanted, existing, live)
    if key.kind == "storage":
        return tables.set_tablespace(key, wanted, live)
    if key.kind == "grant":
        return privileges.change_grant(key, wanted, existing, declared, live)
    if key.kind == "owner":
        return privileges.set_owner(key, wanted, declared) if wanted else privileges.reset_owner(key, live)
    return privileges.set_comment(key, wanted, declared) if wanted else privileges.drop_comment(key, live)
