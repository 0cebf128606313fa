"""``schema.lock``: a snapshot as text that people review, one object or fact a line. Renders and reads it.

    column public.users.email
      type: "character varying(320)"
      nullable: false

A value is JSON; a list or a text of several lines stands below its name, ``-`` before each item and ``|``
before each line. A line that an editor would spoil (trailing space, control characters) is JSON instead.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    Fact,
    Facts,
    ObjectKey,
    Snapshot,
    join_name,
    split_name,
)
from govern.errors import ConfigurationError

FORMAT = 1

_TITLE = "# A schema, one fact a line. As schema.lock: written by `govern lock`, reviewed with every change."
_FIRST_KINDS = ("schema", "extension", "collation", "enum", "domain", "type", "sequence", "table", "view")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_INDENT, _DEEPER = "  ", "    "


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What a lock file says."""

    heads: tuple[str, ...]
    """The chain's heads when it was written."""
    digest: str
    """sha256 of the text, 64 hexadecimal digits; the same whatever the line ends."""
    dialect: str
    server_major: int
    """Of the server it was written for; a lock is not rewritten for a minor version."""
    read_snapshot: Callable[[], Snapshot] = field(repr=False, compare=False)

    @functools.cached_property
    def snapshot(self) -> Snapshot:
        """``server_version`` is the major version alone. Raises ConfigurationError if it was not read at once."""
        return self.read_snapshot()

    def speaks_of(self, live: Snapshot) -> bool:
        """Whether it was written for the same engine and major version, so that texts can be compared."""
        return (self.dialect, self.server_major) == (live.dialect, live.server_major)


def read_lock(path: Path, *, at_once: bool = True) -> Lock | None:
    """The lock in a file; None where there is no file. Raises ConfigurationError with the line.

    ``at_once``: whether all of it is read now. Else its objects are read when they are asked for, as nobody may do
    who finds the digest to be the expected one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read", why=str(error), next=_WRITE_ANEW) from error
    return parse_lock(text, path, at_once=at_once)


def render_lock(snapshot: Snapshot, heads: tuple[str, ...]) -> str:
    """The text of a lock: ends with a newline; the same snapshot and heads give the same text."""
    return "\n".join(_lines(snapshot, heads)) + "\n"


def parse_lock(text: str, path: Path, *, at_once: bool = True) -> Lock:
    """Reads what ``render_lock`` wrote. Raises ConfigurationError with the line if it is something else."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    header = _Reader(text, path).read_header()
    lock = Lock(
        heads=tuple(header["heads"]),
        digest=_digest(text),
        dialect=header["dialect"],
        server_major=header["server"],
        read_snapshot=functools.partial(_read_snapshot, text, path),
    )
    if at_once:
        _ = lock.snapshot
    return lock


def _read_snapshot(text: str, path: Path) -> Snapshot:
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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _lines(snapshot: Snapshot, heads: tuple[str, ...]) -> Iterator[str]:
    has_namespaces = any(key.namespace for key in snapshot.objects)
    header: Mapping[str, object] = {
        "format": FORMAT,
        "dialect": snapshot.dialect,
        "server": snapshot.server_major,
        "heads": sorted(heads),
        "namespaces": has_namespaces,
        "unmodelled": list(snapshot.unmodelled),
    }
    yield _TITLE
    for name, value in header.items():
        yield f"{name}: {_json(value)}"
    group = None
    rendered: dict[int, tuple[str, ...]] = {}  # equal facts are often the same ones
    for order, key in sorted((_reading_order(key), key) for key in snapshot.objects):
        if group != (group := order[:4]):
            yield ""
        yield _render_key(key, has_namespaces=has_namespaces)
        facts = snapshot.objects[key]
        if id(facts) not in rendered:
            rendered[id(facts)] = tuple(_render_facts(facts))
        yield from rendered[id(facts)]


def _reading_order(key: ObjectKey) -> tuple[str, int, str, str, bool, str, str]:
    """A table with all that is its, one after the other."""
    kind, name = key.kind, key.name
    if kind in ABOUT_AN_OBJECT:
        kind, _, name = name.partition(" ")
    if kind in INSIDE_A_RELATION:
        kind = "table"
    elif key.kind not in ABOUT_AN_OBJECT:
        return (key.namespace, _rank(kind), kind, name, False, kind, name)
    owner = (split_name(name) or (name,))[0]
    return (key.namespace, _rank(kind), kind, owner, True, key.kind, key.name)


