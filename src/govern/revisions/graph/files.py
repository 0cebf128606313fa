"""One revision file as a value, read with ``ast``. Nothing here runs a line of it: a revision may import its
project, write, or exit when it is imported."""

from __future__ import annotations

import ast
import hashlib
import platform
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFile:
    """What a revision file says of itself."""

    path: Path
    revision: str
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Revision ids or branch labels, as written."""
    branch_labels: tuple[str, ...] | None = ()
    """None: an expression whose value only an import would tell."""
    doc: str = ""
    """The first line of the docstring."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Where ``revision``, ``down_revision``, ``depends_on``, ``branch_labels``, ``upgrade`` and ``downgrade``
    are, counted from 1; only those the file has."""
    has_upgrade: bool = True
    upgrade_is_empty: bool = False
    """Only ``pass``, a docstring, ``...`` or a bare ``return``."""
    has_downgrade: bool = True
    downgrade_is_empty: bool = False
    downgrade_raises: bool = False
    """It says itself that there is no way back."""
    checksum: str = ""
    """See ``checksum_of``."""

    @property
    def is_merge(self) -> bool:
        return len(self.down_revisions) > 1

    def line_of(self, name: str) -> int:
        """The line of an assignment or function; the first of the file for one it does not have."""
        return self.lines.get(name, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFile:
    """A file Alembic would take for a revision, and that is none."""

    path: Path
    line: int
    message: str
    revision: str | None = None
    """The id it seems to have, so that its children are not reported as orphans as well."""


Parse = Callable[[Path, bytes], RevisionFile | BrokenFile]


def read_revision_file(path: Path, parse: Parse | None = None) -> RevisionFile | BrokenFile:
    """Reads one ``.py`` file of a version location; ``parse``: one that stands in for ``parse_revision_file``.

    Without a ``revision`` the file's name is the id if it is all hexadecimal, and the file is broken
    otherwise, whatever else it may be: Alembic answers every command with "Could not determine revision id
    from filename" as long as it lies there (``alembic/script/base.py``, ``Script._from_path``).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        return BrokenFile(path=path, line=1, message=f"cannot be read: {error.strerror}")
    return (parse or parse_revision_file)(path, content)


def parse_revision_file(path: Path, content: bytes) -> RevisionFile | BrokenFile:
    """The same for a content that was read already."""
    try:
        return _read_module(path, _parse(content), checksum_of(content))
    except _Unreadable as problem:
        return BrokenFile(
            path=path, line=problem.line, message=problem.message, revision=_guess_revision(path, content)
        )


def checksum_of(content: bytes) -> str:
    """The sha256, in hexadecimal, of what counts in a revision file.

    Line endings, whitespace at the end of lines, empty lines at the end of the file and a byte order mark do
    not count: checkouts and editors change them. All else does, comments too: a tool cannot know which
    comment is read by something else, and a reviewed file is reviewed with its comments.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = [line.rstrip(b" \t\f") for line in text.split(b"\n")]
    return hashlib.sha256(b"\n".join(lines).rstrip(b"\n") + b"\n").hexdigest()


class _Unreadable(Exception):
    """Never leaves this module: it becomes a BrokenFile."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A value that only running the file would tell."""

    reason: str | ast.expr
    """Why, or the expression."""

    def __str__(self) -> str:
        if isinstance(self.reason, str):
            return self.reason
        try:
            return ast.unparse(self.reason)[:80]
        except RecursionError:
            return "an expression nested too deeply"


_Text = str | None
_Value = _Text | tuple[_Text, ...] | _Unknown

