"""Do columns that hold the same keys have the same type? Where not, code papers over it with casts, and joins are slow.

Related are the two ends of a reference, and columns of one name where foreign keys say what that name means: if
``user_id`` refers to ``users.id`` wherever a foreign key is declared, it means that in the other tables, too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.reference import Reference, name_place
from govern.core.restoration import Place
from govern.core.snapshot import Snapshot, split_name

TYPE_MISMATCH = Rule(
    id="integrity.type-mismatch",
    name="related columns have different types",
    severity=Severity.ERROR,
    condition="a column that holds another's keys is of another kind of type: text here, integer or uuid there",
    effect="no foreign key can keep the reference, joins need casts and use no index",
    remedy="convert the column with a revision: ALTER TABLE … ALTER COLUMN … TYPE … USING …",
)
RULES = (TYPE_MISMATCH,)

_FAMILIES = (
    (re.compile(r"(small|big)?int(eger)?[248]?\b|(big|small)?serial\b", re.IGNORECASE), "whole numbers"),
    (re.compile(r"text\b|(n?var)?char(acter)?\b|citext\b|clob\b|bpchar\b", re.IGNORECASE), "texts"),
    (re.compile(r"uuid\b|guid\b", re.IGNORECASE), "uuids"),
)
"""Types of one family compare with each other and refer to each other."""


class _Column(NamedTuple):
    table: Place
    name: str

    def __str__(self) -> str:
        return f"{name_place(self.table)}.{self.name}"


def check_related_types(live: Snapshot, references: Iterable[Reference]) -> tuple[Finding, ...]:
    """Columns whose type is of another family than that of the key that they hold, each once."""
    types = _read_types(live)
    single = [reference for reference in references if len(reference.columns) == 1]
    expected = dict((*_same_names(types, single), *_ends(single)))
    return tuple(
        _mismatch(column, types[column], key, types[key])
        for column, key in sorted(expected.items())
        if column in types and key in types and _family(types[column]) != _family(types[key])
    )


def _read_types(live: Snapshot) -> Mapping[_Column, str]:
    tables = {(key.namespace, key.name) for key in live.of_kind("table")}
    types = {}
    for key in live.of_kind("column"):
        table, *_, column = split_name(key.name)
        kind = live.objects[key].get("type")
        if (key.namespace, table) in tables and isinstance(kind, str):
            types[_Column((key.namespace, table), column)] = kind
    return types


def _ends(references: Iterable[Reference]) -> Iterator[tuple[_Column, _Column]]:
    """A column, and the one that it refers to."""
    for reference in references:
        yield (
            _Column(reference.child, reference.columns[0]),
            _Column(reference.parent, reference.parent_columns[0]),
        )


def _same_names(
    types: Mapping[_Column, str], references: Iterable[Reference]
) -> Iterator[tuple[_Column, _Column]]:
    """The same of columns that no reference speaks of, by the name; if it always means the same, and not any key."""
    meanings: dict[str, set[_Column]] = defaultdict(set)
    for column, key in _ends(references):
        if column.name != key.name:
            meanings[column.name].add(key)
    for column in types:
        meant = meanings.get(column.name, set())
        if len(meant) == 1:
            yield column, next(iter(meant))


def _family(kind: str) -> str:
    name = kind.rpartition(".")[2]
    return next(
        (family for pattern, family in _FAMILIES if pattern.match(name)), name.partition("(")[0].lower()
    )


def _mismatch(column: _Column, kind: str, key: _Column, key_kind: str) -> Finding:
    namespace, table = column.table
    return Finding.of(
        TYPE_MISMATCH,
        Subject(kind="column", namespace=namespace or None, name=f"{table}.{column.name}"),
        f"{column} is {kind}, and {key}, whose values it holds, is {key_kind}",
        evidence={"type": kind, "key": str(key), "key_type": key_kind},
    )
