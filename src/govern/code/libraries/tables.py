"""Tables and columns that Python names outside SQL: to SQLAlchemy, Alembic, Django, pandas, and drivers that copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from govern.code.libraries.arguments import NOWHERE, Calls, argument, called, placed_arguments, receiver_of
from govern.code.libraries.models import spot_of
from govern.code.texts.compositions import items_of
from govern.code.texts.names import Names
from govern.code.tree import Tree
from govern.core.code import NameKind, NameUse

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_OF_CLASSES = frozenset({"__tablename__", "db_table", "_table_"})
"""What a class calls its table, of SQLAlchemy, Django and Pony."""
_OF_META = frozenset({"table_name", "table"})
"""The same in ``class Meta`` of Peewee and Tortoise."""
_COPYING = {
    "copy_records_to_table": 0,
    "copy_to_table": 0,
    "copy_from_table": 0,
    "read_sql_table": 0,
    "copy_from": 1,
    "copy_to": 1,
}
"""Functions of asyncpg, psycopg2 and pandas that are given a table, and the place of its name."""
_OPERATIONS = {
    "add_column": 0,
    "drop_column": 0,
    "drop_table": 0,
    "rename_table": 0,
    "alter_column": 0,
    "batch_alter_table": 0,
    "create_index": 1,
    "create_unique_constraint": 1,
    "create_check_constraint": 1,
    "create_primary_key": 1,
    "create_foreign_key": 1,
    "drop_constraint": 1,
}
"""Alembic's, and the place of the table's name."""
_ITS_COLUMN = {"drop_column": 1, "alter_column": 1}
_ITS_COLUMNS = {"create_index": 2, "create_unique_constraint": 2, "create_primary_key": 2}


_SCHEMA = frozenset({"Table", "ForeignKey", "ForeignKeyConstraint", "relationship", "Relationship"})
_CONSTRAINTS = frozenset({"UniqueConstraint", "Index", "PrimaryKeyConstraint"})
_NAMING = _SCHEMA | _CONSTRAINTS | frozenset(_COPYING) | frozenset(_OPERATIONS)


def find_tables(
    root: Tree, calls: Calls, homes: Mapping[str, str], names: Names, path: str
) -> Iterator[NameUse]:
    """``homes``: where the names come from that the file imports."""
    reader = _Reader(homes, names, path)
    yield from reader.read_assignments(root)
    is_revision = reader.is_revision
    for call in calls.named(_NAMING):
        via = called(call)
        if via in _COPYING:
            yield from reader.read_copying(call, via)
        elif via in _OPERATIONS and receiver_of(call) == "op" and not is_revision:
            yield from reader.read_operation(call, via)
        else:
            yield from reader.read_call(call, via)


def find_made(calls: Calls, names: Names) -> Iterator[str]:
    """Tables that come into being when the code runs: of ``op.create_table`` and of pandas' ``to_sql``."""
    for call in calls.named(("to_sql", "create_table", "rename_table")):
        via = called(call)
        if via == "to_sql" or (via in ("create_table", "rename_table") and receiver_of(call) == "op"):
            name = _known(argument(call, 1 if via == "rename_table" else 0, "name", "table_name"), names)
            if name:
                yield name


