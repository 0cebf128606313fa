"""What a file says, as JSON: from process to process, and from run to run. The classes say what there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, get_args, get_origin, get_type_hints

from govern.core.code import CodeFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a file says, and what else that depends on."""

    text: str
    """See ``render``."""
    surroundings: str
    """The same of its ``surroundings``."""
    digest: str
    """Of the file's content; nothing where another run may read it otherwise."""
    homes: Mapping[str, tuple[str, str]]
    """By the modules that it imports from: their files and the digests of these; nothing where there is none."""

    @classmethod
    def of_problem(cls, name: str, problem: str) -> Said:
        """A file that cannot be read, for now."""
        return cls.of(CodeFile(path=name, problem=problem), digest="", homes={})

    @classmethod
    def of(cls, file: CodeFile, *, digest: str, homes: Mapping[str, tuple[str, str]]) -> Said:
        return cls(text=render(file), surroundings=render(file.surroundings), digest=digest, homes=homes)

    def render(self) -> str:
        """On one line."""
        return f"{json.dumps([self.digest, self.homes])}\t{self.surroundings}\t{self.text}"

    @classmethod
    def parse(cls, line: str) -> Said:
        """Raises ValueError for what ``render`` would not write."""
        about, surroundings, text = line.split("\t")
        of_content, homes = json.loads(about)
        return cls(
            text=text,
            surroundings=surroundings,
            digest=of_content,
            homes={module: (path, own) for module, (path, own) in homes.items()},
        )


def render(file: CodeFile) -> str:
    """On one line."""
    return json.dumps(_giver(CodeFile)(file), ensure_ascii=True, separators=(",", ":"))


def parse(line: str) -> CodeFile:
    """Raises ValueError or TypeError for what ``render`` of these very classes would not write."""
    file = _taker(CodeFile)(json.loads(line))
    if not isinstance(file, CodeFile):
        raise TypeError(f"not what a file says: {type(file)}")
    return file


def _as_it_is(value: Any) -> Any:
    """JSON takes it: a text, a number, tuples of them."""
    return value


@cache
def _giver(wanted: Any) -> Callable[[Any], Any]:
    """Makes what JSON has out of a value of a class, or of tuples of it."""
    if get_origin(wanted) is tuple:
        give = _giver(get_args(wanted)[0])
        return (lambda value: [give(one) for one in value]) if give is not _as_it_is else _as_it_is
    return _class_giver(wanted) if isinstance(wanted, type) and is_dataclass(wanted) else _as_it_is


def _class_giver(wanted: type) -> Callable[[Any], Any]:
    """A value as its fields, in their order."""
    names, hints = _names(wanted), get_type_hints(wanted)
    take = attrgetter(*names)
    inner = [(at, give) for at, name in enumerate(names) if (give := _giver(hints[name])) is not _as_it_is]

    def give_fields(value: Any) -> list[Any]:
        found = list(take(value))
        for at, give in inner:
            found[at] = give(found[at])
        return found

    return give_fields


@cache
def _names(of: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(of))


@cache
def _taker(wanted: Any) -> Callable[[Any], Any]:
    """Makes a value of a class, or of tuples of it, out of what JSON has."""
    if get_origin(wanted) is tuple:
        take = _taker(get_args(wanted)[0])
        return lambda found: tuple(map(take, found))
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _class_taker(wanted)
    return lambda found: found


def _class_taker(wanted: type) -> Callable[[Any], Any]:
    names, hints = _names(wanted), get_type_hints(wanted)
    takers = [_taker(hints[name]) for name in names]
    return lambda found: wanted(
        **{name: take(one) for name, take, one in zip(names, takers, found, strict=True)}
    )
