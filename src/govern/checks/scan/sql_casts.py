"""Casts in SQL that paper over a wrong type of a key: what the database takes without them, and means the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from govern.checks.scan.conversions import Conversion
from govern.checks.scan.destinations import cuts_off, given_for
from govern.checks.scan.mistyped import Keys
from govern.checks.scan.placeholders import Statement, split_statements
from govern.checks.scan.schema import Schema
from govern.checks.scan.shapes import RunSql, is_tagged
from govern.checks.scan.statement_columns import CastInSql, Operand, StatementColumns, read_statement_columns
from govern.checks.scan.verdicts import CastKey, Certainty, Finder, Key, Workaround, core_of
from govern.code.programs.calls import Program
from govern.code.programs.program import Expression, unwrap
from govern.code.sources import Source
from govern.core.code import HOLE, SqlText
from govern.core.edit import Edit, apply_edits
from govern.core.keys import Column, family_of
from govern.core.type_names import spell_type

_TYPE = r"(?:character\s+varying|varchar|char|bpchar|text|integer|int[248]?|bigint|smallint|uuid)(?:\s*\(\s*\d+\s*\))?"
_SHORT = re.compile(rf"::\s*{_TYPE}(?![\w(\[])", re.IGNORECASE)
_LONG = re.compile(rf"CAST\s*\(\s*(?P<argument>[^\s(),']+|'[^']*')\s+AS\s+{_TYPE}\s*\)", re.IGNORECASE)
_PLAIN = re.compile(r"0|-?[1-9]\d*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A number or a UUID as a database writes it: only then the text of one is equal to it just when they are."""

