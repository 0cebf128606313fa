"""The statements that find orphans and duplicates: the same SQL in every engine, but for how a sample is taken.

Orphans are counted with NOT EXISTS, which planners turn into an anti join; where an index has the values in order, over
the distinct ones, which halves the time again. ``benchmarks/orphans.py`` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from govern.core.identifiers import quote, quote_place

if TYPE_CHECKING:
    from govern.core.reference import Reference
    from govern.core.restoration import Place
    from govern.core.rows import Promise, Unique

_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of a child from one value of some columns, which is not among them, up to another, which is."""

    columns: tuple[str, ...]
    after: tuple[str, ...] | None = None
    upto: tuple[str, ...] | None = None

    def holds(self, alias: str, columns: Sequence[str]) -> str:
        """Whether a row is in it."""
        named = ", ".join(f"{alias}.{quote(column)}" for column in columns)
        ends = (("<=", self.upto), (">", self.after))
        said = [
            f"({named}) {sign} ({', '.join(map(_literal, end))})" for sign, end in ends if end is not None
        ]
        return " AND ".join(said) or "1 = 1"


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
    return f"SELECT count(*) {orphans_of(reference, sample)}"


def count_orphans_of_each(references: Sequence[Reference]) -> str:
    """A row for each reference: its place in the sequence, and the number."""
    return "\nUNION ALL ".join(
        f"SELECT {place}, count(*) {orphans_of(reference)}" for place, reference in enumerate(references)
    )


def find_small_orphans_of_each(references: Sequence[Reference]) -> str:
    """A row for each orphan, with the place of its reference: of small tables, whose parents are in one column.

    Without a join there is little to plan, which is most of the time that small tables take.
    """
    return "\nUNION ALL ".join(_small_orphans(place, reference) for place, reference in enumerate(references))


def _small_orphans(place: int, reference: Reference) -> str:
    parent = f"p.{quote(reference.parent_columns[0])}"
    keys = f"SELECT {parent} FROM {_source(reference, reference.parent)} AS p WHERE {parent} IS NOT NULL"  # noqa: S608
    return (
        f"SELECT {place} FROM {_source(reference, reference.child)} AS c "  # noqa: S608 - quoted
        f"WHERE {_condition(reference)} AND {_child(reference.columns[0])} NOT IN ({keys})"
    )


def count_with_examples(reference: Reference, limit: int, stretch: Stretch | None = None) -> str:
    """At most ``limit`` rows: the values as texts, then the number of all orphans; none where there are none."""
    values = ", ".join(f"CAST({_child(column)} AS text)" for column in reference.columns)
    inside = f"AND {stretch.holds('c', stretch.columns)} " if stretch else ""
    return (
        f"SELECT {values}, CAST(sum(count(*)) OVER () AS bigint) {orphans_of(reference)} {inside}"
        f"GROUP BY {', '.join(map(_child, reference.columns))} LIMIT {limit}"
    )


def count_by_value(reference: Reference, stretches: Sequence[Stretch]) -> str:
    """One row with one number: each value is looked for once, in the order of an index that has it.

    What the planner may do in parallel, it does with each of the stretches; they hold all values together.
    """
    parts = "\nUNION ALL ".join(f"SELECT {_count_by_value(reference, one)}" for one in stretches)
    return f"SELECT CAST(sum(part.number) AS bigint) FROM ({parts}) AS part"  # noqa: S608 - quoted


def count_by_leaps(reference: Reference) -> str:
    """The same where the values are few: from each the index is asked for the next one."""
    column = quote(reference.columns[0])
    times = f"SELECT count(*) FROM {_source(reference, reference.child)} AS n WHERE n.{column} = c.v"  # noqa: S608
    return _leap(reference, f"CAST(coalesce(sum(({times})), 0) AS bigint)")


def find_lost_values(reference: Reference, limit: int) -> str:
    """At most ``limit`` rows, each with a value, as text, that no parent has: of an index that has them in order."""
    column = _child(reference.columns[0])
    values = (
        f"SELECT DISTINCT {column} AS v FROM {_source(reference, reference.child)} AS c "  # noqa: S608 - quoted
        f"WHERE {column} IS NOT NULL"
    )
    once = replace(reference, columns=("v",))
    return (
        f"SELECT CAST(c.v AS text) FROM ({values}) AS c "  # noqa: S608 - quoted
        f"WHERE NOT EXISTS ({_parent_of(once)}) LIMIT {limit}"
    )


def leap_to_lost_values(reference: Reference, limit: int) -> str:
    """The same where the values are few."""
    return f"{_leap(reference, 'CAST(c.v AS text)')} LIMIT {limit}"


