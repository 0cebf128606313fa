"""What a revision file's functions do, as far as its text tells: read with ``ast``, never run.

What only running would tell (names that are computed, loops over lists) is left out rather than guessed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Function = Literal["upgrade", "downgrade"]
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call that does something to a database."""

    name: str
    """As Alembic has it: ``create_index``, ``execute``; a batch's ``add_column`` is one, too."""
    line: int
    code: str
    """The call as Python has it."""
    texts: frozenset[str] = frozenset()
    """Every literal text in the call: names of tables, columns, indexes; SQL."""
    table: str | None = None
    """The table it is about, where the text says it."""
    target: str | None = None
    """The column or index it is about, where the text says it."""
    new_name: str | None = None
    """Of ``rename_table``."""
    flags: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments that are literals: ``{"postgresql_concurrently": True}``."""
    sql: str | None = None
    """Of ``execute``: the statement; what is filled in at run time is ``?``."""
    changes_rows: Literal["UPDATE", "DELETE"] | None = None
    in_autocommit: bool = False
    """Inside ``autocommit_block()``."""
    in_loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place where a name is used that matters wherever it stands."""

    name: str
    """``os.environ``."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a revision file does."""

    upgrade: tuple[Operation, ...] = ()
    downgrade: tuple[Operation, ...] = ()
    mentions: tuple[Mention, ...] = ()
    """Names with a dot that are called or read, by their full name: ``os.environ``, ``datetime.datetime.now``."""
    asks_for_validity: bool = False
    """Whether its SQL reads ``pg_index.indisvalid``: it looks itself for what an interrupted build has left."""


