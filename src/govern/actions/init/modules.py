"""A project's Python modules, read and never imported: what they define, import and re-export."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from govern.config import Settings

_SKIPPED_FOLDERS = frozenset(
    {
        "node_modules",
        "site-packages",
        "__pycache__",
        "tests",
        "test",
        "testing",
        "docs",
        "examples",
        "build",
        "dist",
    }
)
_SUBMODULE_FINDERS = frozenset({"iter_modules", "walk_packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file. Dotted texts are as written in it: ``sa.MetaData``."""

    name: str
    """As it is imported: ``app.models``."""
    path: Path
    is_package: bool
    classes: Mapping[str, ast.ClassDef]
    values: Mapping[str, ast.Call]
    """Names bound to the result of a call: ``Base = declarative_base()``."""
    imported: Mapping[str, str]
    """What an imported name stands for: ``{"sa": "sqlalchemy", "Base": "app.db.Base"}``."""
    starred: tuple[str, ...]
    """Modules of ``from … import *``."""
    loads: tuple[str, ...]
    """Dotted names that importing this module imports, were they modules."""
    loads_submodules: bool
    """Whether it walks its package and imports all of it."""


class Place(NamedTuple):
    """Where a name leads: a module of the project and a name in it, or (module None) something outside."""

    module: Module | None
    name: str
    """The name in the module, or the whole dotted name outside."""
    rest: str = ""
    """The attributes that follow: ``metadata`` of ``Base.metadata``."""


@dataclass(frozen=True)
class Modules:
    """All modules of a project by their names."""

    by_name: Mapping[str, Module] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.by_name.values())

    def follow(self, module: Module, dotted: str, seen: frozenset[tuple[str, str]] = frozenset()) -> Place:
        """What ``dotted`` means inside ``module``, through all re-exports."""
        head, _, rest = dotted.partition(".")
        if head in module.classes or head in module.values or (module.name, dotted) in seen:
            return Place(module, head, rest)
        seen |= {(module.name, dotted)}
        if head in module.imported:
            return self._follow_absolute(f"{module.imported[head]}.{rest}".rstrip("."), seen)
        for source in module.starred:
            if source in self.by_name:
                place = self.follow(self.by_name[source], dotted, seen)
                if place.module is not None and is_defined(place):
                    return place
        return Place(module, head, rest)

    def _follow_absolute(self, dotted: str, seen: frozenset[tuple[str, str]]) -> Place:
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            module = self.by_name.get(".".join(parts[:length]))
            if module is not None:
                rest = ".".join(parts[length:])
                return self.follow(module, rest, seen) if rest else Place(module, "", "")
        return Place(None, dotted)

    def loaded_by(self, module: Module) -> frozenset[str]:
        """Names of the modules that importing ``module`` loads, itself and its packages included."""
        loaded = {module.name}
        waiting = [module.name]
        while waiting:
            new = self._edges[waiting.pop()] - loaded
            loaded |= new
            waiting += new
        return frozenset(loaded)

    @cached_property
    def _edges(self) -> Mapping[str, frozenset[str]]:
        """The modules that each one loads itself: large projects are asked about each of their modules."""
        return {
            name: frozenset(
                loaded
                for named in (name, *self._loads(module))
                for loaded in (named, *_parents(named))
                if loaded in self.by_name
            )
            for name, module in self.by_name.items()
        }

    def _loads(self, module: Module) -> Iterator[str]:
        yield from module.loads
        if module.loads_submodules:
            yield from (name for name in self.by_name if name.startswith(f"{module.name}."))


def is_defined(place: Place) -> bool:
    """Whether the place is a class or a value of its module, not a name nobody knows."""
    return place.module is not None and (
        place.name in place.module.classes or place.name in place.module.values
    )


def read_project_modules(settings: Settings) -> Modules:
    """The project's own Python files but for tests and revisions, named as its interpreter names them."""
    search_path = (*settings.alembic.prepend_sys_path, settings.root, *_source_folder(settings.root))
    locations = (settings.alembic.script_location, *settings.alembic.version_locations)
    return read_modules(settings.root, search_path=search_path, leave_out=locations)


def _source_folder(root: Path) -> tuple[Path, ...]:
    """``src``, where a project installed in its interpreter keeps its packages."""
    folder = root / "src"
    return (folder,) if folder.is_dir() and not (folder / "__init__.py").exists() else ()


