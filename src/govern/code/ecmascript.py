"""JavaScript and TypeScript: SQL in calls and tagged templates, and tables that query builders and ORMs are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from govern.code.libraries.builders import find_built
from govern.code.libraries.drivers import Drivers
from govern.code.libraries.entities import find_entities
from govern.code.looks import cannot_be_sql, is_surely_sql, may_be_sql
from govern.code.texts.building import Grammar, is_said_at
from govern.code.texts.compositions import key_of
from govern.code.texts.engines import Reading, find_readings, unite
from govern.code.texts.names import Names
from govern.code.texts.text import hole_at
from govern.code.tree import Tree
from govern.core.code import CodeFile, Mark, SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_RUNNERS = frozenset({"$queryRawUnsafe", "$executeRawUnsafe", "queryRaw", "executeSql", "unsafe"})
"""Whatever they are given is SQL."""
_MAYBE_RUNNERS = frozenset(
    {"query", "execute", "raw", "exec", "run", "all", "get", "each", "prepare", "any", "none", "one", "many"}
    | {"oneOrNone", "manyOrNone", "sql", "literal", "queryStream", "simpleQuery", "$queryRaw", "$executeRaw"}
    | {
        "whereRaw",
        "selectRaw",
        "fromRaw",
        "file",
        "stream",
        "task",
        "result",
        "multi",
        "map",
        "Query",
        "first",
    }
    | {
        "maybeOne",
        "oneFirst",
        "manyFirst",
        "anyFirst",
        "exists",
        "batch",
        "command",
        "executeQuery",
        "queryArray",
    }
    | {"queryObject", "compile", "copyFrom", "copyTo"}
)
"""They are given SQL if it looks like it."""
_COMMON = frozenset(
    {
        "run",
        "all",
        "get",
        "each",
        "map",
        "first",
        "file",
        "stream",
        "task",
        "result",
        "exists",
        "batch",
        "command",
    }
    | {"compile", "multi", "any", "none", "one", "many", "exec"}
)
"""Those of them that others have as well."""
_CONNECTIONS = re.compile(
    r"(?:^|\W|_)(?:db|database|client|conn|connection|pool|sql|tx|trx|t|task|knex|pg|session|manager|query_?runner"
    r"|s(?:tatemen|tm)t|cursor|sequelize|prisma|\w+(?:Pool|Client|Db|DB|Connection))\)?$",
    re.IGNORECASE,
)
"""How people call what has a connection to a database."""
_IN_OBJECTS = frozenset({"text", "sql", "query"})
"""Properties of what a runner is given that have the statement: ``query({text: "…"})`` of node-postgres."""
_MIGRATES = re.compile(
    r"\bexports\.up\s*=|\bexport\s+(?:async\s+)?function\s+up\b|\bqueryInterface\b|\bMigrationInterface\b"
)
"""A file that is one of a chain of migrations: the tables that its builders name may be gone by now."""


def read_ecmascript(root: Tree, path: str, grammar: Grammar, imported: Mapping[str, str]) -> CodeFile:
    """``grammar``: ``JAVASCRIPT`` or ``TYPESCRIPT``; ``imported``: the texts of names from other files."""
    names = Names(root, grammar, imported)
    content = root.root.text()
    calls = root.find_all(kind="call_expression")
    drivers = Drivers(content, is_python=False)
    sql = {
        reading.engine: _read_sql(root, grammar, names.read_as(reading), drivers, path, reading)
        for reading in find_readings(root, grammar)
    }
    is_migration = _MIGRATES.search(content) is not None
    named = () if is_migration else (*find_entities(calls, names, path), *find_built(calls, names, path))
    return CodeFile(path=path, sql=unite(sql), names=named)


def _read_sql(
    root: Tree, grammar: Grammar, names: Names, drivers: Drivers, path: str, reading: Reading
) -> tuple[SqlText, ...]:
    calls = [call for call in root.find_all(kind="call_expression") if reading.has(call)]
    run = tuple(_find_run(calls, names, drivers, path))
    taken = {(mark.line, mark.column) for sql in run for mark in sql.marks}
    return run + tuple(_find_standing(root, grammar, names, drivers, path, reading, taken))


def _find_run(calls: list[SgNode], names: Names, drivers: Drivers, path: str) -> Iterator[SqlText]:
    seen: set[tuple[Mark, str]] = set()
    for call in calls:
        function, arguments = call.field("function"), call.field("arguments")
        if arguments is None or function is None:
            continue
        is_tagged = arguments.kind() == "template_string"
        receiver, via = _called(function)
        if not is_tagged and via not in _RUNNERS and via not in _MAYBE_RUNNERS:
            continue
        given = arguments if is_tagged else _statement_of(arguments, names)
        if given is None:
            continue
        text = names.build(call) if via == "raw" else names.build(given)
        if text is not None and names.stands_elsewhere(given) and is_surely_sql(text.content):
            continue
        engine = drivers.engine_of(receiver)
        if via in _COMMON and not (is_tagged or engine or _CONNECTIONS.search(receiver)):
            continue
        if text is None:
            if via in _RUNNERS and given.kind() in ("identifier", "member_expression"):
                yield hole_at(given).as_sql(path, via, "statement", engine)
        elif (
            (may_be_sql(text.content) or via in _RUNNERS)
            and text.marks
            and (text.marks[0], text.content) not in seen
        ):
            seen.add((text.marks[0], text.content))
            yield text.as_sql(path, via, "statement", engine)


def _statement_of(arguments: SgNode, names: Names) -> SgNode | None:
    """The first argument, or what an object there has as its text."""
    first = next((one for one in arguments.named_children() if one.kind() != "comment"), None)
    told = names.value_of(first) if first is not None else None
    if told is not None and told.kind() == "object":
        return next(
            (pair.field("value") for pair in told.named_children() if key_of(pair) in _IN_OBJECTS), None
        )
    return first


def _find_standing(
    root: Tree,
    grammar: Grammar,
    names: Names,
    drivers: Drivers,
    path: str,
    reading: Reading,
    taken: set[tuple[int, int]],
) -> Iterator[SqlText]:
    """Texts that can be nothing but SQL, and that nobody is seen to run."""
    for kind in ("string", "template_string"):
        for node in root.find_all(kind=kind):
            if cannot_be_sql(node.text()) or not reading.has(node) or is_said_at(node, grammar, taken):
                continue
            text = names.build(node)
            if text is None or not is_surely_sql(text.content):
                continue
            if not any((mark.line, mark.column) in taken for mark in text.marks):
                yield text.as_sql(path, "constant", "constant", drivers.engine_of(""))


def _called(function: SgNode) -> tuple[str, str]:
    """``pool`` and ``query`` of ``pool.query(…)``; ``sql`` of a tagged template, also with what it is a type of."""
    inner = function
    while inner.kind() in ("call_expression", "instantiation_expression", "await_expression"):
        within = inner.field("function") or next(iter(inner.named_children()), None)
        if within is None:
            break
        inner = within
    name, of = inner.field("property"), inner.field("object")
    return (of.text(), name.text()) if name is not None and of is not None else ("", inner.text())
