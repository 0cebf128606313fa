"""Query builders of JavaScript, read as chains of calls: which tables knex and Kysely are given, and which columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from govern.code.texts.compositions import items_of, key_of
from govern.code.texts.names import Names
from govern.core.code import HOLE, NameUse, Spot

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_BUILDERS = frozenset({"knex", "db", "trx", "tx", "qb", "conn", "connection", "supabase", "database"})
"""What a chain begins with, by the names that people give it."""
_CALLED = frozenset({"knex", "trx"})
"""Those that are given a table themselves: ``knex("users")``."""
_FROM = frozenset({"from", "into", "table"})
_SURELY_FROM = frozenset(
    {"selectFrom", "insertInto", "updateTable", "deleteFrom", "replaceInto", "mergeInto"}
)
"""Kysely's: nobody else has methods of these names."""
_JOINS = frozenset(
    {
        "join",
        "innerJoin",
        "leftJoin",
        "leftOuterJoin",
        "rightJoin",
        "rightOuterJoin",
        "outerJoin",
        "fullOuterJoin",
    }
    | {"crossJoin", "fullJoin"}
)
_WITH = frozenset({"with", "withRecursive", "withMaterialized", "withNotMaterialized"})
_FIRST = frozenset(
    {
        "where",
        "andWhere",
        "orWhere",
        "whereNot",
        "orWhereNot",
        "whereIn",
        "whereNotIn",
        "orWhereIn",
        "orWhereNotIn",
    }
    | {
        "whereNull",
        "whereNotNull",
        "orWhereNull",
        "orWhereNotNull",
        "whereBetween",
        "whereNotBetween",
        "whereLike",
    }
    | {"whereILike", "increment", "decrement", "pluck", "min", "max", "sum", "avg", "count", "countDistinct"}
)
"""Their first argument is a column, or has columns as its keys."""
_ALL = frozenset({"select", "columns", "column", "returning", "distinct", "first"})
"""Each of their arguments is a column, or a list of them."""
_LAST = frozenset({"orderBy", "groupBy", "having"})
"""The same, and what the query calls its results."""
_ROWS = frozenset({"insert", "update", "values", "set", "merge"})
"""They are given rows: objects with columns as their keys."""
_NOT_ROWS = frozenset(
    {"schema", "storage", "functions", "auth", "channel", "rpc", "fn", "client", "migrate", "seed"}
)
"""Parts of a builder that are about other things than rows."""
_NAME = re.compile(r"([A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*)(?:\s+(?:as\s+)?\"?(\w+)\"?)?", re.IGNORECASE)
_COLUMN = re.compile(
    r"(?:([A-Za-z_][\w$]*(?:\.[A-Za-z_]\w*)?)\.)?([A-Za-z_][\w$]*)(?:\s+as\s+\"?\w+\"?)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One call of a chain."""

    name: str
    call: SgNode
    given: Sequence[SgNode]


@dataclass(slots=True)
class _Chain:
    """A query as far as its chain tells."""

    root: str
    steps: list[_Step] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    """By the names that the query has for them."""
    is_open: bool = False
    """Whether there are rows of something that is not known."""
    renames: bool = False
    """Whether it gives its results names of their own."""


def find_built(calls: Sequence[SgNode], names: Names, path: str) -> Iterator[NameUse]:
    """The tables of each chain, and the columns that belong to one of them for sure."""
    common = frozenset(_common_names(calls, names))
    for call in calls:
        chain = _read_chain(call)
        if chain is not None:
            yield from _read_tables(chain, common, names, path)
            yield from _read_columns(chain, names, path)


def _common_names(calls: Sequence[SgNode], names: Names) -> Iterator[str]:
    """What ``with("recent", …)`` calls a query of its own."""
    for call in calls:
        function, arguments = call.field("function"), call.field("arguments")
        name = function.field("property") if function is not None else None
        if name is not None and name.text() in _WITH and arguments is not None and arguments.named_children():
            text = names.build(arguments.named_children()[0])
            if text is not None:
                yield text.content.partition("(")[0].strip()


def _read_chain(call: SgNode) -> _Chain | None:
    """The chain that ends with this call; None where it goes on, or is no query builder's."""
    around = call.parent()
    if around is not None and around.kind() == "member_expression":
        return None
    steps, root = _unwind(call)
    if not steps:
        return None
    surely = root not in _SURELY_FROM and any(step.name in _SURELY_FROM for step in steps)
    first = steps[0]
    is_ours = first.name in _CALLED or (root.rpartition(".")[2] in _BUILDERS and first.name != root)
    if not (surely or is_ours) or set(root.split(".")) & _NOT_ROWS:
        return None
    if not surely and first.name not in _CALLED and not any(step.name in _FROM for step in steps):
        return None
    return _Chain(root=root, steps=steps)


def _unwind(call: SgNode) -> tuple[list[_Step], str]:
    """The calls of a chain from the first on, and what the first is called on; its own name where that is nothing."""
    steps: list[_Step] = []
    node: SgNode | None = call
    while node is not None and node.kind() == "call_expression":
        function, arguments = node.field("function"), node.field("arguments")
        if function is None or arguments is None or arguments.kind() != "arguments":
            return [], ""
        name = function.field("property")
        given = [one for one in arguments.named_children() if one.kind() != "comment"]
        steps.insert(0, _Step((name or function).text(), node, given))
        node = function.field("object")
        if name is None:
            return steps, function.text()
        while node is not None and node.kind() in ("non_null_expression", "parenthesized_expression"):
            node = node.named_children()[0] if node.named_children() else None
        if node is not None and node.kind() == "member_expression":
            return steps, re.sub(r"\s|[?!]", "", node.text())
    return steps, node.text() if node is not None else ""


def _schema_of(chain: _Chain, names: Names) -> str:
    """What ``withSchema("auth")`` says; a mark for one that is not known."""
    for step in chain.steps:
        if step.name == "withSchema" and step.given:
            text = names.build(step.given[0])
            return text.content if text is not None and text.is_known else HOLE
    return ""


def _read_tables(chain: _Chain, common: frozenset[str], names: Names, path: str) -> Iterator[NameUse]:
    schema = _schema_of(chain, names)
    chain.is_open |= schema == HOLE
    for at, step in enumerate(chain.steps):
        is_begin = at == 0 and step.name in _CALLED
        if is_begin or step.name in _FROM | _SURELY_FROM | _JOINS:
            for node, alias in _tables_given(step, names):
                text = names.build(node)
                found = _NAME.fullmatch(text.content.strip()) if text is not None else None
                if found is None or found[1] in common or schema == HOLE:
                    chain.is_open = True
                else:
                    chain.tables[alias or found[2] or found[1]] = found[1]
                    chain.tables.setdefault(found[1], found[1])
                    name = f"{schema}.{found[1]}" if schema and "." not in found[1] else found[1]
                    chain.tables.update({key: name for key, of in chain.tables.items() if of == found[1]})
                    spot = _spot(node, path)
                    yield NameUse(kind="table", name=name, via=step.name, spot=spot, may_be_renamed=True)
            if not step.given:
                chain.is_open = True
        chain.renames |= step.name.endswith("Raw") or step.name in (
            "count",
            "sum",
            "avg",
            "min",
            "max",
            "with",
        )
        chain.renames |= any(
            re.search(r"\bas\b|\braw\b|\bref\b|=>|\{", one.text(), re.IGNORECASE) for one in step.given
        )


def _tables_given(step: _Step, names: Names) -> Iterator[tuple[SgNode, str]]:
    """``"users as u"``, ``["users as u", "orders as o"]`` and ``{u: "users"}``."""
    for one in step.given[:1]:
        if one.kind() == "object":
            for pair in one.named_children():
                value = pair.field("value")
                if value is not None:
                    yield value, key_of(pair) or ""
        else:
            for part in items_of(one, names) or (one,):
                yield part, ""


def _read_columns(chain: _Chain, names: Names, path: str) -> Iterator[NameUse]:
    single = set(chain.tables.values())
    only = next(iter(single)) if len(single) == 1 and not chain.is_open and not _is_nested(chain) else ""
    for step in chain.steps:
        for node, written in _columns_of(step, chain, names):
            found = _COLUMN.fullmatch(written.strip())
            table = (chain.tables.get(found[1]) if found[1] else only) if found is not None else None
            if found is not None and table:
                name = f"{table}.{found[2]}"
                spot = _spot(node, path)
                yield NameUse(
                    kind="column",
                    name=name,
                    via=step.name,
                    spot=spot,
                    is_beside_table=True,
                    may_be_renamed=True,
                )


def _columns_of(step: _Step, chain: _Chain, names: Names) -> Iterator[tuple[SgNode, str]]:
    """What a step names, as it is written, and where."""
    given: Sequence[SgNode] = ()
    if step.name in _FIRST:
        given = step.given[:1]
    elif step.name in _ALL or (step.name in _LAST and not chain.renames):
        given = step.given[:1] if step.name == "orderBy" else step.given
    elif step.name in _JOINS:
        given = step.given[1:]
    elif step.name in _ROWS:
        yield from _keys_of(step.given[:1], names)
        return
    for one in given:
        for part in items_of(one, names) or (one,):
            if part.kind() == "object":
                yield from (_values_of(part) if step.name in _ALL else _keys_of([part], names))
            elif part.kind() in ("string", "template_string") and (text := names.build(part)) is not None:
                yield part, text.content


def _keys_of(given: Sequence[SgNode], names: Names) -> Iterator[tuple[SgNode, str]]:
    """The keys of objects, also in a list."""
    for one in given:
        for row in items_of(one, names) or (names.value_of(one),):
            for pair in row.named_children() if row.kind() == "object" else ():
                if (key := key_of(pair)) is not None:
                    yield pair, key


def _values_of(node: SgNode) -> Iterator[tuple[SgNode, str]]:
    """``{total: "orders.total"}``: columns by what the query calls them."""
    for pair in node.named_children():
        value = pair.field("value")
        if value is not None and value.kind() == "string":
            yield value, value.text().strip("\"'")


def _is_nested(chain: _Chain) -> bool:
    """Whether it stands in another query, whose columns it may name, too."""
    for one in chain.steps[-1].call.ancestors():
        if one.kind() == "call_expression" and (function := one.field("function")) is not None:
            name = function.field("property")
            if (
                name is not None
                and name.text() in _FIRST | _ALL | _LAST | _JOINS | _WITH | _FROM | _SURELY_FROM
            ):
                return True
    return False


def _spot(node: SgNode, path: str) -> Spot:
    start = node.range().start
    return Spot(path=path, line=start.line + 1, column=start.column + 1)
