"""Columns that hold keys: what kind of type they have, and which tables their names speak of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from govern.core.restoration import Place, name_place
from govern.core.snapshot import Snapshot, split_name

if TYPE_CHECKING:
    from govern.core.reference import Reference
    from govern.core.table_shape import TableShape

_FAMILIES = (
    (re.compile(r"(small|big)?int(eger)?[248]?\b|(big|small)?serial\b", re.IGNORECASE), "whole numbers"),
    (re.compile(r"text\b|(n?var)?char(acter)?\b|citext\b|clob\b|bpchar\b", re.IGNORECASE), "texts"),
    (re.compile(r"uuid\b|guid\b", re.IGNORECASE), "uuids"),
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_OF_A_KEY = frozenset({"id", "uuid", "guid", "key", "fk", "ref", "pk"})
_PLURALS = (("ies", "y"), ("es", ""), ("s", ""))


class Column(NamedTuple):
    """One column of a table."""

    table: Place
    name: str

    def __str__(self) -> str:
        return f"{name_place(self.table)}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A column that may refer to a key, by their names."""

    column: Column
    key: Column
    because: str
    is_strong: bool
    """Whether the name alone says so; else it has to be seen in the values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How many of a column's different values a key has."""

    values: int
    """Looked at; not more than were asked for."""
    found: int

    @property
    def share(self) -> float:
        return self.found / self.values if self.values else 0.0


def family_of(kind: str) -> str:
    """What a type compares with: types of one family can refer to each other."""
    name = kind.rpartition(".")[2]
    known = (family for pattern, family in _FAMILIES if pattern.match(name))
    return next(known, name.partition("(")[0].lower())


def read_types(live: Snapshot) -> Mapping[Column, str]:
    """The types of all columns of tables."""
    tables = {(key.namespace, key.name) for key in live.of_kind("table")}
    types = {}
    for key in live.of_kind("column"):
        table, *_, column = split_name(key.name)
        kind = live.objects[key].get("type")
        if (key.namespace, table) in tables and isinstance(kind, str):
            types[Column((key.namespace, table), column)] = kind
    return types


def ends_of(references: Iterable[Reference]) -> Iterator[tuple[Column, Column]]:
    """Of references by one column: that column, and the one that it refers to."""
    for reference in references:
        if len(reference.columns) == 1:
            yield (
                Column(reference.child, reference.columns[0]),
                Column(reference.parent, reference.parent_columns[0]),
            )


def read_meanings(references: Iterable[Reference]) -> Mapping[str, Column]:
    """Names of columns that refer to the same key wherever they refer to any; none that is the key's own name."""
    keys: dict[str, set[Column]] = defaultdict(set)
    for column, key in ends_of(references):
        if column.name != key.name:
            keys[column.name].add(key)
    return {name: next(iter(meant)) for name, meant in keys.items() if len(meant) == 1}


def find_candidates(
    types: Mapping[Column, str], shapes: Mapping[Place, TableShape], references: Iterable[Reference]
) -> Iterator[Candidate]:
    """Columns without a reference whose name speaks of another table's key."""
    references = tuple(references)
    taken = {column for column, _ in ends_of(references)}
    meanings = read_meanings(references)
    keys = [
        Column(place, key[0])
        for place, shape in sorted(shapes.items())
        for key in shape.keys
        if len(key) == 1 and Column(place, key[0]) in types
    ]
    for column in sorted(set(types) - taken):
        if (meant := meanings.get(column.name)) and meant.table != column.table:
            yield Candidate(
                column=column,
                key=meant,
                because=f"{column.name} refers to it in other tables",
                is_strong=True,
            )
            continue
        for key in keys:
            because, is_strong = _compare(column, key)
            if because and key.table != column.table:
                yield Candidate(column=column, key=key, because=because, is_strong=is_strong)


def _compare(column: Column, key: Column) -> tuple[str, bool]:
    """Why a column may refer to a key, and whether that is enough; nothing where it may not."""
    words, table = _words_of(column.name), _words_of(key.table[1])
    if column.name == key.name:
        # the key of one and a column of the other: unless both are just called id
        return (f"{key.name} is the key of {name_place(key.table)}", True) if words[:-1] else ("", False)
    if words[-1:] != _words_of(key.name)[-1:] or not _OF_A_KEY.intersection(words[-1:]):
        return "", False
    stem = words[:-1]
    if not stem or not table or not _is_same(stem[-1], table[-1]):
        return "", False
    shared = zip(reversed(stem), reversed(table), strict=False)
    return f"the name speaks of {name_place(key.table)}", all(_is_same(*pair) for pair in shared)


def _words_of(name: str) -> list[str]:
    """``conversationMessages`` and ``conversation_messages`` are conversation, messages."""
    return [word.lower() for word in _WORD.findall(name)]


def _is_same(one: str, other: str) -> bool:
    """Whether two words may be the singular and the plural of one."""
    return not _forms_of(one).isdisjoint(_forms_of(other))


def _forms_of(word: str) -> frozenset[str]:
    shorter = (word.removesuffix(plural) + singular for plural, singular in _PLURALS if word.endswith(plural))
    return frozenset((word, *shorter))