_VARIABLES = ("revision", "down_revision", "depends_on", "branch_labels")
_FUNCTIONS = ("upgrade", "downgrade")
_HEXADECIMAL_NAME = re.compile(r"[a-f0-9]+\.py")
_REVISION_LINE = re.compile(rb"""^revision\b[^=\n]*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


def _parse(content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a revision's SQL is the project's affair
            return ast.parse(content)
    except SyntaxError as error:
        message = f"is not valid Python {platform.python_version()}: {error.msg}"
        raise _Unreadable(message, error.lineno or 1) from error
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; nesting no parser can hold
        raise _Unreadable(f"is not valid Python: {str(error) or 'nested too deeply'}", 1) from error


def _guess_revision(path: Path, content: bytes) -> str | None:
    match = _REVISION_LINE.search(content)
    if match:
        return match[1].decode(errors="replace")
    return path.stem.partition("_")[0] or None


def _read_module(path: Path, module: ast.Module, checksum: str) -> RevisionFile:
    values, lines = _read_assignments(module)
    functions = _read_functions(module)
    lines.update((name, definition.lineno) for name, definition in functions.items())
    upgrade, downgrade = functions.get("upgrade"), functions.get("downgrade")
    return RevisionFile(
        path=path,
        revision=_revision(path, values, lines),
        down_revisions=_known(values, lines, "down_revision"),
        depends_on=_known(values, lines, "depends_on"),
        branch_labels=_labels(values),
        doc=(ast.get_docstring(module) or "").partition("\n")[0].strip(),
        lines=lines,
        has_upgrade=upgrade is not None,
        upgrade_is_empty=_is_empty(upgrade),
        has_downgrade=downgrade is not None,
        downgrade_is_empty=_is_empty(downgrade),
        downgrade_raises=_raises(downgrade),
        checksum=checksum,
    )


def _revision(path: Path, values: Mapping[str, _Value], lines: Mapping[str, int]) -> str:
    if "revision" not in values:
        if _HEXADECIMAL_NAME.fullmatch(path.name):
            return path.stem
        raise _Unreadable("has no assignment to 'revision', and its name is no revision id", 1)
    revision = values["revision"]
    if isinstance(revision, str) and revision:
        return revision
    if isinstance(revision, _Unknown):
        raise _undeterminable("revision", revision, lines)
    raise _Unreadable("has a 'revision' that is not a text", lines["revision"])


def _known(values: Mapping[str, _Value], lines: Mapping[str, int], name: str) -> tuple[str, ...]:
    """Ids as a tuple; Alembic takes a text, a sequence of texts, or None."""
    value = values.get(name)
    if isinstance(value, _Unknown):
        raise _undeterminable(name, value, lines)
    if value is None or value == (None,):
        return ()
    ids = value if isinstance(value, tuple) else (value,)
    texts = tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    if None in ids:
        raise _Unreadable(f"has a '{name}' that mixes ids and None", lines[name])
    return texts


def _labels(values: Mapping[str, _Value]) -> tuple[str, ...] | None:
    value = values.get("branch_labels")
    if isinstance(value, _Unknown):
        return None
    if isinstance(value, tuple):
        return tuple(label for label in value if label is not None)
    return () if value is None else (value,)


def _undeterminable(name: str, value: _Unknown, lines: Mapping[str, int]) -> _Unreadable:
    return _Unreadable(f"has a '{name}' that is not written out as text: {value}", lines.get(name, 1))


def _read_assignments(module: ast.Module) -> tuple[dict[str, _Value], dict[str, int]]:
    """The values of the module's names, in the order Python would bind them, and the lines of ours."""
    values: dict[str, _Value] = {}
    lines: dict[str, int] = {}
    for statement in module.body:
        for name, line, value in _bindings(statement, values):
            values[name] = value
            if name in _VARIABLES:
                lines[name] = line
    return values, lines


def _bindings(statement: ast.stmt, values: Mapping[str, _Value]) -> Iterator[tuple[str, int, _Value]]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _bind(target, value, values)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _bind(target, value, values)
        case ast.ImportFrom(names=names) | ast.Import(names=names):
            for imported in names:
                yield imported.asname or imported.name, statement.lineno, _Unknown("it is imported")
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.AnnAssign():
            return
        case _:  # if, try, with, for, +=: what it binds depends on what happens
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id, node.lineno, _Unknown("it is assigned on a condition")


def _bind(
    target: ast.expr, value: ast.expr, values: Mapping[str, _Value]
) -> Iterator[tuple[str, int, _Value]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, target.lineno, _evaluate(value, values)
        case (
            (ast.Tuple(elts=targets) | ast.List(elts=targets)),
            (ast.Tuple(elts=parts) | ast.List(elts=parts)),
        ) if len(targets) == len(parts):
            for inner, part in zip(targets, parts, strict=True):
                yield from _bind(inner, part, values)
        case _:
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    yield node.id, node.lineno, _Unknown(value)


def _evaluate(expression: ast.expr, values: Mapping[str, _Value]) -> _Value:
    """Texts, None, sequences of them, and names bound to them further up; all else is unknown."""
    match expression:
        case ast.Constant(value=str() as text) if text.isprintable():  # a lone surrogate cannot even be shown
            return text
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            parts = [_evaluate(element, values) for element in elements]
            texts = tuple(part for part in parts if part is None or isinstance(part, str))
            return texts if len(texts) == len(parts) else _Unknown(expression)
    return _Unknown(expression)


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.stmt


def _read_functions(module: ast.Module) -> dict[str, _Function]:
    """What binds ``upgrade`` and ``downgrade``: a definition, an import, an assignment."""
    functions: dict[str, _Function] = {}
    for statement in module.body:
        functions.update((name, statement) for name in _bound_names(statement) if name in _FUNCTIONS)
    return functions


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant())
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant())
        ):
            yield name
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield from _imported_names(alias)
        case _:
            yield from _names_bound_within(statement)


def _names_bound_within(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield from _imported_names(node)


def _imported_names(alias: ast.alias) -> tuple[str, ...]:
    """What `import *` brings nobody can see from here; it may be both."""
    return _FUNCTIONS if alias.name == "*" else (alias.asname or alias.name,)


def _statements(function: _Function | None) -> list[ast.stmt] | None:
    """The body without docstring; None for what is no plain function."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    return [
        statement
        for statement in function.body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]


def _is_empty(function: _Function | None) -> bool:
    statements = _statements(function)
    return statements is not None and all(_does_nothing(statement) for statement in statements)


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Return(value=None) | ast.Return(value=ast.Constant(value=None)):
            return True
    return False


def _raises(function: _Function | None) -> bool:
    return any(isinstance(statement, ast.Raise) for statement in _statements(function) or ())
