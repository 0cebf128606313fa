"""Texts that a file imports from others: names of tables, pieces of statements."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from govern.code.sources import Language
from govern.code.texts.building import Grammar
from govern.code.texts.names import Names
from govern.code.tree import Tree
from govern.core.code import HOLE

Read = Callable[[Path], tuple[str, Language] | None]
"""The text of a file; None for one that cannot be read."""
Parse = Callable[[str, Language], tuple[Tree, Grammar]]

_LONGEST = 200
"""Characters: what is longer is a statement of its own, and looked at where it stands."""
_MAYBE_ASSIGNED = re.compile(
    r"""
    (?<![\w$]) ([\w$]++) (?: [\s\\\ufeff\u2060\u200b] | \#[^\n]*\n )*+
    (?= [:!?] | =(?!=) | /[/*] | (?: [-+*/|&^%@] | \*\* | << | >>>? | && | \|\| ) = )
    """,
    re.VERBOSE,
)
"""A name before what an assignment can go on with: most names that are imported are those of functions and classes."""
_ENDS = ("", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", "/index.ts", "/index.js")


class Homes:
    """Where modules stand; each is looked for once from each folder."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, str], Path | None] = {}

    def find(self, path: Path, module: str, *, is_python: bool) -> Path | None:
        """The file of a module that the one at ``path`` imports, if it is one of the project's."""
        key = path.parent, module
        if key not in self._found:
            self._found[key] = _find_module(path, module) if is_python else _find_beside(path, module)
        return self._found[key]


class Library:
    """The texts that the files below some folders give names to, each file read when it is first asked for."""

    def __init__(self, read: Read, parse: Parse) -> None:
        self._read = read
        self._parse = parse
        self._constants_of = functools.lru_cache(maxsize=1024)(self._find_constants)
        self._assigned_in = functools.lru_cache(maxsize=1024)(self._find_assigned)
        self._homes = Homes()
        self.asked: dict[str, Path | None] = {}
        """By the file that was read last: its modules, and where they stand."""

    def find_imported(self, root: Tree, path: Path, *, is_python: bool) -> Mapping[str, str]:
        """By the name that the file has for it."""
        self.asked = {}
        imports = find_python_imports(root) if is_python else find_ecmascript_imports(root)
        found = {}
        for local, module, name in imports:
            home = self.asked[module] = self._homes.find(path, module, is_python=is_python)
            if home is None or name not in self._assigned_in(home):
                continue
            if (text := self._constants_of(home).get(name)) is not None:
                found[local] = text
        return found

    def _find_assigned(self, path: Path) -> frozenset[str]:
        """Names that may be given a value in a file, told without its syntax tree."""
        read = self._read(path)
        return frozenset(_MAYBE_ASSIGNED.findall(read[0])) if read is not None else frozenset()

    def _find_constants(self, path: Path) -> Mapping[str, str]:
        read = self._read(path)
        if read is None:
            return {}
        constants = Names(*self._parse(*read), {}).constants()
        texts = {name: text.content for name, text in constants.items()}
        return {name: text for name, text in texts.items() if HOLE not in text and len(text) <= _LONGEST}


def find_python_imports(root: Tree) -> Iterator[tuple[str, str, str]]:
    """The local name, the module with its leading dots, and the name there."""
    for node in root.find_all(kind="import_from_statement"):
        module = node.field("module_name")
        if module is None:
            continue
        for one in node.field_children("name"):
            name, alias = one.field("name") or one, one.field("alias")
            yield (alias or name).text(), module.text(), name.text()


def find_ecmascript_imports(root: Tree) -> Iterator[tuple[str, str, str]]:
    for node in root.find_all(kind="import_statement"):
        source = node.field("source")
        if source is None:
            continue
        for one in node.find_all(kind="import_specifier"):
            name, alias = one.field("name"), one.field("alias")
            if name is not None:
                yield (alias or name).text(), source.text().strip("\"'"), name.text()


def _find_module(path: Path, module: str) -> Path | None:
    """The file of a Python module, by its parts below one of the folders around the file that imports it."""
    dots = re.match(r"\.*", module)
    level = len(dots[0]) if dots else 0
    parts = [part for part in module[level:].split(".") if part]
    around = (
        [path.parents[level - 1]]
        if 0 < level <= len(path.parents)
        else list(path.parents)
        if not level
        else []
    )
    for folder in around:
        below = folder.joinpath(*parts)
        for candidate in (below.with_suffix(".py") if parts else None, below / "__init__.py"):
            if candidate is not None and candidate.is_file():
                return candidate
    return None


def _find_beside(path: Path, module: str) -> Path | None:
    """The file of a relative import; packages are none of the project's files."""
    if not module.startswith("."):
        return None
    stem = path.parent / re.sub(r"\.js$", "", module)
    candidates = (Path(f"{stem}{end}") for end in _ENDS)
    return next((candidate for candidate in candidates if candidate.is_file()), None)
