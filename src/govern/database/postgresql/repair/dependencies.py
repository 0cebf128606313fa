"""What cannot exist without what, in one database, by the names a snapshot uses. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from govern.core.snapshot import INSIDE_A_RELATION, RELATIONS, ObjectKey, join_name
from govern.database.connection import Connection
from govern.database.postgresql.catalog import queries
from govern.database.postgresql.repair.names import mapped_server, relation_key
from govern.database.postgresql.repair.parts import wholes_of
from govern.database.version_table import VersionTable

Edge = tuple[ObjectKey, ObjectKey]
"""The first needs the second."""

_QUERY = (Path(__file__).parent / "dependencies.sql").read_text(encoding="utf-8")


def read_edges(connection: Connection, table: VersionTable) -> frozenset[Edge]:
    """All dependencies that the server recorded (manual, pg_depend); a function's text is not among them."""
    with queries.reading(connection):
        rows = connection.rows(queries.with_scope(_QUERY, table))
    edges = {(_key(*row[:5]), _key(*row[5:])) for row in rows}
    return frozenset((dependent, needed) for dependent, needed in edges if dependent != needed)


def edges_by_name(keys: frozenset[ObjectKey]) -> Iterator[Edge]:
    """What names alone say: a column, index or trigger needs its relation, a default its column."""
    for key in keys:
        if key.kind in INSIDE_A_RELATION:
            for kind in RELATIONS:
                if (owner := ObjectKey(kind, key.namespace, relation_key(key))) in keys:
                    yield key, owner
        elif key.kind == "user-mapping":
            yield key, mapped_server(key)
        else:
            yield from ((key, whole) for whole in wholes_of(key) if whole in keys)


def _key(kind: str, namespace: str, parent: str | None, name: str, signature: str | None) -> ObjectKey:
    if parent is not None:
        name = join_name(parent, name)
    elif signature is not None:
        name = f"{join_name(name)}({signature})"
    return ObjectKey(kind, namespace, name)
