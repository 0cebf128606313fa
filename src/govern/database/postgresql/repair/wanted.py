"""The two schemas of a repair as values: what is declared, what is there, and who needs whom in each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from govern.core.snapshot import ColumnOrder, Facts, ObjectKey, Snapshot, join_name
from govern.database.connection import Connection
from govern.database.postgresql.catalog import queries, read_column_order, read_snapshot
from govern.database.postgresql.repair.dependencies import (
    Edge,
    edges_by_name,
    read_edges,
)
from govern.database.postgresql.repair.index_parts import IndexParts, read_index_parts
from govern.database.postgresql.repair.parts import in_parts
from govern.database.postgresql.repair.storages import read_usual_storages
from govern.database.postgresql.repair.unsaid_names import UnsaidNames, read_unsaid_names
from govern.database.version_table import VersionTable

Objects = Mapping[ObjectKey, Facts]

_MODIFIER = re.compile(r"\([^()]*\)|\[\]")
_TEXTS = frozenset({"text", "character varying", "character"})
_CASTS = "SELECT format_type(castsource, NULL), format_type(casttarget, NULL) FROM pg_catalog.pg_cast"
_USUAL_OWNER = "SELECT pg_catalog.pg_get_userbyid(role)::text FROM usual"

_USUAL_TABLESPACE = """
SELECT t.spcname FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two schemas, each part of an object an object of its own; see ``parts``."""

    snapshot: Snapshot
    objects: Objects
    edges: frozenset[Edge]
    column_order: ColumnOrder
    usual_owner: str
    """The role that snapshots do not name, or call ``(owner)``."""
    usual_tablespace: str
    """Where everything lies of which a snapshot does not say it."""
    casts: frozenset[tuple[str, str]]
    """Types that the server casts otherwise than by way of their text."""
    unsaid: UnsaidNames
    usual_storages: Mapping[ObjectKey, str]
    """Column that is stored otherwise → how it would be if nobody had said so."""
    index_parts: IndexParts
    conversions: Mapping[ObjectKey, str] = field(default_factory=dict)
    """Columns that are to be retyped by an expression of somebody else's, and not by a cast."""
    needing: Mapping[ObjectKey, tuple[ObjectKey, ...]] = field(default_factory=dict)
    """Object → those that need it."""
    needs: Mapping[ObjectKey, tuple[ObjectKey, ...]] = field(default_factory=dict)
    """Object → those that it needs."""

    def columns(self, table: ObjectKey) -> tuple[tuple[ObjectKey, Facts], ...]:
        """Of a table, in the order they stand; without those that it inherits unaltered."""
        names = self.column_order.get((table.namespace, table.name), ())
        keys = (ObjectKey("column", table.namespace, join_name(table.name, name)) for name in names)
        return tuple((key, self.objects[key]) for key in keys if key in self.objects)

    def can_cast(self, from_type: str, to_type: str) -> bool:
        """Whether ``value::to_type`` is there; every type is cast from and to a text."""
        old, new = (_MODIFIER.sub("", name) for name in (from_type, to_type))
        return old == new or not _TEXTS.isdisjoint((old, new)) or (old, new) in self.casts


def read_side(
    connection: Connection,
    table: VersionTable,
    expected: Snapshot | None = None,
    conversions: Mapping[ObjectKey, str] = MappingProxyType({}),
) -> Side:
    """Everything that is needed to plan, as of one moment, in a handful of queries.

    ``expected`` stands in place of the schema's own snapshot: the same in other words, for the greater part.
    """
    with connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
        snapshot = expected or read_snapshot(connection, table)
        recorded = read_edges(connection, table)
        order = read_column_order(connection)
        casts = frozenset((old, new) for old, new in connection.rows(_CASTS))
        unsaid = read_unsaid_names(connection)
        usual_storages = read_usual_storages(connection)
        index_parts = read_index_parts(connection)
        usual_owner = str(connection.value(queries.with_scope(_USUAL_OWNER, table)))
        usual_tablespace = str(connection.value(_USUAL_TABLESPACE))
    objects = dict(in_parts(snapshot))
    names = frozenset(objects) | {key for edge in recorded for key in edge}
    edges = _through_definitions(recorded, objects) | set(edges_by_name(names))
    needing: dict[ObjectKey, list[ObjectKey]] = {}
    needs: dict[ObjectKey, list[ObjectKey]] = {}
    for dependent, needed in sorted(edges):
        needing.setdefault(needed, []).append(dependent)
        needs.setdefault(dependent, []).append(needed)
    return Side(
        snapshot=snapshot,
        objects=objects,
        edges=frozenset(edges),
        column_order=order,
        usual_owner=usual_owner,
        usual_tablespace=usual_tablespace,
        casts=casts,
        unsaid=unsaid,
        usual_storages=usual_storages,
        index_parts=index_parts,
        conversions=conversions,
        needing={needed: tuple(dependents) for needed, dependents in needing.items()},
        needs={dependent: tuple(found) for dependent, found in needs.items()},
    )


def _through_definitions(edges: frozenset[Edge], objects: Objects) -> frozenset[Edge]:
    """A base type's definition needs functions, which need no more than its name; all others need the definition."""
    return frozenset((_definition_for(pair, objects), _need_of(pair, edges, objects)) for pair in edges)


def _definition_for(edge: Edge, objects: Objects) -> ObjectKey:
    user, needed = edge
    base = user._replace(kind="base")
    return base if user.kind == "type" and needed.kind == "function" and base in objects else user


def _need_of(edge: Edge, edges: frozenset[Edge], objects: Objects) -> ObjectKey:
    user, needed = edge
    base = needed._replace(kind="base")
    return base if needed.kind == "type" and base in objects and (needed, user) not in edges else needed
