"""What only its CREATE TABLE text says of a SQLite table: constraints, collations, expressions, options.

The text was accepted by SQLite, so this reads it and does not check it
(https://www.sqlite.org/lang_createtable.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govern.database.sqlite.catalog.tokens import closing, depths, name_of, split_top, text_of, tokens

_TABLE_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_CLAUSES = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "FOREIGN"}
    | {"GENERATED", "AS"}
)
# words after which the next one continues the clause: ON DELETE SET NULL, DEFAULT NULL, ALWAYS AS …
_CONTINUED = frozenset({"CONSTRAINT", "SET", "DEFAULT", "NOT", "ALWAYS"})
_CONSTRAINT_TYPES = {
    "PRIMARY": "primary key",
    "UNIQUE": "unique",
    "CHECK": "check",
    "FOREIGN": "foreign key",
    "REFERENCES": "foreign key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnText:
    """What a column's text says beyond ``PRAGMA table_xinfo``."""

    collation: str | None = None
    generated: str | None = None
    on_null: str | None = None
    """What happens instead of an error where NOT NULL is violated: ``IGNORE``, ``REPLACE`` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintText:
    """One constraint. A column's own reads as its table's: ``FOREIGN KEY (a) REFERENCES b(id)``."""

    type: str
    name: str | None
    definition: str

    @property
    def title(self) -> str:
        """Its name, or what tells it from the table's others: its columns, a check's condition."""
        if self.name is not None:
            return self.name
        if self.type == "primary key":
            return self.type
        if self.type == "check":
            return self.definition
        return f"{self.type} {self.definition[self.definition.index('(') : self.definition.index(')') + 1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableText:
    columns: Mapping[str, ColumnText]
    constraints: tuple[ConstraintText, ...]
    options: tuple[str, ...]
    """``STRICT``, ``WITHOUT ROWID``, sorted."""


def read_table_text(sql: str) -> TableText:
    """Reads a ``CREATE TABLE`` text as ``sqlite_master`` keeps it."""
    parts = tokens(sql)
    start = parts.index("(")
    end = closing(parts, start)
    columns: dict[str, ColumnText] = {}
    constraints: list[ConstraintText] = []
    for item in split_top(parts[start + 1 : end]):
        if item[0] in _TABLE_CONSTRAINTS:
            constraints += _constraints(item, column=None)
        else:
            columns[name_of(item[0])] = _column(item[1:])
            constraints += _constraints(item[1:], column=item[0])
    options = (text_of(option).upper() for option in split_top(parts[end + 1 :]) if option)
    return TableText(columns=columns, constraints=tuple(constraints), options=tuple(sorted(options)))


def _column(item: Sequence[str]) -> ColumnText:
    collation = generated = on_null = None
    for _, clause in _clauses(item):
        if clause[0] == "COLLATE":
            collation = name_of(clause[1]).upper()
        elif clause[0].upper() in ("GENERATED", "AS"):
            generated = text_of(_first_bracket(clause))
        elif clause[:2] == ("NOT", "NULL") and len(clause) > 4:
            on_null = clause[4].upper()  # NOT NULL ON CONFLICT IGNORE
    return ColumnText(collation=collation, generated=generated, on_null=on_null)


def _constraints(item: Sequence[str], *, column: str | None) -> Iterator[ConstraintText]:
    for name, clause in _clauses(item):
        if (kind := _CONSTRAINT_TYPES.get(clause[0])) is not None:
            parts = clause if column is None else _as_of_table(clause, column)
            parts = _without_default_action(parts) if kind == "foreign key" else parts
            yield ConstraintText(type=kind, name=name, definition=_capitalised(parts))


def _without_default_action(parts: tuple[str, ...]) -> tuple[str, ...]:
    """A reference without NO ACTION, which holds anyway (https://www.sqlite.org/foreignkeys.html, 4.3)."""
    words = tuple(part.upper() for part in parts)
    at = next((at for at in range(len(words)) if _is_default_action(words[at : at + 4])), None)
    return parts if at is None else _without_default_action((*parts[:at], *parts[at + 4 :]))


def _is_default_action(words: Sequence[str]) -> bool:
    return words[:1] == ("ON",) and words[1:2] in (("DELETE",), ("UPDATE",)) and words[2:] == ("NO", "ACTION")


def _as_of_table(clause: tuple[str, ...], column: str) -> tuple[str, ...]:
    """A column's constraint in the words of a table's."""
    if clause[0] == "REFERENCES":
        return ("FOREIGN", "KEY", "(", column, ")", *clause)
    if clause[0] == "CHECK":
        return clause
    words = 2 if clause[0] == "PRIMARY" else 1
    order, rest = clause[words : words + 1], clause[words:]
    if order and order[0].upper() in ("ASC", "DESC"):
        rest = clause[words + 1 :]
        column_parts = (column, *order) if order[0].upper() == "DESC" else (column,)
    else:
        column_parts = (column,)
    return (*clause[:words], "(", *column_parts, ")", *rest)


def _capitalised(parts: Sequence[str]) -> str:
    """The text with the words outside of brackets in capitals, but for names."""
    levels = depths(parts)
    written = [
        part if level or (at and parts[at - 1] == "REFERENCES") else part.upper()
        for at, (part, level) in enumerate(zip(parts, levels, strict=True))
    ]
    # the brackets of a table's own clauses stand apart, as people write them
    return text_of(written).replace("KEY(", "KEY (", 1)


def _clauses(item: Sequence[str]) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """(constraint name, tokens) of each clause of a column or table constraint, without the column's type."""
    levels = depths(item)
    starts = [at for at in range(len(item)) if levels[at] == 0 and _starts_clause(item, at)]
    name: str | None = None
    for start, end in pairwise([*starts, len(item)]):
        clause = tuple(item[start:end])
        if clause[0] == "CONSTRAINT":
            name = name_of(clause[1])
        else:
            yield name, clause
            name = None


def _starts_clause(item: Sequence[str], at: int) -> bool:
    word = item[at].upper()
    before = item[at - 1].upper() if at else ""
    if word not in _CLAUSES or before in _CONTINUED:
        # … but what follows ON DELETE SET DEFAULT is not that default
        return word in _CLAUSES and tuple(item[max(at - 2, 0) : at]) == ("SET", "DEFAULT")
    if word == "NOT" and tuple(item[at + 1 : at + 2]) == ("DEFERRABLE",):
        return False
    # FOREIGN KEY (…) REFERENCES is one clause
    return not (word == "REFERENCES" and "FOREIGN" in item[:at])


def _first_bracket(clause: Sequence[str]) -> tuple[str, ...]:
    """What stands in the first pair of brackets."""
    start = clause.index("(")
    return tuple(clause[start + 1 : closing(clause, start)])