def _leap(reference: Reference, chosen: str) -> str:
    column = quote(reference.columns[0])
    child = f"{_source(reference, reference.child)} AS c"
    first = f"SELECT c.{column} FROM {child} WHERE c.{column} IS NOT NULL ORDER BY c.{column} LIMIT 1"  # noqa: S608
    following = f"SELECT c.{column} FROM {child} WHERE c.{column} > leap.v ORDER BY c.{column} LIMIT 1"  # noqa: S608
    once = replace(reference, columns=("v",))
    return (
        "WITH RECURSIVE leap (v) AS "  # noqa: S608 - quoted
        f"(({first}) UNION ALL SELECT ({following}) FROM leap WHERE leap.v IS NOT NULL) "
        f"SELECT {chosen} FROM leap AS c WHERE c.v IS NOT NULL AND NOT EXISTS ({_parent_of(once)})"
    )


def find_end(reference: Reference, stretch: Stretch, rows: int) -> str:
    """One row with the values, as texts, of the last of so many rows of the stretch; none where it has fewer."""
    columns = [_child(column) for column in stretch.columns]
    values = ", ".join(f"CAST({column} AS text)" for column in columns)
    has_values = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return (
        f"SELECT {values} FROM {_source(reference, reference.child)} AS c "  # noqa: S608 - quoted
        f"WHERE {has_values} AND {stretch.holds('c', stretch.columns)} "
        f"ORDER BY {', '.join(columns)} OFFSET {rows - 1} LIMIT 1"
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


def count_duplicates(unique: Unique) -> str:
    """One row with one number: of the different values that more than one row has. NULL is no value."""
    return f"SELECT count(*) FROM (SELECT 1 AS one {_duplicates(unique)}) AS d"  # noqa: S608 - quoted


def find_duplicates(unique: Unique, limit: int) -> str:
    """At most ``limit`` of them, as texts."""
    values = ", ".join(f"CAST({expression} AS text)" for expression in unique.expressions)
    return f"SELECT {values} {_duplicates(unique)} LIMIT {limit}"


def show_duplicates(unique: Unique) -> str:
    """What a person types to see them."""
    return f"SELECT {', '.join(unique.expressions)}, count(*) {_duplicates(unique)};"


def count_broken(promise: Promise) -> str:
    """One row with one number."""
    return f"SELECT count(*) {_broken(promise)}"


def count_broken_of_each(promises: Sequence[Promise]) -> str:
    """One row with a number for each promise; they are all of one table."""
    counts = ", ".join(f"count(CASE WHEN {promise.broken} THEN 1 END)" for promise in promises)
    return f"SELECT {counts} FROM {quote_place(promises[0].table)}"  # noqa: S608 - quoted


def find_broken_keys(promise: Promise, limit: int) -> str:
    """The keys of at most ``limit`` rows, as texts. The table has a primary key."""
    keys = ", ".join(f"CAST({quote(column)} AS text)" for column in promise.key)
    return f"SELECT {keys} {_broken(promise)} LIMIT {limit}"


def show_broken(promise: Promise) -> str:
    """What a person types to see them."""
    return f"SELECT * {_broken(promise)};"


def _broken(promise: Promise) -> str:
    return f"FROM {quote_place(promise.table)} WHERE {promise.broken}"


def _duplicates(unique: Unique) -> str:
    are_there = [f"{expression} IS NOT NULL" for expression in unique.expressions]
    if unique.where:
        are_there.append(f"({unique.where})")
    return (
        f"FROM {quote_place(unique.table)} WHERE {' AND '.join(are_there)} "
        f"GROUP BY {', '.join(unique.expressions)} HAVING count(*) > 1"
    )


def _parent_of(reference: Reference) -> str:
    return f"SELECT 1 FROM {_source(reference, reference.parent)} AS p WHERE {_matches(reference)}"  # noqa: S608


def _condition(reference: Reference) -> str:
    """Whether a row of the child says that it has a parent."""
    return " AND ".join((_has_value(reference), *(_means(*pair) for pair in reference.when)))


def _count_by_value(reference: Reference, stretch: Stretch) -> str:
    """The same rows of a stretch; each value is looked for once, however many children have it."""
    named = {column: f"v{number}" for number, column in enumerate(reference.columns)}
    values = ", ".join(f"{_child(column)} AS {name}" for column, name in named.items())
    by_value = (
        f"SELECT {values}, count(*) AS number FROM {_source(reference, reference.child)} AS c "  # noqa: S608 - quoted
        f"WHERE {_condition(reference)} AND {stretch.holds('c', stretch.columns)} "
        f"GROUP BY {', '.join(map(_child, named))}"
    )
    once = replace(reference, columns=tuple(named.values()))
    parent = f"{_parent_of(once)} AND {stretch.holds('p', reference.parent_columns)}"
    return f"coalesce(sum(c.number), 0) AS number FROM ({by_value}) AS c WHERE NOT EXISTS ({parent})"


def _source(reference: Reference, place: Place) -> str:
    only = "ONLY " if place in reference.alone else ""
    return only + quote_place(place)


def _has_value(reference: Reference) -> str:
    """NULL in one column means no reference (MATCH SIMPLE); with MATCH FULL only NULL in all of them."""
    word = " OR " if reference.is_match_full else " AND "
    return "(" + word.join(f"{_child(column)} IS NOT NULL" for column in reference.columns) + ")"


def _means(column: str, value: str) -> str:
    return f"CAST({_child(column)} AS text) = {_literal(value)}"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


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