def read_operations(path: Path) -> Revision:
    """Reads a file that is a revision already; one that cannot be parsed does nothing (the chain says so)."""
    try:
        return parse_operations(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return Revision()


def parse_operations(source: str | bytes) -> Revision:
    """The same for a text. Raises SyntaxError or ValueError."""
    module = ast.parse(source)
    reading = _Reading(module)
    return Revision(
        upgrade=tuple(reading.read("upgrade")),
        downgrade=tuple(reading.read("downgrade")),
        mentions=tuple(_mentions(module)),
        asks_for_validity=_asks_for_validity(module),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of where a node stands."""

    in_autocommit: bool = False
    in_loop: bool = False
    batches: Mapping[str, str | None] = field(default_factory=dict)
    """The table of each name that ``with op.batch_alter_table(…) as name`` binds."""


class _Reading:
    """Follows a function, and the module's functions it calls, statement by statement."""

    def __init__(self, module: ast.Module) -> None:
        self._functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        self._values = _assigned(module)

    def read(self, function: Function) -> Iterator[Operation]:
        if function in self._functions:
            yield from self._follow(function, _Place(), frozenset())

    def _follow(self, name: str, place: _Place, callers: frozenset[str]) -> Iterator[Operation]:
        definition = self._functions[name]
        values = {**self._values, **_assigned(definition)}
        for statement in definition.body:
            yield from self._visit(statement, place, values, callers | {name})

    def _visit(
        self, node: ast.AST, place: _Place, values: Mapping[str, ast.expr], callers: frozenset[str]
    ) -> Iterator[Operation]:
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                yield from self._visit(item.context_expr, place, values, callers)
                place = _entered(item, place)
            for statement in node.body:
                yield from self._visit(statement, place, values, callers)
            return
        if isinstance(node, _LOOPS):
            place = _Place(place.in_autocommit, True, place.batches)
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else None
            if name in self._functions and name not in callers:
                yield from self._follow(name, place, callers)
            elif (operation := _operation(node, place, values)) is not None:
                yield operation
                return
        for child in ast.iter_child_nodes(node):
            yield from self._visit(child, place, values, callers)


_OPERATIONS = frozenset(
    (
        "add_column",
        "alter_column",
        "batch_alter_table",
        "bulk_insert",
        "create_all",
        "create_check_constraint",
        "create_exclude_constraint",
        "create_foreign_key",
        "create_index",
        "create_primary_key",
        "create_table",
        "create_table_comment",
        "create_unique_constraint",
        "drop_all",
        "drop_column",
        "drop_constraint",
        "drop_index",
        "drop_table",
        "drop_table_comment",
        "exec_driver_sql",
        "execute",
        "rename_table",
    )
)
_TABLE_FIRST = frozenset(
    (
        "add_column",
        "alter_column",
        "batch_alter_table",
        "bulk_insert",
        "create_table",
        "drop_column",
        "drop_table",
        "rename_table",
    )
)
_TABLE_KEYWORDS = ("table_name", "source_table", "source")


def _operation(call: ast.Call, place: _Place, values: Mapping[str, ast.expr]) -> Operation | None:
    name = _called(call)  # a project's own create_table stands for Alembic's
    if name not in _OPERATIONS:
        return None
    executes = name in ("execute", "exec_driver_sql")
    sql = _sql(call.args[0], values) if executes and call.args else None
    verb = _verb(call.args[0], sql, values) if executes and call.args else None
    return Operation(
        name="execute" if executes else name,
        line=call.lineno,
        code=ast.unparse(call),
        texts=frozenset(_texts(call)),
        table=_table_in_sql(sql) or _changed_table(call, values) if executes else _table(call, place),
        target=_target(call),
        new_name=_text(call.args[1]) if name == "rename_table" and len(call.args) > 1 else None,
        flags={
            word.arg: word.value.value
            for word in call.keywords
            if word.arg and isinstance(word.value, ast.Constant)
        },
        sql=sql,
        changes_rows=verb,
        in_autocommit=place.in_autocommit,
        in_loop=place.in_loop,
    )


def _entered(item: ast.withitem, place: _Place) -> _Place:
    call = item.context_expr
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return place
    if call.func.attr == "autocommit_block":
        return _Place(True, place.in_loop, place.batches)
    if call.func.attr == "batch_alter_table" and isinstance(item.optional_vars, ast.Name):
        table = _text(call.args[0]) if call.args else None
        return _Place(place.in_autocommit, place.in_loop, {**place.batches, item.optional_vars.id: table})
    return place


def _table(call: ast.Call, place: _Place) -> str | None:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner)) if owner in place.batches:
            return place.batches[owner]
    for keyword in call.keywords:
        if keyword.arg in _TABLE_KEYWORDS:
            return _text(keyword.value)
    position = 0 if _called(call) in _TABLE_FIRST else 1
    return _text(call.args[position]) if len(call.args) > position else None


def _target(call: ast.Call) -> str | None:
    """``nick`` of ``add_column("users", sa.Column("nick"))``; ``ix`` of ``create_index("ix", …)``."""
    name = _called(call)
    if name == "add_column":
        columns = [argument for argument in call.args if isinstance(argument, ast.Call) and argument.args]
        return _text(columns[0].args[0]) if columns else None
    texts = [text for argument in call.args if (text := _text(argument)) is not None]
    if name in ("drop_column", "alter_column"):
        return texts[-1] if texts else None
    return texts[0] if texts else None


