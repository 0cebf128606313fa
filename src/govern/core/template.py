"""Texts with ``{{name}}`` in them: which names there are, and what becomes of the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

NAME = r"[a-z_][a-z0-9_]*"
_REFERENCE = re.compile(rf"\{{\{{\s*({NAME})\s*\}}\}}")


class Undefined(LookupError):
    """Nothing has this name yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def find_names(text: str) -> Iterator[str]:
    """The names that the text refers to."""
    yield from _REFERENCE.findall(text)


def is_malformed(text: str) -> bool:
    """Whether there are double braces with something else than a name between them, or one pair of them alone."""
    rest = _REFERENCE.sub("", text)
    return "{{" in rest or "}}" in rest


def fill(text: str, values: Mapping[str, str], *, quoted: Callable[[str], str] = str) -> str:
    """The text with the values in the places of their names, each through ``quoted``. Raises Undefined."""

    def look_up(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise Undefined(found[1])
        return quoted(values[found[1]])

    return _REFERENCE.sub(look_up, text)


def fill_all(value: Any, values: Mapping[str, str]) -> Any:
    """The same for every text in a JSON value; tuples become lists. Raises Undefined."""
    match value:
        case str():
            return fill(value, values)
        case dict():
            return {key: fill_all(item, values) for key, item in value.items()}
        case list() | tuple():
            return [fill_all(item, values) for item in value]
    return value
