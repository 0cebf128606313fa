"""Models of TypeORM, Sequelize, MikroORM and Drizzle: which tables and columns they say they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from govern.code.texts.compositions import key_of
from govern.code.texts.names import Names
from govern.core.code import NameKind, NameUse, Spot

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_DECORATORS = frozenset({"Entity", "ViewEntity", "JoinTable"})
_SEQUELIZE = frozenset({"define", "init", "Table"})
_MAKERS: Mapping[str, str] = {
    "pgTable": "postgresql",
    "pgView": "postgresql",
    "pgMaterializedView": "postgresql",
    "sqliteTable": "sqlite",
    "mysqlTable": "mysql",
}
"""Drizzle's, and what they are for."""
_COLUMNS = re.compile(r"(?:\w*Column|\w*Field|RelationId|Property)$")
"""Decorators that can say what a column is called."""


def find_entities(calls: Sequence[SgNode], names: Names, path: str) -> Iterator[NameUse]:
    """What they name, each where it stands."""
    reader = _Reader(names, path)
    for call in calls:
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None or arguments.kind() != "arguments":
            continue
        via = (function.field("property") or function).text()
        given = [one for one in arguments.named_children() if one.kind() != "comment"]
        if via in _DECORATORS:
            yield from reader.read_decorator(call, via, given)
        elif via in _SEQUELIZE:
            yield from reader.read_sequelize(via, given)
        elif via in _MAKERS or via in ("table", "view"):
            yield from reader.read_drizzle(function, via, given)


class _Reader:
    def __init__(self, names: Names, path: str) -> None:
        self._names = names
        self._path = path

    def read_decorator(self, call: SgNode, via: str, given: Sequence[SgNode]) -> Iterator[NameUse]:
        """``@Entity("users")`` and the columns of its class whose names are written out."""
        options = _pairs(given[-1]) if given and given[-1].kind() == "object" else {}
        schema = self._text(options.get("schema"))
        name = options.get("name") or options.get("tableName") or (given[0] if given else None)
        if name is None or name.kind() == "object":
            return
        found = tuple(self._use("table", name, via, schema=schema))
        yield from found
        holder = call.parent()
        body = _class_of(holder) if holder is not None and holder.kind() == "decorator" else None
        if found and body is not None and via == "Entity":
            yield from self._read_columns(body, found[0].name)

    def read_sequelize(self, via: str, given: Sequence[SgNode]) -> Iterator[NameUse]:
        """``define("user", {…}, {tableName: "users"})``, ``User.init({…}, {tableName: "users"})``."""
        objects = [one for one in given if one.kind() == "object"]
        options = _pairs(objects[-1]) if objects else {}
        schema, name = self._text(options.get("schema")), options.get("tableName")
        frozen = options.get("freezeTableName")
        if name is None and via == "define" and frozen is not None and frozen.text() == "true":
            name = given[0]
        found = tuple(self._use("table", name, via, schema=schema)) if name is not None else ()
        yield from found
        for attribute in _pairs(objects[0]).values() if len(objects) > 1 else ():
            told = _pairs(attribute)
            if found and "field" in told:
                yield from self._use("column", told["field"], via, table=found[0].name)
            refers = _pairs(told["references"]) if "references" in told else {}
            if "model" in refers and refers["model"].kind() == "string":
                yield from self._use("table", refers["model"], "references")

    def read_drizzle(self, function: SgNode, via: str, given: Sequence[SgNode]) -> Iterator[NameUse]:
        """``pgTable("users", {id: serial("id")})``; ``auth.table("tokens", …)`` of a ``pgSchema``."""
        schema, engine = "", _MAKERS.get(via, "")
        if via in ("table", "view"):
            of = function.field("object")
            made = self._names.value_of(of) if of is not None else None
            maker = made.field("function") if made is not None and made.kind() == "call_expression" else None
            if made is None or maker is None or maker.text() not in ("pgSchema", "mysqlSchema"):
                return
            arguments = made.field("arguments")
            schema = self._text(next(iter(arguments.named_children()), None) if arguments else None) or ""
            engine = "postgresql" if maker.text() == "pgSchema" else "mysql"
        if not given:
            return
        found = tuple(self._use("table", given[0], via, schema=schema, engine=engine))
        yield from found
        for value in _pairs(given[1]).values() if found and len(given) > 1 else ():
            name = _first_argument(value)
            if name is not None and name.kind() == "string":
                yield from self._use("column", name, via, table=found[0].name, engine=engine)

    def _read_columns(self, body: SgNode, table: str) -> Iterator[NameUse]:
        for decorator in body.find_all(kind="decorator"):
            [call, *_] = [*decorator.named_children(), None]
            function = call.field("function") if call is not None else None
            arguments = call.field("arguments") if call is not None else None
            if function is None or arguments is None or not _COLUMNS.match(function.text()):
                continue
            for one in arguments.named_children():
                name = _pairs(one).get("name") or _pairs(one).get("fieldName")
                if name is not None:
                    yield from self._use("column", name, function.text(), table=table)

    def _use(
        self,
        kind: NameKind,
        node: SgNode,
        via: str,
        *,
        table: str = "",
        schema: str | None = "",
        engine: str = "",
    ) -> Iterator[NameUse]:
        name = self._text(node)
        if name is None or not re.fullmatch(r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?", name):
            return
        start = node.range().start
        yield NameUse(
            kind=kind,
            name=".".join(part for part in (schema, table, name) if part),
            via=via,
            spot=Spot(path=self._path, line=start.line + 1, column=start.column + 1),
            is_beside_table=kind == "column",
            engine=engine,
        )

    def _text(self, node: SgNode | None) -> str | None:
        text = self._names.build(node) if node is not None else None
        return text.content if text is not None and text.is_known else None


def _pairs(node: SgNode) -> dict[str, SgNode]:
    """The properties of an object, as far as their names are written out."""
    if node.kind() != "object":
        return {}
    pairs = ((key_of(pair), pair.field("value")) for pair in node.named_children())
    return {key: value for key, value in pairs if key is not None and value is not None}


def _class_of(decorator: SgNode) -> SgNode | None:
    """The body of the class that a decorator stands before."""
    holder = decorator.parent()
    if holder is not None and holder.kind() == "export_statement":
        holder = next((one for one in holder.children() if one.kind().endswith("class_declaration")), None)
    return holder.field("body") if holder is not None else None


def _first_argument(node: SgNode) -> SgNode | None:
    """``"id"`` of ``serial("id").primaryKey()``."""
    while (function := node.field("function")) is not None and (of := function.field("object")) is not None:
        if of.kind() != "call_expression":
            break
        node = of
    arguments = node.field("arguments")
    return next(iter(arguments.named_children()), None) if arguments is not None else None
