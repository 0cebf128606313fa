"""A YAML file as plain values, with the line and column of each. YAML 1.2's few types, so that ``no`` is a text
and ``12:30`` is one, too; and nothing that could harm: no tags that build objects, no bombs, no depth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML was built without libyaml: slower, the same otherwise
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MAX_BYTES = 1_000_000
"""Ten thousand tables fit. More would take seconds to read before anything could be said about it."""
MAX_DEPTH = 50
MAX_VALUES = 100_000
"""Counted with aliases written out, which is what a bomb of aliases explodes into."""

Value = str | int | float | bool | None | tuple["Value", ...] | dict[str, "Value"]
Path_ = tuple[str | int, ...]
"""The way from the top to a value: keys and indices."""


class Mark(NamedTuple):
    """Counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing wrong, and where."""

    mark: Mark
    message: str


class Unreadable(Exception):
    """The document has no usable values."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a YAML file says."""

    values: dict[str, Value]
    marks: Mapping[Path_, Mark]
    """Where each value is. An item of a list that is a text can be found by the text as well as by its index:
    ``("columns", "email")`` is found in ``columns: [id, email]`` and in ``columns: {email: text}``."""
    key_marks: Mapping[Path_, Mark]

    def locate(self, path: Path_) -> Mark:
        """The place of a value, or of the nearest thing around it that has one."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))

    def locate_key(self, path: Path_) -> Mark:
        """The place of a key in a mapping."""
        return self.key_marks.get(path) or self.locate(path)


def read_document(path: Path) -> Document:
    """Reads a file whose top level is a mapping. Raises Unreadable with all problems found, and OSError."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Unreadable(Problem(Mark(1, 1), f"the file is larger than {MAX_BYTES:,} bytes"))
    try:
        return parse_document(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise Unreadable(Problem(mark, f"not UTF-8: {error.reason}")) from error


def parse_document(text: str) -> Document:
    """The same for a text. An empty one is an empty mapping."""
    try:
        _refuse_depth(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        raise Unreadable(_unprintable(text, error)) from error
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax_problem(error)) from error
    except yaml.YAMLError as error:
        raise Unreadable(Problem(Mark(1, 1), str(error))) from error
    if node is None or node.tag == f"{_TAG}null":
        return Document(values={}, marks={}, key_marks={})
    if not isinstance(node, yaml.MappingNode):
        message = f"the top level must be a mapping of keys, it is {_describe(node)}"
        raise Unreadable(Problem(_mark(node), message))
    reading = _Reading()
    values = reading.read(node, ())
    if reading.problems:
        raise Unreadable(*reading.problems)
    assert isinstance(values, dict)  # noqa: S101  # a MappingNode was read
    return Document(values=values, marks=reading.marks, key_marks=reading.key_marks)


class _Loader(_SafeLoader):
    """Resolves the types of YAML 1.2's core schema (yaml.org/spec/1.2.2, 10.3.2), without octal and hexadecimal."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_TAG = "tag:yaml.org,2002:"
_PATTERNS = {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "null": r"~|null|Null|NULL|",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
}
for _name, _pattern in _PATTERNS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), None)


class _Reading:
    """One walk over the nodes: values, places, and everything wrong."""

    def __init__(self) -> None:
        self.marks: dict[Path_, Mark] = {}
        self.key_marks: dict[Path_, Mark] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: yaml.Node, path: Path_) -> Value:
        self._count += 1
        if self._count > MAX_VALUES:
            raise Unreadable(
                Problem(_mark(node), f"more than {MAX_VALUES:,} values, with aliases written out")
            )
        if id(node) in self._open:
            raise Unreadable(Problem(_mark(node), "an alias refers to what it is part of"))
        self.marks[path] = _mark(node)
        if isinstance(node, yaml.ScalarNode):
            return self._read_scalar(node)
        self._open.add(id(node))
        value = self._read_collection(node, path)
        self._open.remove(id(node))
        return value

    def _read_collection(self, node: yaml.Node, path: Path_) -> Value:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return tuple(self._read_items(node, path))
        self.problems.append(Problem(_mark(node), f"the tag {node.tag!r} is not allowed"))
        return None

    def _read_items(self, node: yaml.SequenceNode, path: Path_) -> Iterator[Value]:
        for index, item in enumerate(node.value):
            value = self.read(item, (*path, index))
            if isinstance(value, str):
                self.marks.setdefault((*path, value), _mark(item))
            yield value

    def _read_mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str):
                self.problems.append(Problem(_mark(key_node), "a key must be a text"))
                continue
            place = (*path, key)
            if key in values:
                first = self.key_marks[place].line
                self.problems.append(
                    Problem(_mark(key_node), f"the key {_shorten(key)} is already on line {first}")
                )
                continue
            self.key_marks[place] = _mark(key_node)
            values[key] = self.read(value_node, place)
        return values

    def _read_scalar(self, node: yaml.ScalarNode) -> Value:
        kind = node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "str":
                    return str(node.value)
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[node.value.lower()]
                case "int":
                    return int(node.value)
                case "float":
                    return _finite(node.value)
        except (ValueError, KeyError):  # `!!int abc`, or more digits than Python reads
            self.problems.append(Problem(_mark(node), f"{_shorten(node.value)} is no usable {kind}"))
            return None
        self.problems.append(Problem(_mark(node), f"the tag {_shorten(node.tag)} is not allowed"))
        return None


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or value != value:
        raise ValueError(text)
    return value


def _refuse_depth(text: str) -> None:
    """Before anything recursive sees the document."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise Unreadable(Problem(_mark(event), f"nested deeper than {MAX_DEPTH} levels"))


def _mark(node: yaml.Node | yaml.Event) -> Mark:
    start = node.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)


def _unprintable(text: str, error: yaml.reader.ReaderError) -> Problem:
    before = text[: error.position]
    mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
    return Problem(mark, f"the character U+{code:04X} is not allowed in YAML")


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    found = error.problem_mark or error.context_mark
    mark = Mark(found.line + 1, found.column + 1) if found else Mark(1, 1)
    return Problem(mark, ", ".join(part for part in (error.context, error.problem) if part))


def _describe(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
