"""The declared schema, as statements and names of an application's code meet it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from govern.core.objection import Objection
from govern.core.restoration import Place, name_place

Judge = Callable[[Iterable[tuple[str, int]]], Sequence[Objection | None]]
"""Takes statements with the numbers of their parameters, and says what there is against each."""
Relations = Mapping[Place, tuple[str, ...]]

_OF_THE_ENGINE = ("pg_catalog", "information_schema", "pg_toast")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What there is, and who says whether a statement fits it."""

    relations: Relations
    search_path: tuple[str, ...]
    """Where names without a schema are looked for; of SQLite no name at all."""
    judge: Judge
    engine: str = "postgresql"
    """What the schema is declared for."""
    reads_grammar: bool
    """Whether it is PostgreSQL's, so that its grammar can be asked which tables a statement names."""

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names that columns have, of whatever table."""
        ours = (columns for place, columns in self.relations.items() if place[0] not in _OF_THE_ENGINE)
        return frozenset(column for columns in ours for column in columns)

    def find(self, schema: str, name: str) -> tuple[str, ...] | None:
        """The columns of a table; None where there is none of the name."""
        places = [(schema, name)] if schema else [(one, name) for one in self.search_path]
        return next((self.relations[place] for place in places if place in self.relations), None)

    def without(self, names: frozenset[str]) -> Schema:
        """The same where nobody knows the columns of what has one of these names."""
        known = {place: columns for place, columns in self.relations.items() if place[1] not in names}
        return replace(self, relations=known) if names else self

    def find_close_tables(self, place: Place) -> tuple[str, ...]:
        """Tables of nearly this name, and of just this name in another schema."""
        elsewhere = [name_place(one) for one in self._tables if one[1] == place[1]]
        near = _find_close(place[1], self._table_names - {place[1]})
        return tuple(dict.fromkeys([*elsewhere, *map(self._name_table, near)]))[:2]

    def _name_table(self, name: str) -> str:
        """With its schema, where it is found in no other way."""
        if self.find("", name) is not None:
            return name
        return next(name_place(one) for one in self._tables if one[1] == name)

    def find_close_columns(self, name: str, sql: str) -> tuple[str, ...]:
        """Columns of nearly this name, of the tables that the statement names."""
        words = frozenset(re.findall(r"\w+", sql))
        columns = {column for place in self._tables if place[1] in words for column in self.relations[place]}
        return _find_close(name, frozenset(columns - {name}))

    @cached_property
    def _tables(self) -> tuple[Place, ...]:
        return tuple(one for one in self.relations if one[0] not in _OF_THE_ENGINE)

    @cached_property
    def _table_names(self) -> frozenset[str]:
        return frozenset(name for _, name in self._tables)


@lru_cache(maxsize=10_000)
def _find_close(name: str, names: frozenset[str]) -> tuple[str, ...]:
    """Somebody who misspelt a name did it more than once."""
    return tuple(difflib.get_close_matches(name, names, 2, 0.75))
