"""Tables as rows see them: what takes values, what tells rows apart, what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from govern.core.table_shape import ForeignKey, TableShape
from govern.database.sqlite.contents import read_tables
from govern.database.sqlite.folding import fold

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

# hidden: 1 of a virtual table, 2 and 3 generated
_COLUMNS = """
SELECT name, hidden = 0, "notnull", dflt_value, pk, upper(type) FROM pragma_table_xinfo(?) WHERE hidden <> 1
"""
_UNIQUES = (
    "SELECT name FROM pragma_index_list(?) WHERE \"unique\" AND NOT partial ORDER BY origin <> 'pk', name"
)
_INDEXED = "SELECT name FROM pragma_index_info(?) ORDER BY seqno"
_FOREIGN_KEYS = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq'
_TRIGGERS = (
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY name"
)


def read_table_shapes(connection: Connection, table: VersionTable) -> Mapping[Place, TableShape]:
    """All tables but SQLite's, govern's and Alembic's own."""
    places = {fold(place[1]): place for place in read_tables(connection, table)}
    return {place: _read_shape(connection, place, places) for place in places.values()}


def _read_shape(connection: Connection, place: Place, places: Mapping[str, Place]) -> TableShape:
    columns = connection.rows(_COLUMNS, place[1:])
    primary = tuple(name for name, *_, number, _ in sorted(columns, key=lambda row: row[4]) if number)
    numbers_itself = {name for name, *_, kind in columns if (name,) == primary and kind == "INTEGER"}
    nullable = frozenset(name for name, _, is_required, *_ in columns if not is_required) - set(primary)
    uniques = _read_uniques(connection, place, primary)
    return TableShape(
        place=place,
        columns=tuple(name for name, is_written, *_ in columns if is_written),
        required=frozenset(
            name
            for name, is_written, is_required, default, *_ in columns
            if is_written and is_required and default is None and name not in numbers_itself
        ),
        nullable=nullable,
        keys=tuple(names for names in uniques if nullable.isdisjoint(names)),
        uniques=uniques,
        foreign_keys=_read_foreign_keys(connection, place, places),
        triggers=tuple(name for (name,) in connection.rows(_TRIGGERS, place[1:])),
    )


def _read_uniques(
    connection: Connection, place: Place, primary: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """The primary key, which need not have an index, and every unique index that is not of expressions."""
    found = [primary] if primary else []
    for (index,) in connection.rows(_UNIQUES, place[1:]):
        names = tuple(name for (name,) in connection.rows(_INDEXED, (index,)))
        if None not in names and names not in found:
            found.append(names)
    return tuple(found)


def _read_foreign_keys(
    connection: Connection, place: Place, places: Mapping[str, Place]
) -> tuple[ForeignKey, ...]:
    """Those that have a parent with such columns; SQLite lets a table refer to none."""
    grouped: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, parent, own, other in connection.rows(_FOREIGN_KEYS, place[1:]):
        grouped.setdefault(number, []).append((parent, own, other))
    found = []
    for pairs in grouped.values():
        parent = places.get(fold(pairs[0][0]))
        columns = tuple(own for _, own, _ in pairs)
        if parent is None:
            continue
        others = tuple(other for *_, other in pairs if other is not None) or _primary_of(connection, parent)
        if len(others) == len(columns):
            found.append(
                ForeignKey(
                    name=f"{place[1]}.{', '.join(columns)}",
                    columns=columns,
                    parent=parent,
                    parent_columns=others,
                    is_deferrable=True,  # nothing is looked at before the end
                )
            )
    return tuple(found)


def _primary_of(connection: Connection, place: Place) -> tuple[str, ...]:
    rows = connection.rows("SELECT name FROM pragma_table_xinfo(?) WHERE pk ORDER BY pk", place[1:])
    return tuple(name for (name,) in rows)