Uses = Mapping[tuple[str, int, int], list[tuple[Source, Program, Expression]]]
"""Calls that run a statement, by the place where it begins."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """One cast, and what is known of it."""

    cast: CastInSql
    keys: Keys
    certainty: Certainty
    because: str
    needs: frozenset[Key] = frozenset()


def name_cast(sql: SqlText, offset: int) -> CastKey:
    """Names a cast alike wherever its statement is read."""
    return (sql.path, sql.marks[0].line, sql.marks[0].column, offset)


def find_casts(
    programs: Mapping[Source, Program], sql: Mapping[str, tuple[SqlText, ...]], finder: Finder, schema: Schema
) -> Iterator[Workaround]:
    """In the statements of the files that are looked at."""
    uses = _find_uses(programs)
    for source in programs:
        for text in sql.get(source.name, ()):
            called = uses.get((source.name, text.marks[0].line, text.marks[0].column), [])
            yield from _Reading(source, text, called, finder, schema).find()


def _find_uses(programs: Mapping[Source, Program]) -> Uses:
    found: dict[tuple[str, int, int], list[tuple[Source, Program, Expression]]] = defaultdict(list)
    for source, program in programs.items():
        for one in program.root.walk():
            if one.sql is not None:
                mark = one.sql.marks[0]
                found[source.name, mark.line, mark.column].append((source, program, one))
    return found


class _Reading:
    """Looks at one text of SQL."""

    def __init__(
        self,
        source: Source,
        text: SqlText,
        called: list[tuple[Source, Program, Expression]],
        finder: Finder,
        schema: Schema,
    ) -> None:
        self._source, self._text, self._finder, self._schema = source, text, finder, schema
        self._called = [
            use
            for use in called
            if not any(use[2] is not one[2] and _holds(one[2], use[2]) for one in called)
        ]

    def find(self) -> Iterator[Workaround]:
        for statement in split_statements(self._text.text):
            if not self._is_known(statement):
                continue
            said = read_statement_columns(statement.sql, self._schema)
            if said is not None:
                yield from self._find_in(statement, said)

    def _is_known(self, statement: Statement) -> bool:
        """Whether nothing of it is filled in, but for the parameters of a tagged template."""
        if self._called and all(is_tagged(call) for _, _, call in self._called):
            return True
        end = statement.find_origin(max(0, len(statement.sql) - 1)) + 1
        return HOLE not in self._text.text[statement.find_origin(0) : end]

    def _find_in(self, statement: Statement, said: StatementColumns) -> Iterator[Workaround]:
        judged = [*self._judge_compared(statement, said), *self._judge_others(said)]
        spans = {one: _span_of(statement.sql, one.cast) for one in judged}
        removed = [
            cut
            for one in judged
            if one.certainty == "certain"
            for cut in spans[one] or ()
            if not one.keys.obstacle
        ]
        is_taken = not removed or self._is_taken(statement, removed)
        for one in judged:
            edits = self._edits(statement, spans[one])
            certainty, because = one.certainty, one.because
            if certainty == "certain" and edits is None:
                certainty, because = "likely", "its text is not there in one piece"
            elif certainty == "certain" and not is_taken and not one.keys.obstacle:
                certainty, because = "likely", "the database does not take the statement without it"
            begin, end = self._place(statement, one.cast, spans[one])
            yield Workaround(
                key=name_cast(self._text, one.cast.offset),
                source=self._source,
                begin=begin,
                end=end,
                keys=one.keys,
                certainty=certainty,
                because=because,
                edits=(edits or ()) if certainty == "certain" else (),
                needs=one.needs,
            )

    def _judge_compared(self, statement: Statement, said: StatementColumns) -> Iterator[_Judged]:
        for left, right in said.comparisons:
            for operand, other in ((left, right), (right, left)):
                column = operand.column or other.column
                keys = self._finder.origins.keys_of(column)
                if keys is None or column is None:
                    continue
                for cast in operand.casts:
                    yield self._judge(statement, said, cast, operand, other, keys, column)

    def _judge(
        self,
        statement: Statement,
        said: StatementColumns,
        cast: CastInSql,
        operand: Operand,
        other: Operand,
        keys: Keys,
        column: Column,
    ) -> _Judged:
        declared = keys.types[column]
        if spell_type(cast.to) == spell_type(declared):
            return _Judged(cast=cast, keys=keys, certainty="certain", because=f"{column} is {declared}")
        if family_of(cast.to) == keys.family:
            because = f"{column} is {declared}, which is not just as wide"
            return _Judged(cast=cast, keys=keys, certainty="likely", because=because)
        if cuts_off(cast.to, keys.family):
            because = f"{cast.to} may cut off what {column} has"
            return _Judged(cast=cast, keys=keys, certainty="likely", because=because)
        parameter = operand.parameter or other.parameter
        if parameter is not None:
            needs = self._find_given(statement, said, parameter)
            if needs is None:
                because = "nobody can say of what kind the parameter's values are"
                return _Judged(cast=cast, keys=keys, certainty="likely", because=because)
            because = f"{column} is compared with a value of its own kind"
            return _Judged(cast=cast, keys=keys, certainty="certain", because=because, needs=needs)
        constant = operand.constant if operand.constant is not None else other.constant
        if constant is not None and not _PLAIN.fullmatch(constant):
            because = f"{column} is never written as {constant!r}, and so never equal to that text"
            return _Judged(cast=cast, keys=keys, certainty="likely", because=because)
        if constant is not None or {operand.column, other.column} <= keys.columns:
            because = f"{column} is compared with what is of its own kind"
            return _Judged(cast=cast, keys=keys, certainty="certain", because=because)
        because = "nobody can say of what kind the other side is"
        return _Judged(cast=cast, keys=keys, certainty="likely", because=because)

    def _find_given(self, statement: Statement, said: StatementColumns, number: int) -> frozenset[Key] | None:
        """The conversions that have to go with the cast; None where something else may be given."""
        if len(self._called) != 1 or not said.columns_of(number):
            return None
        [(_, program, call)] = self._called
        offset = self._source.offset_of(self._text.marks[0].line, self._text.marks[0].column)
        if not call.begin <= offset < call.end:
            return None  # a constant, which others may run, too
        ran = RunSql(said=said, names=statement.names, statement=statement.sql)
        given = given_for(call, ran, number)
        if given is None:
            return None
        conversion = self._finder.conversions.find(program, unwrap(given))
        core = core_of(self._finder.conversions, program, conversion) if conversion is not None else given
        origin = self._finder.origins.origin_of(program, core)
        if origin is None or not origin.is_sure:
            return None
        return frozenset({conversion.outer} if _is_contrary(conversion, origin.keys) and conversion else ())

    def _judge_others(self, said: StatementColumns) -> Iterator[_Judged]:
        """Of casts that stand alone only those say nothing that are to the very type."""
        for operand in said.others:
            keys = self._finder.origins.keys_of(operand.column)
            if keys is None or operand.column is None:
                continue
            declared = keys.types[operand.column]
            for cast in operand.casts:
                if spell_type(cast.to) == spell_type(declared):
                    because = f"{operand.column} is {declared}"
                    yield _Judged(cast=cast, keys=keys, certainty="certain", because=because)

    def _is_taken(self, statement: Statement, removed: list[Edit]) -> bool:
        """Whether the database takes the statement without them, as it is to be."""
        without = apply_edits(statement.sql, removed)
        return self._schema.judge([(without, statement.parameters)])[0] is None

    def _edits(self, statement: Statement, cuts: tuple[Edit, ...] | None) -> tuple[Edit, ...] | None:
        """The same in the file, where it says letter by letter what the statement does."""
        edits = []
        for cut in cuts or ():
            begin = self._in_file(statement, cut.begin)
            end = begin + cut.end - cut.begin
            if self._source.text[begin:end] != statement.sql[cut.begin : cut.end]:
                return None
            edits.append(Edit(begin, end))
        return tuple(edits) if cuts else None

    def _in_file(self, statement: Statement, offset: int) -> int:
        spot = self._text.find_spot(statement.find_origin(offset))
        return self._source.offset_of(spot.line, spot.column)

    def _place(self, statement: Statement, cast: CastInSql, cuts: tuple[Edit, ...] | None) -> tuple[int, int]:
        begin = self._in_file(statement, cast.offset)
        length = cuts[-1].end - cast.offset if cuts else len("CAST")
        return begin, begin + length


def _span_of(sql: str, cast: CastInSql) -> tuple[Edit, ...] | None:
    """What to take out of a statement, so that the cast is gone; None where it is not written as usual."""
    if found := _SHORT.match(sql, cast.offset):
        return (Edit(found.start(), found.end()),)
    if found := _LONG.match(sql, cast.offset):
        return (Edit(found.start(), found.start("argument")), Edit(found.end("argument"), found.end()))
    return None


def _is_contrary(conversion: Conversion | None, keys: Keys) -> bool:
    return conversion is not None and conversion.to != keys.family


def _holds(outer: Expression, inner: Expression) -> bool:
    return outer.begin <= inner.begin and inner.end <= outer.end
