"""What a PostgreSQL statement means to do, read by PostgreSQL's own grammar.

What it really did is for observations to say; this only tells which of its parts did it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from govern.core.snapshot import join_name
from govern.database.postgresql.grammar import parse_sql, walk

ConstraintKind = Literal["foreign key", "check", "unique", "primary key", "exclusion"]


@dataclass(frozen=True, slots=True)
class Table:
    """As the statement spells it."""

    namespace: str | None
    name: str

    def __str__(self) -> str:
        return join_name(*(part for part in (self.namespace, self.name) if part))

    def is_called(self, observed: str) -> bool:
        """Whether ``schema.name`` can be this table."""
        return observed == str(self) or (self.namespace is None and observed.endswith(f".{self}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing a statement does to one table; an act of no class of its own is anything else."""

    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn(Act):
    column: str
    type: str
    default: str | None = None
    is_numbered: bool = False
    """A serial or an identity: its values come from a sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddConstraint(Act):
    kind: ConstraintKind
    name: str | None
    columns: tuple[str, ...] = ()
    expression: str = ""
    target: Table | None = None
    target_columns: tuple[str, ...] = ()
    on_delete: str | None = None
    on_update: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNotNull(Act):
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeType(Act):
    column: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndex(Act):
    name: str | None
    columns: tuple[str, ...]
    """Names, or expressions as SQL."""
    has_expressions: bool
    is_unique: bool
    method: str
    where: str | None
    is_concurrent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumn(Act):
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Act):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRows(Act):
    verb: Literal["DELETE", "TRUNCATE"]


def read_statement(sql: str) -> tuple[Act, ...]:
    """What one statement (or several) does; nothing for what is no PostgreSQL.

    Placeholders of drivers are taken for parameters. Raises ToolMissing without pglast.
    """
    return tuple(act for node in _parse(sql) for act in _acts(node))


def read_change(sql: str) -> tuple[str, str | None] | None:
    """Of one UPDATE or DELETE all that comes before its WHERE, and the condition; None for anything else."""
    nodes = _parse(sql)
    if len(nodes) != 1 or type(nodes[0]).__name__ not in ("UpdateStmt", "DeleteStmt"):
        return None
    (change,) = nodes
    where = _text(change.whereClause) if change.whereClause is not None else None
    change.whereClause = None
    return _text(change), where


def read_tables(sql: str) -> tuple[str, ...]:
    """The tables that a statement names, as it spells them."""
    found = (node for node in walk(_parse(sql)) if type(node).__name__ == "RangeVar")
    return tuple(dict.fromkeys(str(_table(node)) for node in found))


def is_definition(sql: str) -> bool:
    """Whether PostgreSQL can parse it, and it defines something rather than changing rows."""
    kinds = {type(node).__name__ for node in _parse(sql)}
    return bool(kinds) and kinds.isdisjoint(("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"))


def _parse(sql: str) -> tuple[Any, ...]:
    """The nodes of its statements; none for what is no PostgreSQL."""
    return parse_sql(_with_parameters(sql), extra="lint") or ()


_PLACEHOLDER = re.compile(r"%\(\w+\)s|%s")


def _with_parameters(sql: str) -> str:
    return _PLACEHOLDER.sub("$1", sql).replace("%%", "%")


def _acts(node: Any) -> Iterator[Act]:
    read = _READERS.get(type(node).__name__)
    if read is not None:
        yield from read(node)


def _table(relation: Any) -> Table:
    return Table(relation.schemaname, relation.relname)


def _text(node: Any) -> str:
    from pglast.stream import RawStream

    written: str = RawStream()(node)
    return written


def _names(nodes: Any) -> tuple[str, ...]:
    return tuple(node.sval for node in nodes or ())


def _alter_table(node: Any) -> Iterator[Act]:
    if node.objtype.name != "OBJECT_TABLE":
        return
    table = _table(node.relation)
    for command in node.cmds:
        yield from _command(table, command)


def _command(table: Table, command: Any) -> Iterator[Act]:
    match command.subtype.name:
        case "AT_AddColumn":
            yield from _add_column(table, command.def_)
        case "AT_AddConstraint":
            yield from _add_constraint(table, command.def_)
        case "AT_SetNotNull":
            yield SetNotNull(table=table, column=command.name)
        case "AT_AlterColumnType":
            yield ChangeType(table=table, column=command.name, type=_text(command.def_.typeName))
        case "AT_DropColumn":
            yield DropColumn(table=table, column=command.name)
        case _:
            yield Act(table=table)


def _add_column(table: Table, definition: Any) -> Iterator[Act]:
    constraints = definition.constraints or ()
    kinds = {constraint.contype.name: constraint for constraint in constraints}
    default = kinds.get("CONSTR_DEFAULT")
    type_ = _text(definition.typeName)
    yield AddColumn(
        table=table,
        column=definition.colname,
        type=type_,
        default=_text(default.raw_expr) if default else None,
        is_numbered="CONSTR_IDENTITY" in kinds or "serial" in type_,
    )
    for constraint in constraints:
        yield from _add_constraint(table, constraint, column=definition.colname)


_KINDS: dict[str, ConstraintKind] = {
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_CHECK": "check",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclusion",
}
_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
"""``a``, NO ACTION, is the default and is left out."""


def _add_constraint(table: Table, constraint: Any, *, column: str | None = None) -> Iterator[Act]:
    if constraint.contype.name not in _KINDS:
        return
    columns = _names(constraint.fk_attrs or constraint.keys) or ((column,) if column else ())
    yield AddConstraint(
        table=table,
        kind=_KINDS[constraint.contype.name],
        name=constraint.conname,
        columns=columns,
        expression=_text(constraint.raw_expr) if constraint.raw_expr is not None else "",
        target=_table(constraint.pktable) if constraint.pktable is not None else None,
        target_columns=_names(constraint.pk_attrs),
        on_delete=_ACTIONS.get(constraint.fk_del_action),
        on_update=_ACTIONS.get(constraint.fk_upd_action),
    )


def _create_index(node: Any) -> Iterator[Act]:
    elements = node.indexParams
    yield CreateIndex(
        table=_table(node.relation),
        name=node.idxname,
        columns=tuple(_text(element) if _is_expression(element) else element.name for element in elements),
        has_expressions=any(map(_is_expression, elements)),
        is_unique=bool(node.unique),
        method=node.accessMethod or "btree",
        where=_text(node.whereClause) if node.whereClause is not None else None,
        is_concurrent=bool(node.concurrent),
    )


def _is_expression(element: Any) -> bool:
    """Anything but a bare column: an expression, an order, an operator class."""
    plain = element.ordering.name == "SORTBY_DEFAULT" and not element.opclass and not element.collation
    return element.name is None or not plain


def _drop(node: Any) -> Iterator[Act]:
    if node.removeType.name == "OBJECT_TABLE":
        for names in node.objects:
            *namespace, name = _names(names)
            yield DropTable(table=Table(namespace[-1] if namespace else None, name))


def _delete(node: Any) -> Iterator[Act]:
    yield DeleteRows(table=_table(node.relation), verb="DELETE")


def _truncate(node: Any) -> Iterator[Act]:
    for relation in node.relations:
        yield DeleteRows(table=_table(relation), verb="TRUNCATE")


_READERS: dict[str, Callable[[Any], Iterator[Act]]] = {
    "AlterTableStmt": _alter_table,
    "IndexStmt": _create_index,
    "DropStmt": _drop,
    "DeleteStmt": _delete,
    "TruncateStmt": _truncate,
}
