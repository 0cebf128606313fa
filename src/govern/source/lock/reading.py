"""Reads the text of a lock: at once where there is nothing unusual in it, else line by line."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from govern.core.snapshot import Fact, Facts, ObjectKey, Snapshot
from govern.errors import ConfigurationError
from govern.source.lock.syntax import DEEPER, FORMAT, INDENT, parse_name

WRITE_ANEW = "write it anew: govern lock; or take it back from version control"
_HEADER: Mapping[str, type] = {
    "format": int,
    "dialect": str,
    "server": int,
    "heads": list,
    "namespaces": bool,
    "unmodelled": list,
    "critical_tables": dict,
}
_MAY_LACK = frozenset({"critical_tables"})

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OBJECT = re.compile(r"\n*([a-z][a-z-]*) ([^\s][^\n]*)\n((?:  [^\n]*\n)*)")
_PLAIN_FACT = re.compile(r'  ([a-z][a-z0-9_]*): (?:"([^"\\\x00-\x1f]*)"|(true|false|null))\n')
_CONSTANTS: Mapping[str, Fact] = {"true": True, "false": False, "null": None}


def read_header(text: str, path: Path) -> dict[str, Any]:
    """What stands above the objects, by name. Raises ConfigurationError with the line."""
    return _Reader(text, path).read_header()


def read_snapshot(text: str, path: Path) -> Snapshot:
    """``server_version`` is the major version alone. Raises ConfigurationError with the line."""
    reader = _Reader(text, path)
    header = reader.read_header()
    objects = _read_plain(reader.rest(), has_namespaces=header["namespaces"])
    if objects is None:  # something is unusual, or wrong: then it is named with its line
        objects = dict(reader.read_objects(has_namespaces=header["namespaces"]))
    return Snapshot(
        dialect=header["dialect"],
        server_version=str(header["server"]),
        objects=objects,
        unmodelled=tuple(header["unmodelled"]),
    )


def _read_plain(text: str, *, has_namespaces: bool) -> dict[ObjectKey, Facts] | None:
    """The objects of a text with nothing unusual in it, in a fraction of a reader's time; else None.

    What is below an object is read once for all that have the same below theirs.
    """
    objects: dict[ObjectKey, Facts] = {}
    known: dict[str, Facts] = {}
    position = count = 0
    try:
        while found := _OBJECT.match(text, position):
            position = found.end()
            kind, name, below = found.groups()
            facts = known.get(below)
            if facts is None:
                facts = known[below] = _read_facts(below)
            objects[ObjectKey(sys.intern(kind), *parse_name(name, has_namespaces=has_namespaces))] = facts
            count += 1
    except (ValueError, TypeError, ConfigurationError):
        return None
    return objects if position == len(text) and count == len(objects) else None


def _read_facts(lines: str) -> Facts:
    """Raises ConfigurationError with a line of its own count."""
    facts: dict[str, Fact] = {}
    position = count = 0
    while found := _PLAIN_FACT.match(lines, position):
        position = found.end()
        name, plain, constant = found.groups()
        facts[sys.intern(name)] = _CONSTANTS[constant] if plain is None else plain
        count += 1
    if position == len(lines) and count == len(facts):
        return facts
    return _Reader(lines, Path()).read_facts()


@functools.lru_cache(maxsize=20_000)
def _load_scalar(text: str) -> Any:
    """Most facts are a few types and defaults, repeated."""
    return json.loads(text)


class _Reader:
    """Walks over the lines once; ``number`` is the line that was read last, from 1."""

    def __init__(self, text: str, path: Path) -> None:
        self.lines = text.removesuffix("\n").split("\n")
        self.path = path
        self.number = 0

    def read_header(self) -> dict[str, Any]:
        header: dict[str, Any] = {}
        while (line := self._peek()) and line.strip():
            self.number += 1
            if line.startswith("#"):
                continue
            name, colon, value = line.partition(": ")
            expected = _HEADER.get(name)
            if not colon or expected is None:
                self._refuse(f"{name!r} is not a line of the header")
            header[name] = self._typed(value, expected)
            if name == "critical_tables" and not all(type(rows) is int for rows in header[name].values()):
                self._refuse("a critical table stands with the number of rows that it must have")
            if name == "format" and header[name] != FORMAT:
                self._refuse(f"format {header[name]} was written by another release of govern")
        if missing := _HEADER.keys() - header.keys() - _MAY_LACK:
            self._refuse(f"the header lacks {', '.join(sorted(missing))}")
        return header

    def read_objects(self, *, has_namespaces: bool) -> Iterator[tuple[ObjectKey, Facts]]:
        seen: set[ObjectKey] = set()
        while (line := self._peek()) is not None:
            self.number += 1
            if not line:
                continue
            key = self._key(line, has_namespaces=has_namespaces)
            if key in seen:
                self._refuse(f"{key} is there twice")
            seen.add(key)
            yield key, self.read_facts()

    def read_facts(self) -> Facts:
        """Those of one object, which come next."""
        return dict(self._facts())

    def rest(self) -> str:
        """What was not read yet."""
        return "".join(f"{line}\n" for line in self.lines[self.number :])

    def _key(self, line: str, *, has_namespaces: bool) -> ObjectKey:
        kind, space, name = line.partition(" ")
        if not space or not name or kind != kind.strip() or not kind.replace("-", "").isalnum():
            self._refuse("an object was expected: its kind, a space and its name")
        try:
            return ObjectKey(kind, *parse_name(name, has_namespaces=has_namespaces))
        except (ValueError, TypeError):
            self._refuse("the object's name cannot be read")

    def _facts(self) -> Iterator[tuple[str, Fact]]:
        names: set[str] = set()
        while (line := self._peek()) and line.startswith(INDENT):
            self.number += 1
            name, colon, value = line.removeprefix(INDENT).partition(":")
            if not colon or not _NAME.fullmatch(name):
                self._refuse("a fact was expected: its name, a colon and its value")
            if name in names:
                self._refuse(f"the fact {name!r} is there twice")
            names.add(name)
            yield name, self._fact(value.removeprefix(" ")) if value else self._block()

    def _fact(self, text: str) -> Fact:
        value = self._json(text)
        if value == []:
            return ()
        if value is not None and not isinstance(value, str | int):
            self._refuse("a fact is a text, a whole number, true, false or null")
        return value

    def _block(self) -> Fact:
        """A list's items or a text's lines."""
        is_list = (self._peek() or "").startswith(f"{DEEPER}- ")
        lines: list[str] = []
        while (line := self._peek()) and line.startswith(DEEPER):
            self.number += 1
            text = line.removeprefix(DEEPER)
            lines.append(self._item(text) if is_list else self._text_line(text))
        if not lines:
            self._refuse("the fact has no value")
        return tuple(lines) if is_list else "\n".join(lines)

    def _item(self, line: str) -> str:
        if not line.startswith("- "):
            self._refuse("an item of a list starts with a dash")
        return str(self._typed(line.removeprefix("- "), str))

    def _text_line(self, line: str) -> str:
        if line == "|":
            return ""
        if line.startswith("| "):
            return line.removeprefix("| ")
        return str(self._typed(line, str))

    def _typed(self, text: str, expected: type) -> Any:
        value = self._json(text)
        if type(value) is not expected:
            self._refuse(f"{text[:40]!r} is not of the type {expected.__name__}")
        return value

    def _json(self, text: str) -> Any:
        try:
            # lists are not kept: somebody could change them
            return json.loads(text) if text.startswith(("[", "{")) else _load_scalar(text)
        except ValueError:
            self._refuse(f"{text[:40]!r} is not a JSON value")

    def _peek(self) -> str | None:
        return self.lines[self.number] if self.number < len(self.lines) else None

    def _refuse(self, why: str) -> NoReturn:
        line = self.lines[self.number - 1] if self.number else ""
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
            why = "a merge conflict was left in it"
        raise ConfigurationError(
            f"{self.path}:{max(self.number, 1)}: the schema lock cannot be read", why=why, next=WRITE_ANEW
        )
