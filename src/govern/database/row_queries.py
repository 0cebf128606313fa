"""The statements that find orphans and duplicates: the same SQL in every engine, but for how a sample is taken.

Orphans are counted with NOT EXISTS, which planners turn into an anti join; where an index has the values in order, over
the distinct ones, which halves the time again. ``benchmarks/orphans.py`` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from govern.core.identifiers import quote, quote_place
from govern.core.reference import Reference
from govern.core.restoration import Place

_LOOKED_AT = 1000


def orphans_of(reference: Reference, sample: str = "") -> str:
    """``FROM`` the child, which is called c, ``WHERE`` a row of it names no parent."""
    child = f"{_source(reference, reference.child)} AS c {sample}".rstrip()
    return f"FROM {child} WHERE {_condition(reference)} AND NOT EXISTS ({_parent_of(reference)})"


def refers_to(reference: Reference, chosen: str) -> str:
    """Whether a row of the child, c, names a row of the parent, p, for which ``chosen`` holds."""
    parent = f"SELECT 1 FROM {_source(reference, reference.parent)} AS p"  # noqa: S608 - quoted
    return f"{_condition(reference)} AND EXISTS ({parent} WHERE {chosen} AND {_matches(reference)})"


def show_values(rows: Iterable[tuple[str | None, ...]]) -> tuple[str, ...]:
    """What ``find_examples`` and ``find_duplicates`` brought, as reports have it."""
    return tuple(sorted(", ".join("NULL" if value is None else value for value in row) for row in rows))


def count_orphans(reference: Reference, sample: str = "") -> str:
    """One row with one number. ``sample`` follows the child's name: ``TABLESAMPLE SYSTEM (1.5)``."""
    if reference.is_indexed and not sample:
        return f"SELECT {_count_by_value(reference)}"
    return f"SELECT count(*) {orphans_of(reference, sample)}"


def count_orphans_of_each(references: Sequence[Reference]) -> str:
    """A row for each reference: its place in the sequence, and the number."""
    return "\nUNION ALL ".join(
        f"SELECT {place}, count(*) {orphans_of(reference)}" for place, reference in enumerate(references)
    )


def find_examples(reference: Reference, limit: int) -> str:
    """At most ``limit`` rows with the values, as texts, that no parent has. It stops at the first few orphans."""
    values = ", ".join(
        f"CAST({_child(column)} AS text) AS v{number}" for number, column in enumerate(reference.columns)
    )
    few = f"SELECT {values} {orphans_of(reference)} LIMIT {_LOOKED_AT}"
    return f"SELECT DISTINCT * FROM ({few}) AS few LIMIT {limit}"  # noqa: S608 - quoted


def show_orphans(reference: Reference) -> str:
    """What a person types to see them."""
    return f"SELECT c.* {orphans_of(reference)};"


def measure_overlap(reference: Reference, values: int) -> str:
    """One row with two numbers: of at most ``values`` different ones of the child, all, and those the parent has."""
    column = _child(reference.columns[0])
    child = _source(reference, reference.child)
    some = f"SELECT DISTINCT {column} AS v FROM {child} AS c WHERE {column} IS NOT NULL LIMIT {values}"  # noqa: S608
    looked_for = replace(reference, columns=("v",))
    return (
        f"SELECT count(*), count(CASE WHEN EXISTS ({_parent_of(looked_for)}) THEN 1 END) FROM ({some}) AS c"  # noqa: S608
    )


def count_duplicates(table: Place, columns: Sequence[str]) -> str:
    """One row with one number: of the different values that more than one row has. NULL is no value."""
    return f"SELECT count(*) FROM (SELECT 1 AS one {_duplicates(table, columns)}) AS d"  # noqa: S608 - quoted


def find_duplicates(table: Place, columns: Sequence[str], limit: int) -> str:
    """At most ``limit`` of them, as texts."""
    values = ", ".join(f"CAST({quote(column)} AS text)" for column in columns)
    return f"SELECT {values} {_duplicates(table, columns)} LIMIT {limit}"


def show_duplicates(table: Place, columns: Sequence[str]) -> str:
    """What a person types to see them."""
    return f"SELECT {', '.join(map(quote, columns))}, count(*) {_duplicates(table, columns)};"


def _duplicates(table: Place, columns: Sequence[str]) -> str:
    are_there = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
    return (
        f"FROM {quote_place(table)} WHERE {are_there} "
        f"GROUP BY {', '.join(map(quote, columns))} HAVING count(*) > 1"
    )


def _parent_of(reference: Reference) -> str:
    return f"SELECT 1 FROM {_source(reference, reference.parent)} AS p WHERE {_matches(reference)}"  # noqa: S608


def _condition(reference: Reference) -> str:
    """Whether a row of the child says that it has a parent."""
    return " AND ".join((_has_value(reference), *(_means(*pair) for pair in reference.when)))


def _count_by_value(reference: Reference) -> str:
    """The same rows; each value is looked for once, however many children have it."""
    named = {column: f"v{number}" for number, column in enumerate(reference.columns)}
    values = ", ".join(f"{_child(column)} AS {name}" for column, name in named.items())
    by_value = (
        f"SELECT {values}, count(*) AS number FROM {_source(reference, reference.child)} AS c "  # noqa: S608 - quoted
        f"WHERE {_condition(reference)} GROUP BY {', '.join(map(_child, named))}"
    )
    once = replace(reference, columns=tuple(named.values()))
    return f"coalesce(sum(c.number), 0) FROM ({by_value}) AS c WHERE NOT EXISTS ({_parent_of(once)})"


def _source(reference: Reference, place: Place) -> str:
    only = "ONLY " if place in reference.alone else ""
    return only + quote_place(place)


def _has_value(reference: Reference) -> str:
    """NULL in one column means no reference (MATCH SIMPLE); with MATCH FULL only NULL in all of them."""
    word = " OR " if reference.is_match_full else " AND "
    return "(" + word.join(f"{_child(column)} IS NOT NULL" for column in reference.columns) + ")"


def _means(column: str, value: str) -> str:
    literal = "'" + value.replace("'", "''") + "'"
    return f"CAST({_child(column)} AS text) = {literal}"


def _matches(reference: Reference) -> str:
    pairs = [
        (_child(column), f"p.{quote(other)}")
        for column, other in zip(reference.columns, reference.parent_columns, strict=True)
    ]
    if not reference.has_same_types:
        pairs = [(f"CAST({column} AS text)", f"CAST({other} AS text)") for column, other in pairs]
    if not reference.is_temporal:
        return " AND ".join(f"{other} = {column}" for column, other in pairs)
    *keys, (span, spans) = pairs
    same = "".join(f"{other} = {column} AND " for column, other in keys)
    return f"{same}{spans} && {span} HAVING range_agg({spans}) @> {span}"


def _child(column: str) -> str:
    return f"c.{quote(column)}"
