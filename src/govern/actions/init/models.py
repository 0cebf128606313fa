"""What the project's own interpreter says of its models: which tables others lean on, and what may be a reference."""

from __future__ import annotations

from collections.abc import Mapping

from govern.actions.init.metadata import Table
from govern.core.keys import Column, find_candidates
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.core.table_shape import TableShape
from govern.revisions.protocol import ModelTable


def read_tables(models: Mapping[str, ModelTable]) -> tuple[Table, ...]:
    """As those that were found by reading, with all that importing adds: mixins, tables made in loops."""
    return tuple(
        Table(name=name, module="", references=frozenset(parent for _, parent, _ in table.references))
        for name, table in models.items()
    )


def find_implied_relationships(models: Mapping[str, ModelTable]) -> tuple[tuple[str, str], ...]:
    """Columns without a foreign key whose name speaks of another table's key, each with that key."""
    candidates = find_candidates(
        {Column(_place(name), column): "" for name, table in models.items() for column in table.columns},
        {
            _place(name): TableShape(place=_place(name), columns=table.columns, keys=(table.key,))
            for name, table in models.items()
        },
        [
            Reference(
                child=_place(name), columns=columns, parent=_place(parent), parent_columns=parent_columns
            )
            for name, table in models.items()
            for columns, parent, parent_columns in table.references
        ],
    )
    found: dict[str, str] = {}
    for candidate in candidates:
        is_key = models[_name(candidate.column.table)].key == (candidate.column.name,)
        if candidate.is_strong and not is_key:
            found.setdefault(str(candidate.column), str(candidate.key))
    return tuple(found.items())


def _place(name: str) -> Place:
    namespace, _, table = name.rpartition(".")
    return namespace, table


def _name(place: Place) -> str:
    return ".".join(filter(None, place))