def read_modules(root: Path, *, search_path: Iterable[Path], leave_out: Iterable[Path]) -> Modules:
    """Every Python file below ``root`` but for tests, environments and ``leave_out``.

    A module is named by the longest folder of ``search_path`` it is in. Files that are not valid Python are
    passed over.
    """
    roots = sorted({folder.resolve() for folder in search_path}, key=lambda folder: -len(folder.parts))
    excluded = frozenset(folder.resolve() for folder in leave_out)
    modules = (_read_module(path, roots) for path in _python_files(root, excluded))
    return Modules({module.name: module for module in modules if module is not None})


def _python_files(root: Path, excluded: frozenset[Path]) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(root):
        here = Path(folder)
        subfolders[:] = sorted(name for name in subfolders if not is_skipped(here / name, excluded))
        yield from (here / name for name in sorted(files) if _is_source(name))


def is_skipped(folder: Path, excluded: frozenset[Path]) -> bool:
    """Whether a folder has nothing of the project's own: environments, tests, what is built; and the excluded ones."""
    return (
        folder.name in _SKIPPED_FOLDERS
        or folder.name.startswith(".")
        or folder in excluded
        or (folder / "pyvenv.cfg").exists()
    )


def _is_source(name: str) -> bool:
    return name.endswith(".py") and name not in ("conftest.py", "setup.py") and not name.startswith("test_")


def _read_module(path: Path, roots: Iterable[Path]) -> Module | None:
    name = _module_name(path, roots)
    tree = parse(path)
    if name is None or tree is None:
        return None
    is_package = path.name == "__init__.py"
    package = name if is_package else name.rpartition(".")[0]
    statements = tuple(_executed_statements(tree.body))
    imports = tuple(node for node in statements if isinstance(node, (ast.Import, ast.ImportFrom)))
    return Module(
        name=name,
        path=path,
        is_package=is_package,
        classes={node.name: node for node in statements if isinstance(node, ast.ClassDef)},
        values=dict(_called_values(statements)),
        imported=dict(_imported_names(imports, package)),
        starred=tuple(_origin(node, package) for node in imports if _is_starred(node)),
        loads=tuple(_loads(imports, package)),
        loads_submodules=is_package
        and any(_dotted_tail(node) in _SUBMODULE_FINDERS for node in ast.walk(tree)),
    )


def parse(path: Path) -> ast.Module | None:
    """The file's syntax tree; None if it cannot be read or is not valid Python."""
    try:
        with warnings.catch_warnings(action="ignore"):  # invalid escapes are their author's affair
            return ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _module_name(path: Path, roots: Iterable[Path]) -> str | None:
    for root in roots:
        if path.is_relative_to(root):
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and all(part.isidentifier() for part in parts):
                return ".".join(parts)
            return None
    return None


def _executed_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """What runs when the module is imported: conditions and try blocks are entered, functions are not."""
    for node in body:
        match node:
            case ast.If() if _is_never_true(node.test):
                yield from _executed_statements(node.orelse)
            case ast.If():
                yield from _executed_statements([*node.body, *node.orelse])
            case ast.Try():
                handlers = [statement for handler in node.handlers for statement in handler.body]
                yield from _executed_statements([*node.body, *handlers, *node.orelse, *node.finalbody])
            case ast.With():
                yield from _executed_statements(node.body)
            case _:
                yield node


def _is_never_true(test: ast.expr) -> bool:
    """``TYPE_CHECKING`` and ``__name__ == "__main__"``."""
    if isinstance(test, ast.Compare):
        return dotted_name(test.left) == "__name__"
    return (dotted_name(test) or "").rpartition(".")[2] == "TYPE_CHECKING"


def _called_values(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.Call]]:
    for node in statements:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                yield name, call
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                yield name, call


def _imported_names(imports: Iterable[ast.stmt], package: str) -> Iterator[tuple[str, str]]:
    for node in imports:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{_origin(node, package)}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)


def _is_starred(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def _origin(node: ast.stmt, package: str) -> str:
    """The absolute module of a ``from`` import: ``..db`` inside ``app.models`` is ``app.db``."""
    if not isinstance(node, ast.ImportFrom):
        return ""
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _loads(imports: Iterable[ast.stmt], package: str) -> Iterator[str]:
    for node in imports:
        if isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _parents(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name


def dotted_name(node: ast.expr) -> str | None:
    """``a.b.c`` of a chain of attributes; None for any other expression. A subscript is looked through."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            owner = dotted_name(value)
            return f"{owner}.{attribute}" if owner else None
        case ast.Subscript(value=value):
            return dotted_name(value)
        case _:
            return None


def _dotted_tail(node: ast.AST) -> str:
    return (dotted_name(node) or "").rpartition(".")[2] if isinstance(node, ast.expr) else ""
