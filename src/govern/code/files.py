"""Which files are looked at, and what each of them says."""

from __future__ import annotations

import codecs
import io
import os
import subprocess
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from govern.code.comments import find_ignores
from govern.code.ecmascript import read_ecmascript
from govern.code.programs.ecmascript import read_ecmascript_program
from govern.code.programs.program import NOTHING
from govern.code.programs.python import read_python_program
from govern.code.python import read_python
from govern.code.search_path import find_search_path
from govern.code.sources import Language, Source, find_comments
from govern.code.sql_file import read_sql_file
from govern.code.texts.building import JAVASCRIPT, PYTHON, TYPESCRIPT, Grammar
from govern.code.texts.imports import Library
from govern.code.tree import Tree
from govern.core.code import CodeFile
from govern.errors import ConfigurationError, ToolMissing

LANGUAGES: dict[str, Language] = {
    ".py": "python",
    ".pyi": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".sql": "sql",
}
"""By the end of a file's name."""
_GRAMMARS: dict[Language, Grammar] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "tsx": TYPESCRIPT,
}
_TEXTS = frozenset(
    {"", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".json", ".sh", ".ipynb"}
    | {".html", ".jinja", ".jinja2", ".j2", ".vue", ".svelte", ".astro", ".mdx"}
)
"""Ends of names of configuration, templates, components; scripts and Makefiles have none."""
_LARGEST = 5_000_000
"""Bytes: a larger file was made by a program."""
_LONGEST_LINE = 20_000
"""Characters: a longer one was made by a program, too, as minifiers do."""
_NOT_OURS = frozenset(
    {"node_modules", "site-packages", "__pycache__", "venv", "env", "dist", "build", "bower_components"}
)


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The source files at or below these paths, sorted, each once.

    What git ignores is left out, and so are hidden folders and those that package managers fill. No link to a folder
    is followed. Raises ConfigurationError for a path there is not.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise ConfigurationError(
                f"there is no {path}",
                why="it was named to be scanned",
                next="name a file or folder that is there",
            )
        found.update([path] if path.is_file() else _below(path))
    yield from sorted(path for path in found if path.suffix.lower() in LANGUAGES)


def find_texts(folder: Path) -> Iterator[Path]:
    """Files that are no code but may name what is in it: configuration, templates, components."""
    for path in _below(folder):
        if path.suffix.lower() in _TEXTS and path.is_file() and path.stat().st_size <= _LARGEST:
            yield path


