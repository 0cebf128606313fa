"""JavaScript and TypeScript: SQL in calls and tagged templates, and tables that query builders and ORMs are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from govern.code.engines import Reading, find_readings, unite
from govern.code.looks import cannot_be_sql, is_surely_sql, may_be_sql
from govern.code.names import Names
from govern.code.text import hole_at
from govern.code.texts import JAVASCRIPT, Grammar
from govern.code.tree import Tree
from govern.core.code import CodeFile, Mark, NameKind, NameUse, Spot, SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_RUNNERS = frozenset({"$queryRawUnsafe", "$executeRawUnsafe", "queryRaw", "executeSql", "unsafe"})
"""Whatever they are given is SQL."""
_MAYBE_RUNNERS = frozenset(
    {"query", "execute", "raw", "exec", "run", "all", "get", "each", "prepare", "any", "none", "one", "many"}
    | {"oneOrNone", "manyOrNone", "sql", "literal", "queryStream", "simpleQuery", "$queryRaw", "$executeRaw"}
)
"""They are given SQL if it looks like it."""
_IN_OBJECTS = frozenset({"text", "sql", "query"})
"""Properties of what a runner is given that have the statement: ``query({text: "…"})`` of node-postgres."""
_BUILDERS = frozenset({"knex", "db", "trx", "tx", "qb", "conn", "connection", "supabase", "database"})
"""What a chain of a query builder begins with, by the names that people give it."""
_OF_TABLES = frozenset(
    {"from", "into", "table", "join", "innerJoin", "leftJoin", "leftOuterJoin", "rightJoin", "fullOuterJoin"}
)
_MODELS = {
    "Entity": "name",
    "ViewEntity": "name",
    "Table": "tableName",
    "define": "tableName",
    "init": "tableName",
}
"""Decorators and functions of TypeORM and Sequelize, and the option that has the table's name."""
_TABLE_MAKERS = frozenset({"pgTable", "sqliteTable", "mysqlTable", "pgView"})
_NAME = re.compile(r"([A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?)(?:\s+(?:as\s+)?\w+)?", re.IGNORECASE)


def read_ecmascript(root: Tree, path: str, grammar: Grammar, imported: Mapping[str, str]) -> CodeFile:
    """``grammar``: ``JAVASCRIPT`` or ``TYPESCRIPT``; ``imported``: the texts of names from other files."""
    names = Names(root, grammar, imported)
    calls = root.find_all(kind="call_expression")
    sql = {
        reading.engine: _read_sql(root, Names(root, grammar, imported, reading), path, reading)
        for reading in find_readings(root, grammar)
    }
    return CodeFile(path=path, sql=unite(sql), names=tuple(_find_names(calls, names, path)))


def _read_sql(root: Tree, names: Names, path: str, reading: Reading) -> tuple[SqlText, ...]:
    calls = [call for call in root.find_all(kind="call_expression") if reading.has(call)]
    run = tuple(_find_run(calls, names, path))
    taken = {(mark.line, mark.column) for sql in run for mark in sql.marks}
    return run + tuple(_find_standing(root, names, path, reading, taken))


def _find_run(calls: list[SgNode], names: Names, path: str) -> Iterator[SqlText]:
    seen: set[Mark] = set()
    for call in calls:
        via, arguments = _called(call), call.field("arguments")
        if arguments is None:
            continue
        is_tagged = arguments.kind() == "template_string"
        if not is_tagged and via not in _RUNNERS and via not in _MAYBE_RUNNERS:
            continue
        argument = arguments if is_tagged else _statement_of(arguments)
        if argument is None:
            continue
        text = names.build(argument)
        if text is None:
            if via in _RUNNERS and argument.kind() in ("identifier", "member_expression"):
                yield hole_at(argument).as_sql(path, via, "statement")
        elif (may_be_sql(text.content) or via in _RUNNERS) and text.marks and text.marks[0] not in seen:
            seen.add(text.marks[0])
            yield text.as_sql(path, via, "statement")


def _statement_of(arguments: SgNode) -> SgNode | None:
    """The first argument, or what an object there has as its text."""
    [first, *_] = [*arguments.named_children(), None]
    if first is not None and first.kind() == "object":
        return next((value for key, value in _pairs(first) if key in _IN_OBJECTS), None)
    return first


def _find_standing(
    root: Tree, names: Names, path: str, reading: Reading, taken: set[tuple[int, int]]
) -> Iterator[SqlText]:
    """Texts that can be nothing but SQL, and that nobody is seen to run."""
    for kind in ("string", "template_string"):
        for node in root.find_all(kind=kind):
            if cannot_be_sql(node.text()) or not reading.has(node):
                continue
            text = names.build(node)
            if text is None or not is_surely_sql(text.content):
                continue
            if not any((mark.line, mark.column) in taken for mark in text.marks):
                yield text.as_sql(path, "constant", "constant")


def _find_names(calls: list[SgNode], names: Names, path: str) -> Iterator[NameUse]:
    for call in calls:
        via, arguments = _called(call), call.field("arguments")
        if arguments is None or arguments.kind() != "arguments":
            continue
        given = arguments.named_children()
        [first, *_] = [*given, None]
        if via in _TABLE_MAKERS:
            yield from _name(first, names, path, "table", via)
        elif via in _MODELS:
            if via in ("Entity", "ViewEntity") and first is not None and first.kind() in JAVASCRIPT.strings:
                yield from _name(first, names, path, "table", via)
            options = [one for one in given if one.kind() == "object"]
            for key, value in _pairs(options[-1]) if options else ():
                if key == _MODELS[via]:
                    yield from _name(value, names, path, "table", via)
        elif _begins_chain(call) or (via in _OF_TABLES and _root_of(call) in _BUILDERS):
            yield from _name(first, names, path, "table", via)


def _begins_chain(call: SgNode) -> bool:
    """Whether it is ``knex("users")``."""
    function = call.field("function")
    return function is not None and function.kind() == "identifier" and function.text() in ("knex", "trx")


def _root_of(call: SgNode) -> str:
    """``knex`` of ``knex.select("id").from("users")``, and of ``knex("users").join("orders")``."""
    node: SgNode | None = call
    while node is not None and node.kind() in ("call_expression", "member_expression", "await_expression"):
        node = node.field("function") or node.field("object")
    return node.text() if node is not None else ""


def _name(node: SgNode | None, names: Names, path: str, kind: NameKind, via: str) -> Iterator[NameUse]:
    text = names.build(node) if node is not None else None
    found = _NAME.fullmatch(text.content.strip()) if text is not None else None
    if node is None or found is None:
        return
    start = node.range().start
    yield NameUse(
        kind=kind,
        name=found[1],
        via=via,
        spot=Spot(path=path, line=start.line + 1, column=start.column + 1),
    )


def _pairs(node: SgNode) -> Iterator[tuple[str, SgNode]]:
    """The properties of an object, as far as their names are written out."""
    for pair in node.children():
        key, value = pair.field("key"), pair.field("value")
        if pair.kind() == "pair" and key is not None and value is not None:
            yield key.text().strip("\"'"), value


def _called(call: SgNode) -> str:
    """``query`` of ``pool.query(…)``; ``sql`` of a tagged template."""
    function = call.field("function")
    return re.split(r"[.?]+", function.text())[-1] if function is not None else ""
