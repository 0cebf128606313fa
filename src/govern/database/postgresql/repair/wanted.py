"""The two schemas of a repair as values: what is declared, what is there, and who needs whom in each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from govern.core.snapshot import ColumnOrder, Fact, Facts, ObjectKey, Snapshot, join_name
from govern.database.connection import Connection
from govern.database.dialect import VersionTable
from govern.database.postgresql.catalog import queries, read_column_order, read_snapshot
from govern.database.postgresql.repair.dependencies import (
    Edge,
    edges_by_name,
    read_edges,
)

Objects = Mapping[ObjectKey, Facts]

PARTS = {
    "column": ("default", "default"),
    "sequence": ("owned_by", "owned"),
    "table": ("replica_identity", "replica-identity"),
}
"""Facts that come and go by themselves, and the kind of object they are made here: a default can be dropped
while a function that it calls is replaced, and a sequence is older than the column it belongs to."""

_MODIFIER = re.compile(r"\([^()]*\)|\[\]")
_TEXTS = frozenset({"text", "character varying", "character"})
_CASTS = "SELECT format_type(castsource, NULL), format_type(casttarget, NULL) FROM pg_catalog.pg_cast"
_USUAL_OWNER = "SELECT pg_catalog.pg_get_userbyid(role)::text FROM usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two schemas, each part of an object an object of its own; see ``PARTS``."""

    snapshot: Snapshot
    objects: Objects
    edges: frozenset[Edge]
    column_order: ColumnOrder
    usual_owner: str
    """The role that snapshots do not name, or call ``(owner)``."""
    casts: frozenset[tuple[str, str]]
    """Types that the server casts otherwise than by way of their text."""
    needing: Mapping[ObjectKey, tuple[ObjectKey, ...]] = field(default_factory=dict)
    """Object → those that need it."""

    def columns(self, table: ObjectKey) -> tuple[tuple[ObjectKey, Facts], ...]:
        """Of a table, in the order they stand; without those that it inherits unaltered."""
        names = self.column_order.get((table.namespace, table.name), ())
        keys = (ObjectKey("column", table.namespace, join_name(table.name, name)) for name in names)
        return tuple((key, self.objects[key]) for key in keys if key in self.objects)

    def can_cast(self, from_type: str, to_type: str) -> bool:
        """Whether ``value::to_type`` is there; every type is cast from and to a text."""
        old, new = (_MODIFIER.sub("", name) for name in (from_type, to_type))
        return old == new or not _TEXTS.isdisjoint((old, new)) or (old, new) in self.casts

    def owner_of(self, key: ObjectKey, name: str) -> str:
        """The role that owns ``key``, whose owner is called ``name`` in a snapshot if it is not the usual one."""
        owner = self.objects.get(ObjectKey("owner", key.namespace, name))
        return str(owner["role"]) if owner else self.usual_owner


def read_side(connection: Connection, table: VersionTable, expected: Snapshot | None = None) -> Side:
    """Everything that is needed to plan, as of one moment, in a handful of queries.

    ``expected`` stands in place of the schema's own snapshot: the same in other words, for the greater part.
    """
    with connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
        snapshot = expected or read_snapshot(connection, table)
        recorded = read_edges(connection, table)
        order = read_column_order(connection)
        casts = frozenset((old, new) for old, new in connection.rows(_CASTS))
        usual_owner = str(connection.value(queries.with_scope(_USUAL_OWNER, table)))
    objects = dict(_in_parts(snapshot))
    names = frozenset(objects) | {key for edge in recorded for key in edge}
    edges = recorded | set(edges_by_name(names))
    needing: dict[ObjectKey, list[ObjectKey]] = {}
    for dependent, needed in sorted(edges):
        needing.setdefault(needed, []).append(dependent)
    return Side(
        snapshot=snapshot,
        objects=objects,
        edges=frozenset(edges),
        column_order=order,
        usual_owner=usual_owner,
        casts=casts,
        needing={needed: tuple(dependents) for needed, dependents in needing.items()},
    )


def _in_parts(snapshot: Snapshot) -> list[tuple[ObjectKey, Facts]]:
    objects: list[tuple[ObjectKey, Facts]] = []
    for key, facts in snapshot.objects.items():
        fact, kind = PARTS.get(key.kind, ("", ""))
        value: Fact = facts.get(fact)
        if value is None:
            objects.append((key, facts))
        else:
            objects.append((key, {name: other for name, other in facts.items() if name != fact}))
            objects.append((ObjectKey(kind, key.namespace, key.name), {fact: value}))
    return objects