class Reader:
    """Reads files, and what they import from each other."""

    def __init__(self) -> None:
        self._library = Library(_read_module, _parse)

    def read_file(self, path: Path, name: str) -> CodeFile:
        """What the file says; ``name``: how it is called. A file that cannot be read says why.

        Raises ToolMissing without ast-grep-py.
        """
        try:
            return self.read_content(path.read_bytes(), name, path)
        except OSError as error:
            return CodeFile(path=name, problem=error.strerror or str(error))

    def read_content(self, content: bytes, name: str, path: Path) -> CodeFile:
        """The same for what stands in it."""
        language = LANGUAGES[path.suffix.lower()]
        self._library.asked = {}
        try:
            text = _decode(content, is_python=language == "python")
        except (SyntaxError, UnicodeDecodeError, LookupError) as error:
            return CodeFile(path=name, problem=f"its encoding is not known: {error}")
        return self.read_source(text, name, language, path)

    @property
    def asked(self) -> Mapping[str, Path | None]:
        """The modules that the file imports from that was read last, and where they stand."""
        return self._library.asked

    def read_source(self, content: str, name: str, language: Language, path: Path | None = None) -> CodeFile:
        """The same for a text; ``path``: where it would stand, so that what it imports is found."""
        if len(content) > _LARGEST or max(map(len, content.splitlines()), default=0) > _LONGEST_LINE:
            return CodeFile(path=name, problem="it is too large to be written by a person")
        if "\0" in content:
            return CodeFile(path=name, problem="it has null bytes, which no program is written with")
        if language == "sql":
            read = read_sql_file(content, name)
        else:
            tree, grammar = _parse(content, language)
            is_python = grammar is PYTHON
            imported = self._library.find_imported(tree, path, is_python=is_python) if path else {}
            read = (
                read_python(tree, name, imported)
                if is_python
                else read_ecmascript(tree, name, grammar, imported)
            )
        return replace(
            read, ignores=tuple(find_ignores(content)), search_path=tuple(find_search_path(content))
        )

    def read_program(self, path: Path, name: str) -> Source | None:
        """The file as a program, for whoever follows its values; None for what cannot be read."""
        language = LANGUAGES[path.suffix.lower()]
        if language == "sql":
            return _read_sql_source(path, name)
        try:
            content = path.read_bytes()
            text = _decode(content, is_python=language == "python")
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
            return None  # whoever reads it for itself says so
        if len(text) > _LARGEST or max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
            return None
        try:
            return self._read_source(path, name, language, content, text)
        except RecursionError:
            return None  # what is nested that deep was made by a program

    def read_again(self, source: Source, text: str) -> Source:
        """The same file with another text; its bytes are those that were read."""
        if source.language == "sql":
            return replace(source, text=text)
        return self._read_source(source.path, source.name, source.language, source.content, text)

    def _read_source(self, path: Path, name: str, language: Language, content: bytes, text: str) -> Source:
        tree, grammar = _parse(text, language)
        is_python = grammar is PYTHON
        imported = self._library.find_imported(tree, path, is_python=is_python)
        read = (
            read_python_program(tree, name, imported)
            if is_python
            else read_ecmascript_program(tree, name, grammar, imported)
        )
        return Source(
            path=path,
            name=name,
            language=language,
            content=content,
            text=text,
            root=read,
            comments=tuple(find_comments(tree)),
        )


def _read_sql_source(path: Path, name: str) -> Source | None:
    try:
        content = path.read_bytes()
        text = _decode(content, is_python=False)
    except (OSError, UnicodeDecodeError):
        return None
    return Source(path=path, name=name, language="sql", content=content, text=text, root=NOTHING)


def require_parser(paths: Iterable[Path]) -> None:
    """Raises ToolMissing where one of the files cannot be read without ast-grep-py, and it is not there."""
    if find_spec("ast_grep_py") is None and any(LANGUAGES[path.suffix.lower()] != "sql" for path in paths):
        raise _no_parser()


def _no_parser() -> ToolMissing:
    return ToolMissing(
        "source code cannot be read: ast-grep-py is not installed", next="pip install 'govern[scan]'"
    )


def _parse(content: str, language: Language) -> tuple[Tree, Grammar]:
    try:
        from ast_grep_py import SgRoot
    except ImportError as error:
        raise _no_parser() from error
    grammar = _GRAMMARS[language]
    return Tree(SgRoot(content, language).root(), grammar.kinds), grammar


def _read_module(path: Path) -> tuple[str, Language] | None:
    language = LANGUAGES.get(path.suffix.lower())
    if language is None or language == "sql" or path.stat().st_size > _LARGEST:
        return None
    try:
        return _decode(path.read_bytes(), is_python=language == "python"), language
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
        return None  # whoever reads it for itself says so


def _decode(content: bytes, *, is_python: bool) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if not is_python:
        return content.decode("utf-8-sig")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return content.decode(encoding)


def _below(folder: Path) -> Iterator[Path]:
    listed = _ask_git(folder)
    if listed is not None:
        yield from (path for path in listed if _is_ours(path.relative_to(folder)) and path.is_file())
        return
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_ours(Path(name))]
        yield from (Path(here, name) for name in names)


def _is_ours(path: Path) -> bool:
    return not any(part in _NOT_OURS or part.startswith(".") for part in path.parts)


def _ask_git(folder: Path) -> list[Path] | None:
    """The files that git knows or would add; None where there is no git, or no repository."""
    command = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return [folder / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
