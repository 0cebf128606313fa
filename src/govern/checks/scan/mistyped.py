"""Columns of keys whose type was or is wrong, with all that hold the same keys: what code may have papered over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from govern.core.declared_keys import read_declared_keys
from govern.core.keys import Column, ends_of, family_of, read_meanings, read_types
from govern.core.reference import Reference
from govern.core.snapshot import ObjectKey, Snapshot, join_name


class Retyping(NamedTuple):
    """A column that somebody says has, or had, the wrong type."""

    column: Column
    to: str
    """The type that it is to have; nothing where the declared one is meant."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Columns that hold the same keys, one of them of a wrong type."""

    columns: frozenset[Column]
    types: Mapping[Column, str]
    """As declared."""
    nullable: frozenset[Column]
    family: str
    """What kind of value they all are to be: whole numbers, texts, uuids."""
    why: str
    obstacle: str = ""
    """Why code cannot lose its workarounds yet; nothing where the declared schema is right."""

    @property
    def names(self) -> frozenset[str]:
        """Columns' names that say whose key it is, as ``id`` does not."""
        return frozenset(column.name for column in self.columns if column.name.lower() != "id")


def find_mistyped(
    declared: Snapshot, implied: Iterable[Reference], retypings: Iterable[Retyping]
) -> tuple[Keys, ...]:
    """The keys that a repair, a person or the declared types themselves speak of, each column in one of them."""
    references = (*read_declared_keys(declared).references.values(), *implied)
    types = read_types(declared)
    pairs = tuple(_find_pairs(types, references))
    retypings = tuple(one for one in retypings if one.column in types)
    reasons: dict[Column, str] = {one.column: one.why for one in retypings}
    wanted = {one.column: one.to for one in retypings if one.to}
    for column, key in pairs:
        if family_of(types[column]) != family_of(types[key]):
            reasons.setdefault(
                column, f"{column} is {types[column]}, and {key}, whose values it holds, is {types[key]}"
            )
    found: list[Keys] = []
    for column in sorted(reasons):
        if not any(column in keys.columns for keys in found):
            found.append(_gather(column, pairs, types, wanted, reasons, declared))
    return tuple(found)


def _find_pairs(
    types: Mapping[Column, str], references: tuple[Reference, ...]
) -> Iterator[tuple[Column, Column]]:
    """What refers to what, by a reference or by what a column of its name means elsewhere."""
    meanings = read_meanings(references)
    by_name = {column: meanings[column.name] for column in types if column.name in meanings}
    for column, key in sorted({**by_name, **dict(ends_of(references))}.items()):
        if column in types and key in types:
            yield column, key


def _gather(
    column: Column,
    pairs: tuple[tuple[Column, Column], ...],
    types: Mapping[Column, str],
    wanted: Mapping[Column, str],
    reasons: Mapping[Column, str],
    declared: Snapshot,
) -> Keys:
    columns = {column}
    while more := {one for pair in pairs if not columns.isdisjoint(pair) for one in pair} - columns:
        columns |= more
    roots = sorted(columns - {child for child, _ in pairs}) or sorted(columns)
    to = next((wanted[one] for one in sorted(columns) if one in wanted), types[roots[0]])
    family = family_of(to)
    wrong = sorted(one for one in columns if family_of(types[one]) != family)
    return Keys(
        columns=frozenset(columns),
        types={one: types[one] for one in columns},
        nullable=frozenset(one for one in columns if _may_be_null(declared, one)),
        family=family,
        why="; ".join(reasons[one] for one in sorted(columns) if one in reasons),
        obstacle=f"{wrong[0]} is still declared as {types[wrong[0]]}" if wrong else "",
    )


def _may_be_null(declared: Snapshot, column: Column) -> bool:
    keys = read_declared_keys(declared).keys.get(column.table, ())
    if any(key.is_primary and column.name in key.columns for key in keys):
        return False
    key = ObjectKey("column", column.table[0], join_name(column.table[1], column.name))
    return declared.objects[key].get("nullable") is not False
