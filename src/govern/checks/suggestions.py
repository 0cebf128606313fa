"""References that nobody declared, as names, types and values show them: for the manifest, if a person says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.keys import Candidate, Overlap, family_of, find_candidates, read_types
from govern.core.reference import Reference
from govern.core.wording import count_of
from govern.database.connection import Connection
from govern.database.dialect import Dialect
from govern.database.version_table import VersionTable

SUGGESTED = Rule(
    id="integrity.suggested-relationship",
    name="a column looks like a reference that nobody declared",
    severity=Severity.INFO,
    condition="its name speaks of another table's key, and its values, where there are some, are that key's",
    effect="nothing keeps the rows from losing what they refer to, and no check looks",
    remedy="declare a foreign key; where there can be none, name it under relationships in the manifest",
)
RULES = (SUGGESTED,)

_VALUES = 1000
"""Different ones, looked at of each column."""
_MOST = 0.9
"""Of the values a key has to have so many: the others may be orphans."""
_ENOUGH_VALUES = 10
_TELLING = frozenset({"uuids", "texts"})
"""Small whole numbers are in every key; that they are found says little."""


@dataclass(frozen=True, slots=True)
class _Seen:
    candidate: Candidate
    overlap: Overlap
    types: tuple[str, str]

    @property
    def is_convincing(self) -> bool:
        if self.candidate.is_strong:
            return not self.overlap.values or self.overlap.share >= _MOST / 2
        is_telling = family_of(self.types[0]) in _TELLING
        return is_telling and self.overlap.values >= _ENOUGH_VALUES and self.overlap.share >= _MOST


def suggest_relationships(
    connection: Connection,
    dialect: Dialect,
    table: VersionTable,
    references: Iterable[Reference],
    *,
    seconds: float,
) -> tuple[Finding, ...]:
    """What may be a reference besides ``references``; ``seconds`` for each look at values."""
    types = read_types(dialect.read_snapshot(connection, table))
    shapes = dialect.read_shapes(connection, table)
    seen = []
    for candidate in find_candidates(types, shapes, references):
        overlap = dialect.measure_overlap(
            connection, _reference_of(candidate), values=_VALUES, seconds=seconds
        )
        if overlap is not None:
            seen.append(_Seen(candidate, overlap, (types[candidate.column], types[candidate.key])))
    return tuple(map(_suggest, _best_of_each([one for one in seen if one.is_convincing])))


def _reference_of(candidate: Candidate) -> Reference:
    return Reference(
        child=candidate.column.table,
        columns=(candidate.column.name,),
        parent=candidate.key.table,
        parent_columns=(candidate.key.name,),
        has_same_types=False,  # compared as texts, whatever they are
    )


def _best_of_each(seen: Iterable[_Seen]) -> Iterator[_Seen]:
    """A column refers to one key: the one that has most of its values, and the name for it."""
    best: dict[object, _Seen] = {}
    for one in seen:
        rival = best.get(one.candidate.column)
        if rival is None or _rank(one) > _rank(rival):
            best[one.candidate.column] = one
    return iter(best.values())


def _rank(seen: _Seen) -> tuple[float, bool, bool]:
    return seen.overlap.share, seen.candidate.is_strong, seen.types[0] == seen.types[1]


def _suggest(seen: _Seen) -> Finding:
    column, key, overlap = seen.candidate.column, seen.candidate.key, seen.overlap
    values = (
        f"of {count_of(overlap.values, 'value')} looked at it has {overlap.found}"
        if overlap.values
        else "there are no values to compare"
    )
    own, other = seen.types
    kinds = "both have the same type" if own == other else f"one is {own}, the other {other}"
    return Finding.of(
        SUGGESTED,
        Subject(kind="relationship", name=f"{column} → {key}"),
        f"{column} looks like a reference to {key}: {seen.candidate.because}; {kinds}; {values}",
        remedy=f"a foreign key; or in the manifest under relationships: {{from: {column}, to: {key}}}",
        evidence={"from": str(column), "to": str(key), "values": overlap.values, "found": overlap.found},
    )
