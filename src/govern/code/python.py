"""Python files: SQL that is run, SQL that stands there, and names that SQLAlchemy, Alembic and Django are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from govern.code.libraries.arguments import Calls, argument, called, receiver_of
from govern.code.libraries.drivers import Drivers
from govern.code.libraries.models import find_given, find_members, find_models, find_relationships
from govern.code.libraries.tables import find_made, find_tables
from govern.code.looks import cannot_be_sql, is_surely_sql, may_be_sql
from govern.code.texts.building import PYTHON, is_said_at
from govern.code.texts.engines import Reading, find_readings, unite
from govern.code.texts.formats import BRACES, fill_fields, is_format
from govern.code.texts.imports import find_python_imports
from govern.code.texts.names import Names
from govern.code.texts.text import Text, hole_at
from govern.code.tree import Tree
from govern.core.code import CodeFile, Mark, MemberUse, NameUse, SqlText

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
    | {
        "text",
        "SQL",
        "RawSQL",
        "DDL",
        "TextClause",
        "execute_fetchall",
        "execute_insert",
        "fetchall",
        "fetchone",
    }
    | {"copy", "cursor", "sql", "raw_sql", "execute_query", "exec", "execute_values", "execute_batch"}
)
"""They are given SQL if it looks like it: many take other texts, or pieces of a statement."""
_SECOND = frozenset({"execute_values", "execute_batch"})
"""Their first argument is a cursor."""
_COMPOSED = frozenset({"SQL", "text", "TextClause"})
"""They make a statement of a text, which may have fields that are filled right behind."""
_KEYWORDS = ("sql", "statement", "query", "sqltext", "operation", "text")


def read_python(root: Tree, path: str, imported: Mapping[str, str]) -> CodeFile:
    """``imported``: the texts of the names that the file imports from others of the project."""
    names = Names(root, PYTHON, imported)
    calls = Calls(root.find_all(kind="call"))
    homes = {local: f"{module}.{name}" for local, module, name in find_python_imports(root)}
    drivers = Drivers(root.root.text(), is_python=True)
    sql = {
        reading.engine: _read_sql(root, calls, names.read_as(reading), drivers, path, reading)
        for reading in find_readings(root, PYTHON)
    }
    related = tuple(find_relationships(calls, names, path))
    return CodeFile(
        path=path,
        sql=unite(sql),
        names=(
            *find_tables(root, calls, homes, names, path),
            *(use for use in related if isinstance(use, NameUse)),
        ),
        models=tuple(find_models(root, calls, names, path)),
        members=(
            *find_members(calls, homes, path),
            *(use for use in related if isinstance(use, MemberUse)),
        ),
        gives=tuple(find_given(root, calls, names)),
        makes=tuple(find_made(calls, names)),
    )


def _read_sql(
    root: Tree, calls: Calls, names: Names, drivers: Drivers, path: str, reading: Reading
) -> tuple[SqlText, ...]:
    running = (call for call in calls.named(_MAYBE_RUNNERS) if reading.has(call))
    run = tuple(_find_run(running, names, drivers, path))
    taken = {(mark.line, mark.column) for sql in run for mark in sql.marks}
    return run + tuple(_find_standing(root, names, drivers, path, reading, taken))


def _find_run(calls: Iterable[SgNode], names: Names, drivers: Drivers, path: str) -> Iterator[SqlText]:
    """SQL that something is called with; each text once: ``execute(text("…"))`` has one."""
    seen: set[tuple[Mark, str]] = set()
    for call in calls:
        via, receiver = called(call), receiver_of(call)
        is_sure = via in _RUNNERS and _CONNECTIONS.search(receiver) is not None
        given = argument(call, 1 if via in _SECOND else 0, *_KEYWORDS)
        if given is None:
            continue
        text = names.build(_filled(call) if via in _COMPOSED else given)
        if text is not None and text.marks[:1] and (text.marks[0], text.content) in seen:
            continue
        if text is not None and names.stands_elsewhere(given) and is_surely_sql(text.content):
            continue
        engine = drivers.engine_of(receiver)
        if text is not None and (may_be_sql(text.content) or (is_sure and _may_be_statement(text))):
            seen.add((text.marks[0], text.content))
            yield text.as_sql(path, via, "statement", engine)
        elif is_sure and _is_unknown(given, text, names):
            yield hole_at(given).as_sql(path, via, "statement", engine)


def _filled(call: SgNode) -> SgNode:
    """``SQL("…").format(…)`` around ``SQL("…")``, and itself where nothing is around it."""
    method = call.parent()
    around = method.parent() if method is not None and method.kind() == "attribute" else None
    return around if around is not None and around.kind() == "call" and called(around) == "format" else call


_LABEL = re.compile(
    r"(?!(?:begin|commit|rollback|abort|end|start|vacuum|analyze|checkpoint|reindex)\b)\w+", re.I
)


def _may_be_statement(text: Text) -> bool:
    """One word alone is none: it says what the call is for."""
    return text.says_something and _LABEL.fullmatch(text.content.strip()) is None


def _is_unknown(argument: SgNode, text: Text | None, names: Names) -> bool:
    """Whether it may be a statement, and the file does not say which: a parameter, what another object has."""
    if text is not None:
        return not text.says_something
    return argument.kind() in ("identifier", "attribute", "subscript") and not names.knows(argument)


def _find_standing(
    root: Tree, names: Names, drivers: Drivers, path: str, reading: Reading, taken: set[tuple[int, int]]
) -> Iterator[SqlText]:
    """Texts that can be nothing but SQL, and that nobody is seen to run."""
    for kind in ("concatenated_string", "string"):
        for node in root.find_all(kind=kind):
            if (kind == "string" and cannot_be_sql(node.text())) or not reading.has(node):
                continue
            parent = node.parent()
            if parent is None or parent.kind() in ("concatenated_string", "expression_statement"):
                continue  # a part of another one, or a docstring
            if kind == "string" and is_said_at(node, PYTHON, taken):
                continue
            text = names.build(node)
            if text is None or not is_surely_sql(text.content):
                continue
            if is_format(text.content):
                text = fill_fields(text, BRACES, lambda _field, _number: None)
            if not any((mark.line, mark.column) in taken for mark in text.marks):
                yield text.as_sql(path, "constant", "constant", drivers.engine_of(""))