class _Reader:
    """Makes uses out of the expressions of one file."""

    def __init__(self, homes: Mapping[str, str], names: Names, path: str) -> None:
        self._homes = homes
        self._names = names
        self._path = path
        self.is_revision = False
        """Whether the file is one of a chain of revisions: what it names may be gone by now."""

    def read_assignments(self, root: Tree) -> Iterator[NameUse]:
        """What classes call their tables."""
        assigned = set()
        for node in root.find_all(kind="assignment"):
            left = node.field("left")
            if left is None or left.kind() != "identifier":
                continue
            name = left.text()
            assigned.add(name)
            if name in _OF_CLASSES or (name in _OF_META and _is_meta(node)):
                yield from self._name(node.field("right"), "table", name, _schema_of(node, self._names))
        self.is_revision = {"revision", "down_revision"} <= assigned

    def read_call(self, call: SgNode, via: str) -> Iterator[NameUse]:
        """What SQLAlchemy is given."""
        if via == "Table":
            if self._is_of_sqlalchemy(call):
                schema = _known(argument(call, NOWHERE, "schema"), self._names)
                yield from self._name(argument(call, 0, "name"), "table", via, schema)
        elif via == "ForeignKey":
            yield from self._name(argument(call, 0, "column"), "column", via)
        elif via == "ForeignKeyConstraint":
            for one in self._items(argument(call, 1, "refcolumns")):
                yield from self._name(one, "column", via)
        elif via in ("relationship", "Relationship"):
            yield from self._name(argument(call, NOWHERE, "secondary"), "table", "secondary")
        elif via in _CONSTRAINTS:
            yield from self._read_constraint(call, via)

    def read_copying(self, call: SgNode, via: str) -> Iterator[NameUse]:
        """``copy_records_to_table("users", columns=["id"])`` of asyncpg, and the like."""
        table = argument(call, _COPYING[via], "table", "table_name")
        schema = _known(argument(call, NOWHERE, "schema_name", "schema"), self._names)
        found = tuple(self._name(table, "table", via, schema))
        yield from found
        yield from self._columns(argument(call, NOWHERE, "columns"), found, via)

    def read_operation(self, call: SgNode, via: str) -> Iterator[NameUse]:
        """``op.drop_column("users", "name")`` in a script that is no revision."""
        schema = _known(argument(call, NOWHERE, "schema", "source_schema"), self._names)
        names = ("table_name", "source_table", "old_table_name")
        found = tuple(self._name(argument(call, _OPERATIONS[via], *names), "table", f"op.{via}", schema))
        yield from found
        if (place := _ITS_COLUMN.get(via)) is not None and found:
            yield from self._column(argument(call, place, "column_name"), found[0].name, f"op.{via}")
        if (place := _ITS_COLUMNS.get(via)) is not None:
            yield from self._columns(argument(call, place, "columns"), found, f"op.{via}")
        if via == "create_foreign_key" and found:
            schema = _known(argument(call, NOWHERE, "referent_schema"), self._names)
            other = tuple(self._name(argument(call, 2, "referent_table"), "table", f"op.{via}", schema))
            yield from other
            yield from self._columns(argument(call, 3, "local_cols"), found, f"op.{via}")
            yield from self._columns(argument(call, 4, "remote_cols"), other, f"op.{via}")

    def _read_constraint(self, call: SgNode, via: str) -> Iterator[NameUse]:
        """Columns that a constraint or an index of a table names by texts."""
        table = self._table_around(call)
        if not table:
            return
        for one in placed_arguments(call)[1 if via == "Index" else 0 :]:
            if one.kind() in ("string", "identifier"):
                yield from self._column(one, table, via)

    def _table_around(self, call: SgNode) -> str:
        """The table of the class or of the ``Table(…)`` that a call stands in; nothing where that is not known."""
        for one in call.ancestors():
            if one.kind() == "call" and called(one) == "Table":
                schema = _known(argument(one, NOWHERE, "schema"), self._names)
                return _qualify(_known(argument(one, 0, "name"), self._names), schema)
            if one.kind() == "class_definition" and (body := one.field("body")) is not None:
                return self._table_of(body)
        return ""

    def _table_of(self, body: SgNode) -> str:
        for statement in body.named_children():
            node = statement.named_children()[0] if statement.named_children() else statement
            left = node.field("left") if node.kind() == "assignment" else None
            if left is not None and left.text() == "__tablename__":
                return _qualify(_known(node.field("right"), self._names), _schema_of(node, self._names))
        return ""

    def _is_of_sqlalchemy(self, call: SgNode) -> bool:
        """Whether it is no other library's ``Table``, as that of rich is."""
        home = self._homes.get("Table") if receiver_of(call) == "" else ""
        return len(placed_arguments(call)) > 1 if not home else home.startswith(("sqlalchemy", "."))

    def _columns(self, listed: SgNode | None, tables: Sequence[NameUse], via: str) -> Iterator[NameUse]:
        for one in self._items(listed) if tables else ():
            yield from self._column(one, tables[0].name, via)

    def _column(self, node: SgNode | None, table: str, via: str) -> Iterator[NameUse]:
        name = _known(node, self._names)
        if node is not None and name:
            spot = spot_of(node, self._path)
            yield NameUse(kind="column", name=f"{table}.{name}", via=via, spot=spot, is_beside_table=True)

    def _items(self, listed: SgNode | None) -> Sequence[SgNode]:
        return (items_of(listed, self._names) or ()) if listed is not None else ()

    def _name(
        self, node: SgNode | None, kind: NameKind, via: str, schema: str | None = None
    ) -> Iterator[NameUse]:
        name = _known(node, self._names)
        if node is not None and name:
            yield NameUse(kind=kind, name=_qualify(name, schema), via=via, spot=spot_of(node, self._path))


def _known(node: SgNode | None, names: Names) -> str | None:
    """A text of which all is known."""
    text = names.build(node) if node is not None else None
    return text.content if text is not None and text.is_known else None


def _qualify(name: str | None, schema: str | None) -> str:
    return f"{schema}.{name}" if schema and name else name or ""


def _is_meta(assignment: SgNode) -> bool:
    around = next((one for one in assignment.ancestors() if one.kind() == "class_definition"), None)
    name = around.field("name") if around is not None else None
    return name is not None and name.text() == "Meta"


def _schema_of(assignment: SgNode, names: Names) -> str | None:
    """The schema in the ``__table_args__`` beside a ``__tablename__``, or in Tortoise's ``Meta``."""
    block = next((one for one in assignment.ancestors() if one.kind() == "block"), None)
    for other in block.find_all(kind="assignment") if block is not None else ():
        left = other.field("left")
        if left is None or left.text() not in ("__table_args__", "schema"):
            continue
        if left.text() == "schema" and _is_meta(other):
            return _known(other.field("right"), names)
        for pair in other.find_all(kind="pair"):
            key, value = pair.field("key"), pair.field("value")
            if key is not None and value is not None and key.text().strip("\"'") == "schema":
                return _known(value, names)
    return None
