"""Which columns a statement's results, parameters and casts are about, by PostgreSQL's own grammar.

What is not surely one column's is nobody's: a column of a function, of a name that two tables have, of an outer query.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from govern.checks.scan.schema import Schema
from govern.core.keys import Column
from govern.core.restoration import Place
from govern.database.postgresql.grammar import parse_sql

_EQUALITIES = frozenset({"=", "<>", "!="})
_SAME_OR_NOT = frozenset({"AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"})


class Output(NamedTuple):
    """One column of what a statement gives back."""

    name: str
    column: Column | None
    is_outer: bool
    """Whether a join may leave it empty though the column is never NULL."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operand:
    """One side of a comparison or an assignment, without the casts around it."""

    column: Column | None = None
    parameter: int | None = None
    constant: str | None = None
    """As it is written, without quotes; nothing for NULL."""
    casts: tuple[CastInSql, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CastInSql:
    """A cast of a column, a parameter or a constant."""

    offset: int
    """Of ``::`` or of ``CAST``."""
    to: str
    """The type, with how long it may be at most."""


class Comparison(NamedTuple):
    """Two sides that are to be equal, or that one gets from the other."""

    left: Operand
    right: Operand


@dataclass(slots=True, kw_only=True)
class StatementColumns:
    """What one statement says."""

    outputs: tuple[Output, ...] | None = None
    """None where not all of them are known."""
    comparisons: list[Comparison] = field(default_factory=list)
    others: list[Operand] = field(default_factory=list)
    """Casts that stand elsewhere, with what they are of."""
    parameters: Counter[int] = field(default_factory=Counter)

    def columns_of(self, parameter: int) -> tuple[Comparison, ...]:
        """The comparisons of a parameter; none where it is used for anything else, too."""
        found = tuple(
            one for one in self.comparisons if parameter in (one.left.parameter, one.right.parameter)
        )
        return found if len(found) == self.parameters[parameter] else ()


def read_statement_columns(sql: str, schema: Schema) -> StatementColumns | None:
    """None for what is no PostgreSQL, and for several statements at once. Raises ToolMissing without pglast."""
    parsed = parse_sql(sql, extra="scan")
    if parsed is None or len(parsed) != 1:
        return None
    reading = _Reading(schema)
    reading.said.outputs = reading.read_query(parsed[0], None)
    return reading.said


@dataclass(slots=True)
class _Tables:
    """The tables that names are looked up in; None stands for one of which nothing is known."""

    by_alias: dict[str, Mapping[str, Output] | None]
    around: _Tables | None

    def find(self, fields: tuple[str, ...]) -> Output | None:
        *qualifier, name = fields
        if len(qualifier) > 1:
            return None
        if qualifier:
            if qualifier[0] in self.by_alias:
                return (self.by_alias[qualifier[0]] or {}).get(name)
            return self.around.find(fields) if self.around else None
        if any(columns is None for columns in self.by_alias.values()):
            return None
        found = [columns[name] for columns in self.by_alias.values() if columns and name in columns]
        if found:
            return found[0] if len(found) == 1 else None
        return self.around.find(fields) if self.around else None


class _Reading:
    """Goes through one statement."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._queries: dict[str, Mapping[str, Output] | None] = {}
        self.said = StatementColumns()

    def read_query(self, node: Any, around: _Tables | None) -> tuple[Output, ...] | None:
        self._read_with(node, around)
        kind = type(node).__name__
        if kind == "SelectStmt" and node.larg is not None:
            first = self.read_query(node.larg, around)
            self.read_query(node.rarg, around)
            return tuple(one._replace(column=None) for one in first) if first is not None else None
        tables = _Tables(dict(self._find_tables(node, around)), around)
        if kind == "InsertStmt":
            self._read_insert(node, tables)
        elif kind == "UpdateStmt":
            self._read_assigned(node.targetList, self._place_of(node.relation), tables)
            self._walk(node.whereClause, tables)
            self._walk(node.fromClause, tables)
        else:
            for name in node.__slots__:
                if name not in ("withClause", "relation", "returningClause", "returningList"):
                    self._walk(getattr(node, name, None), tables)
        returning = getattr(node, "returningClause", None)
        targets = node.targetList if kind == "SelectStmt" else returning.exprs if returning else None
        targets = targets or getattr(node, "returningList", None)
        if kind != "SelectStmt":
            self._walk(targets, tables)
        return self._read_outputs(targets, tables)

    def _read_with(self, node: Any, around: _Tables | None) -> None:
        clause = getattr(node, "withClause", None)
        if clause is None:
            return
        for one in clause.ctes:
            if clause.recursive:
                self._queries[one.ctename] = None
            outputs = self.read_query(one.ctequery, around)
            known = outputs is not None and not one.aliascolnames and not clause.recursive
            self._queries[one.ctename] = {output.name: output for output in outputs or ()} if known else None

    def _find_tables(
        self, node: Any, around: _Tables | None
    ) -> Iterator[tuple[str, Mapping[str, Output] | None]]:
        relation = getattr(node, "relation", None)
        for one in (
            relation,
            *(getattr(node, "fromClause", None) or ()),
            *(getattr(node, "usingClause", None) or ()),
        ):
            if one is not None:
                yield from self._tables_of(one, around, is_outer=False)

    def _tables_of(
        self, node: Any, around: _Tables | None, *, is_outer: bool
    ) -> Iterator[tuple[str, Mapping[str, Output] | None]]:
        kind = type(node).__name__
        if kind == "JoinExpr":
            outer = is_outer or node.jointype.name != "JOIN_INNER"
            yield from self._tables_of(node.larg, around, is_outer=outer)
            yield from self._tables_of(node.rarg, around, is_outer=outer)
            return
        alias = node.alias.aliasname if getattr(node, "alias", None) is not None else ""
        columns: Mapping[str, Output] | None = None
        if kind == "RangeVar":
            alias = alias or node.relname
            columns = self._columns_of(node)
        elif kind == "RangeSubselect":
            outputs = self.read_query(node.subquery, around)
            columns = {one.name: one for one in outputs} if outputs is not None else None
        if columns is not None and is_outer:
            columns = {name: one._replace(is_outer=True) for name, one in columns.items()}
        yield alias, columns

    def _columns_of(self, node: Any) -> Mapping[str, Output] | None:
        if not node.schemaname and node.relname in self._queries:
            return self._queries[node.relname]
        place = self._place_of(node)
        if place is None:
            return None
        return {name: Output(name, Column(place, name), False) for name in self._schema.relations[place]}

    def _place_of(self, node: Any) -> Place | None:
        schema, name = node.schemaname or "", node.relname
        places = [(schema, name)] if schema else [(one, name) for one in self._schema.search_path]
        return next((place for place in places if place in self._schema.relations), None)

    def _read_outputs(self, targets: Any, tables: _Tables) -> tuple[Output, ...] | None:
        outputs: list[Output] = []
        for target in targets or ():
            value = target.val
            if type(value).__name__ == "ColumnRef" and type(value.fields[-1]).__name__ == "A_Star":
                chosen = [one.sval for one in value.fields[:-1]]
                known = [columns for alias, columns in tables.by_alias.items() if chosen in ([], [alias])]
                if not known or any(columns is None for columns in known):
                    return None
                outputs += [output for columns in known if columns for output in columns.values()]
                continue
            operand = self._operand(value, tables)
            found = tables.find(_fields(value)) if type(value).__name__ == "ColumnRef" else None
            name = target.name or (operand.column.name if operand.column else "")
            column = operand.column if not operand.casts else None
            outputs.append(Output(name, column, found.is_outer if found else True))
        return tuple(outputs)

    def _read_insert(self, node: Any, tables: _Tables) -> None:
        place, query = self._place_of(node.relation), node.selectStmt
        names = [one.name for one in node.cols or ()]
        if place is not None and not names:
            names = list(self._schema.relations[place])
        for row in (query.valuesLists or ()) if query is not None else ():
            for name, value in zip(names, row, strict=False):
                self._compare(_column_operand(place, name), value, tables)
            for value in row[len(names) :]:
                self._walk(value, tables)
        if query is not None and not query.valuesLists:
            self.read_query(query, None)
        if node.onConflictClause is not None:
            tables.by_alias["excluded"] = tables.by_alias.get(node.relation.relname)
            self._read_assigned(node.onConflictClause.targetList, place, tables)
            self._walk(node.onConflictClause.whereClause, tables)

    def _read_assigned(self, targets: Any, place: Place | None, tables: _Tables) -> None:
        for target in targets or ():
            self._compare(_column_operand(place, target.name), target.val, tables)

    def _walk(self, node: Any, tables: _Tables) -> None:
        if isinstance(node, tuple):
            for part in node:
                self._walk(part, tables)
            return
        kind = type(node).__name__
        if kind == "SelectStmt":
            self.read_query(node, tables)
        elif kind == "RangeSubselect":
            return  # read where its columns were asked for
        elif kind == "A_Expr" and _is_equality(node):
            values = node.rexpr if isinstance(node.rexpr, tuple) else (node.rexpr,)
            left = self._operand(node.lexpr, tables)
            for value in values:
                self._compare(left, value, tables)
            if left.column is None and left.parameter is None and left.constant is None:
                self._walk(node.lexpr, tables)
            elif left.parameter is not None:
                self.said.parameters[left.parameter] += len(values)
        elif kind == "TypeCast":
            operand = self._operand(node, tables)
            if operand.casts and (operand.column or operand.parameter or operand.constant is not None):
                self.said.others.append(operand)
                self.said.parameters[operand.parameter or 0] += 1
            else:
                self._walk(node.arg, tables)
        elif kind == "ParamRef":
            self.said.parameters[node.number] += 1
        elif hasattr(node, "__slots__"):
            for name in node.__slots__:
                self._walk(getattr(node, name, None), tables)

    def _compare(self, left: Operand, value: Any, tables: _Tables) -> None:
        right = self._operand(value, tables)
        self.said.comparisons.append(Comparison(left, right))
        if right.parameter is not None:
            self.said.parameters[right.parameter] += 1
        elif right.column is None and right.constant is None:
            self._walk(value, tables)

    def _operand(self, node: Any, tables: _Tables) -> Operand:
        casts = []
        while type(node).__name__ == "TypeCast":
            casts.append(CastInSql(offset=node.location, to=_type_of(node.typeName)))
            node = node.arg
        kind = type(node).__name__
        if kind == "ColumnRef" and type(node.fields[-1]).__name__ == "String":
            found = tables.find(_fields(node))
            return Operand(column=found.column if found else None, casts=tuple(casts))
        if kind == "ParamRef":
            return Operand(parameter=node.number, casts=tuple(casts))
        return Operand(constant=_constant_of(node) if kind == "A_Const" else None, casts=tuple(casts))


def _column_operand(place: Place | None, name: str | None) -> Operand:
    return Operand(column=Column(place, name) if place is not None and name else None)


def _type_of(node: Any) -> str:
    lengths = ",".join(_constant_of(one) for one in node.typmods or () if type(one).__name__ == "A_Const")
    length = f"({lengths})" if lengths else ""
    return f"{node.names[-1].sval}{length}{'[]' if node.arrayBounds else ''}"


def _constant_of(node: Any) -> str:
    value = node.val
    if value is None:
        return ""
    return str(next(getattr(value, name) for name in value.__slots__))


def _fields(node: Any) -> tuple[str, ...]:
    return tuple(getattr(one, "sval", "*") for one in node.fields)


def _is_equality(node: Any) -> bool:
    kind = node.kind.name
    if kind in _SAME_OR_NOT:
        return True
    return kind in ("AEXPR_OP", "AEXPR_IN") and node.lexpr is not None and node.name[-1].sval in _EQUALITIES


def columns_by_parameter(said: StatementColumns) -> Mapping[int, tuple[Comparison, ...]]:
    """Each parameter that is only ever compared with columns."""
    known: dict[int, tuple[Comparison, ...]] = defaultdict(tuple)
    for number in said.parameters:
        if number and (found := said.columns_of(number)):
            known[number] = found
    return known
