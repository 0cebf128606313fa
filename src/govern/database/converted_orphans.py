"""Rows whose key will name no parent once columns are converted: counted with the values that they get."""

from __future__ import annotations

from collections.abc import Sequence

from govern.core.conversion import Conversion
from govern.core.identifiers import quote, quote_place
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.database.connection import Connection

_COUNT = """
SELECT count(*) FROM (SELECT {child} AS value FROM {children}) AS c
WHERE c.value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM (SELECT {parent} AS value FROM {parents}) AS p
  WHERE p.value = c.value)
"""


def count_converted_orphans(
    connection: Connection, reference: Reference, conversions: Sequence[Conversion]
) -> int:
    """Of a reference of one column."""
    return int(
        connection.value(
            _COUNT.format(
                child=_value(reference.child, reference.columns[0], conversions),
                children=quote_place(reference.child),
                parent=_value(reference.parent, reference.parent_columns[0], conversions),
                parents=quote_place(reference.parent),
            )
        )
    )


def _value(place: Place, column: str, conversions: Sequence[Conversion]) -> str:
    for one in conversions:
        if (one.place, one.column) == (place, column):
            return f"CAST(({one.by}) AS {one.to})"
    return quote(column)