def _rank(kind: str) -> int:
    return _FIRST_KINDS.index(kind) if kind in _FIRST_KINDS else len(_FIRST_KINDS)


def _render_key(key: ObjectKey, *, has_namespaces: bool) -> str:
    plain = f"{join_name(key.namespace)}.{key.name}" if key.namespace else key.name
    reads_back = plain and not plain.startswith("[") and _is_plain(plain)
    if reads_back and _parse_name(plain, has_namespaces=has_namespaces) == (key.namespace, key.name):
        return f"{key.kind} {plain}"
    return f"{key.kind} {_json([key.namespace, key.name])}"


def _parse_name(text: str, *, has_namespaces: bool) -> tuple[str, str]:
    """(namespace, name) of an object line. The name of a function or comment may have dots of its own."""
    if text.startswith("["):
        namespace, name = json.loads(text)
        return str(namespace), str(name)
    if not has_namespaces:
        return "", text
    first, dot, rest = text.partition(".")
    if dot and first.isidentifier():  # as nearly all are
        return first, rest
    parts = split_name(text)
    if not parts:
        return "", text
    head = join_name(parts[0])
    return (parts[0], text[len(head) + 1 :]) if text.startswith(f"{head}.") else ("", text)


def _render_facts(facts: Facts) -> Iterator[str]:
    for name, fact in sorted(facts.items()):
        yield from _render_fact(name, fact)


def _render_fact(name: str, fact: Fact) -> Iterator[str]:
    if isinstance(fact, tuple) and fact:
        yield f"{_INDENT}{name}:"
        yield from (f"{_DEEPER}- {_json(item)}" for item in fact)
    elif isinstance(fact, str) and "\n" in fact:
        yield f"{_INDENT}{name}:"
        yield from (f"{_DEEPER}{_render_line(line)}" for line in fact.split("\n"))
    else:
        yield f"{_INDENT}{name}: {_json(fact)}"


def _render_line(line: str) -> str:
    if not line:
        return "|"
    return f"| {line}" if _is_plain(line.replace("\t", " ")) else _json(line)


def _is_plain(text: str) -> bool:
    """Whether an editor, a pager and a reviewer all see what is there."""
    return text.isprintable() and text == text.rstrip()


def _json(value: object) -> str:
    return _dump_text(value) if isinstance(value, str) else _dump(value)


@functools.lru_cache(maxsize=20_000)
def _dump_text(text: str) -> str:
    return _dump(text)


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


_WRITE_ANEW = "write it anew: govern lock; or take it back from version control"
_HEADER: Mapping[str, type] = {
    "format": int,
    "dialect": str,
    "server": int,
    "heads": list,
    "namespaces": bool,
    "unmodelled": list,
}


_OBJECT = re.compile(r"\n*([a-z][a-z-]*) ([^\s][^\n]*)\n((?:  [^\n]*\n)*)")
_PLAIN_FACT = re.compile(r'  ([a-z][a-z0-9_]*): (?:"([^"\\\x00-\x1f]*)"|(true|false|null))\n')
_CONSTANTS: Mapping[str, Fact] = {"true": True, "false": False, "null": None}


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
            objects[ObjectKey(sys.intern(kind), *_parse_name(name, has_namespaces=has_namespaces))] = facts
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
            if name == "format" and header[name] != FORMAT:
                self._refuse(f"format {header[name]} was written by another release of govern")
        if missing := _HEADER.keys() - header.keys():
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
            return ObjectKey(kind, *_parse_name(name, has_namespaces=has_namespaces))
        except (ValueError, TypeError):
            self._refuse("the object's name cannot be read")

    def _facts(self) -> Iterator[tuple[str, Fact]]:
        names: set[str] = set()
        while (line := self._peek()) and line.startswith(_INDENT):
            self.number += 1
            name, colon, value = line.removeprefix(_INDENT).partition(":")
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
        is_list = (self._peek() or "").startswith(f"{_DEEPER}- ")
        lines: list[str] = []
        while (line := self._peek()) and line.startswith(_DEEPER):
            self.number += 1
            text = line.removeprefix(_DEEPER)
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
            f"{self.path}:{max(self.number, 1)}: the schema lock cannot be read", why=why, next=_WRITE_ANEW
        )