def _assigned(node: ast.Module | ast.FunctionDef) -> dict[str, ast.expr]:
    """The last simple assignment to each name of a module or function."""
    return {
        target.id: statement.value
        for statement in ast.walk(node)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _text(expression: ast.expr) -> str | None:
    """A literal text; ``op.f("name")`` is the text in it."""
    match expression:
        case ast.Constant(value=str() as text):
            return text
        case ast.Call(func=ast.Attribute(attr="f"), args=[ast.Constant(value=str() as text)]):
            return text
    return None


def _texts(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _sql(expression: ast.expr, values: Mapping[str, ast.expr], depth: int = 0) -> str | None:
    """The statement an ``execute`` is given, where it is a text or ``text("…")``."""
    match expression:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (_sql(left, values, depth) or "?") + (_sql(right, values, depth) or "?")
        case ast.Call(func=ast.Attribute(attr="text") | ast.Name(id="text"), args=[inner, *_]):
            return _sql(inner, values, depth)
        case ast.Call(func=ast.Attribute(attr="format" | "bindparams", value=inner)):
            return _sql(inner, values, depth)
        case ast.Name(id=name) if name in values and depth < 10:
            return _sql(values[name], values, depth + 1)
    return None


_ROW_CHANGE = re.compile(r"\s*(?:WITH\b.*?\)\s*)?(UPDATE|DELETE)\b", re.IGNORECASE | re.DOTALL)
_SQL_TABLE = re.compile(
    r"\s*(?:UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|TRUNCATE(?:\s+TABLE)?(?:\s+ONLY)?)\s+"
    r'(?P<table>"?\w+"?(?:\."?\w+"?)?)',
    re.IGNORECASE,
)


def _verb(
    expression: ast.expr, sql: str | None, values: Mapping[str, ast.expr]
) -> Literal["UPDATE", "DELETE"] | None:
    if sql is not None:
        found = _ROW_CHANGE.match(sql)
        return None if found is None else "UPDATE" if found[1].upper() == "UPDATE" else "DELETE"
    call = _construct(expression, values)
    if call is None:
        return None
    return "UPDATE" if _called(call) == "update" else "DELETE"


def _construct(expression: ast.expr, values: Mapping[str, ast.expr]) -> ast.Call | None:
    """``update(table)`` or ``table.update()`` under the calls that were chained to it."""
    for _ in range(20):
        if isinstance(expression, ast.Name):
            if expression.id not in values:
                return None
            expression = values[expression.id]
        elif not isinstance(expression, ast.Call):
            return None
        elif _called(expression) in ("update", "delete"):
            return expression
        elif isinstance(expression.func, ast.Attribute):
            expression = expression.func.value
        else:
            return None
    return None


def _called(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return None


def _table_in_sql(sql: str | None) -> str | None:
    found = _SQL_TABLE.match(sql) if sql else None
    return found["table"].replace('"', "") if found else None


def _changed_table(call: ast.Call, values: Mapping[str, ast.expr]) -> str | None:
    """``users`` of ``users.update()`` where ``users = sa.table("users", …)``."""
    change = _construct(call.args[0], values) if call.args else None
    if change is None:
        return None
    subject = (
        change.args[0]
        if change.args
        else change.func.value
        if isinstance(change.func, ast.Attribute)
        else None
    )
    if isinstance(subject, ast.Name):
        subject = values.get(subject.id)
    if isinstance(subject, ast.Call) and _called(subject) in ("table", "Table") and subject.args:
        return _text(subject.args[0])
    return None


def _mentions(module: ast.Module) -> Iterator[Mention]:
    """Attributes and imported names, each by the full name its import gives it."""
    imported: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = _full_name(node, imported)
            if name is not None and "." in name:
                yield Mention(name=name, line=node.lineno)


def _asks_for_validity(module: ast.Module) -> bool:
    """Docstrings do not count."""
    said = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "indisvalid" in node.value
        for node in ast.walk(module)
        if id(node) not in said
    )


def _full_name(node: ast.expr, imported: Mapping[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return imported.get(name)
        case ast.Attribute(value=value, attr=attribute):
            owner = _full_name(value, imported)
            return f"{owner}.{attribute}" if owner else None
        case ast.Call(func=function):
            owner = _full_name(function, imported)
            return f"{owner}()" if owner else None
    return None


def tables_created(revisions: Iterable[Revision]) -> frozenset[str]:
    """The tables that ``create_table`` makes in the upgrades, as written there; under every name they get."""
    created: set[str] = set()
    for revision in revisions:
        for operation in revision.upgrade:
            if operation.name == "create_table" and operation.table:
                created.add(operation.table)
            elif operation.name == "rename_table" and operation.table in created and operation.new_name:
                created.add(operation.new_name)
    return frozenset(created)
