"""Python files: SQL that is run, SQL that stands there, and names that SQLAlchemy, Alembic and Django are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from govern.code.looks import cannot_be_sql, is_surely_sql, may_be_sql
from govern.code.names import Names
from govern.code.texts import PYTHON, Text, build_text, hole_at
from govern.code.tree import Tree
from govern.core.code import CodeFile, Mark, NameKind, NameUse, Spot, SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_RUNNERS = frozenset({"execute", "executemany", "exec_driver_sql", "executescript", "execute_sql"})
"""What a connection runs with them is a statement, whatever it looks like."""
_CONNECTIONS = re.compile(
    r"(?:conn|connection|cur|cursor|session|db|database|engine|tx|trx|transaction|op|pool|bind)\)?\]?$",
    re.IGNORECASE,
)
"""How people call what has a connection to a database."""
_MAYBE_RUNNERS = _RUNNERS | frozenset(
    {"scalar", "scalars", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "iterate"}
    | {"raw", "read_sql", "read_sql_query", "copy_expert", "mogrify", "prepare", "stream", "query", "run_sql"}
    | {"text", "SQL", "RawSQL", "DDL"}
)
"""They are given SQL if it looks like it: many take other texts, or pieces of a statement."""
_KEYWORDS = frozenset({"sql", "statement", "query", "sqltext", "operation", "text"})


def read_python(root: Tree, path: str, imported: Mapping[str, str]) -> CodeFile:
    """``imported``: the texts of the names that the file imports from others of the project."""
    names = Names(root, PYTHON, imported)
    calls = root.find_all(kind="call")
    run = tuple(_find_run(calls, names, path))
    taken = {(mark.line, mark.column) for sql in run for mark in sql.marks}
    standing = tuple(_find_standing(root, names, path, taken))
    return CodeFile(path=path, sql=run + standing, names=tuple(_find_names(root, calls, names, path)))


def _find_run(calls: list[SgNode], names: Names, path: str) -> Iterator[SqlText]:
    """SQL that something is called with; each text once: ``execute(text("…"))`` has one."""
    seen: set[Mark] = set()
    for call in calls:
        via = _called(call)
        if via not in _MAYBE_RUNNERS:
            continue
        is_sure = via in _RUNNERS and _CONNECTIONS.search(_receiver(call)) is not None
        argument = _argument(call, 0, _KEYWORDS)
        if argument is None:
            continue
        text = build_text(argument, PYTHON, names.text_of)
        if text is not None and text.marks[:1] and text.marks[0] in seen:
            continue
        if text is not None and (may_be_sql(text.content) or (is_sure and text.says_something)):
            seen.add(text.marks[0])
            yield text.as_sql(path, via, "statement")
        elif is_sure and _is_unknown(argument, text, names):
            yield hole_at(argument).as_sql(path, via, "statement")


def _is_unknown(argument: SgNode, text: Text | None, names: Names) -> bool:
    """Whether it may be a statement, and the file does not say which: a parameter, what another object has."""
    if text is not None:
        return not text.says_something
    return argument.kind() in ("identifier", "attribute", "subscript") and not names.knows(argument)


def _find_standing(root: Tree, names: Names, path: str, taken: set[tuple[int, int]]) -> Iterator[SqlText]:
    """Texts that can be nothing but SQL, and that nobody is seen to run."""
    for kind in ("concatenated_string", "string"):
        for node in root.find_all(kind=kind):
            if kind == "string" and cannot_be_sql(node.text()):
                continue
            parent = node.parent()
            if parent is None or parent.kind() in ("concatenated_string", "expression_statement"):
                continue  # a part of another one, or a docstring
            text = build_text(node, PYTHON, names.text_of)
            if text is None or not is_surely_sql(text.content):
                continue
            if not any((mark.line, mark.column) in taken for mark in text.marks):
                yield text.as_sql(path, "constant", "constant")


def _find_names(root: Tree, calls: list[SgNode], names: Names, path: str) -> Iterator[NameUse]:
    for node in root.find_all(kind="assignment"):
        left = node.field("left")
        if left is not None and left.text() in ("__tablename__", "db_table"):
            yield from _name(node.field("right"), names, path, "table", left.text(), _schema_of(node))
    for call in calls:
        yield from _find_called(call, names, path)


def _find_called(call: SgNode, names: Names, path: str) -> Iterator[NameUse]:
    via = _called(call)
    if via == "Table":
        schema = _literal(_argument(call, 99, frozenset({"schema"})), names)
        yield from _name(_argument(call, 0, frozenset({"name"})), names, path, "table", via, schema)
    elif via == "ForeignKey":
        yield from _name(_argument(call, 0, frozenset({"column"})), names, path, "column", via)
    elif via == "ForeignKeyConstraint":
        referred = _argument(call, 1, frozenset({"refcolumns"}))
        for one in referred.children() if referred is not None else ():
            yield from _name(one, names, path, "column", via)


def _name(
    node: SgNode | None,
    names: Names,
    path: str,
    kind: NameKind,
    via: str,
    schema: str | None = None,
) -> Iterator[NameUse]:
    name = _literal(node, names)
    if node is None or not name:
        return
    start = node.range().start
    yield NameUse(
        kind=kind,
        name=f"{schema}.{name}" if schema else name,
        via=via,
        spot=Spot(path=path, line=start.line + 1, column=start.column + 1),
    )


def _literal(node: SgNode | None, names: Names) -> str | None:
    """A text of which all is known."""
    text = build_text(node, PYTHON, names.text_of) if node is not None else None
    return text.content if text is not None and text.as_sql("", "", "constant").is_whole else None


def _schema_of(assignment: SgNode) -> str | None:
    """The schema in the ``__table_args__`` beside a ``__tablename__``."""
    block = next((one for one in assignment.ancestors() if one.kind() == "block"), None)
    for other in block.find_all(kind="assignment") if block is not None else ():
        left = other.field("left")
        if left is None or left.text() != "__table_args__":
            continue
        for pair in other.find_all(kind="pair"):
            key, value = pair.field("key"), pair.field("value")
            if key is not None and value is not None and key.text().strip("\"'") == "schema":
                return value.text().strip("\"'")
    return None


def _called(call: SgNode) -> str:
    """``execute`` of ``session.execute(…)``."""
    function = call.field("function")
    return function.text().rpartition(".")[2] if function is not None else ""


def _receiver(call: SgNode) -> str:
    function = call.field("function")
    return function.text().rpartition(".")[0] if function is not None else ""


def _argument(call: SgNode, position: int, keywords: frozenset[str]) -> SgNode | None:
    """The argument at this position, or by one of these keywords."""
    arguments = call.field("arguments")
    if arguments is None:
        return None
    at = 0
    for child in arguments.named_children():
        if child.kind() == "comment":
            continue
        if child.kind() == "keyword_argument":
            name = child.field("name")
            if name is not None and name.text() in keywords:
                return child.field("value")
        elif at == position:
            return child
        else:
            at += 1
    return None
