"""A place in a JSON document: a singular query of JSONPath (RFC 9535), whose ``$.`` may be left out."""

from __future__ import annotations

import re
from typing import Any

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PART = rf'(?:\.({_NAME})|\[([0-9]{{1,9}})\]|\["([^"\\]+)"\])'
JSON_PATH = rf'^(?:\$|{_NAME}|\$?\["[^"\\]+"\])(?:\.{_NAME}|\[[0-9]{{1,9}}\]|\["[^"\\]+"\])*$'
"""``access_token``, ``$.items[0].id``, ``["a.b"]``, and ``$`` for the whole document."""


class NothingThere(LookupError):
    """The document has no such place."""


def find_value(document: Any, path: str) -> Any:
    """The value at ``path``, which fits ``JSON_PATH``. Raises NothingThere."""
    found = document
    for part in _split(path):
        is_there = (
            part in found
            if isinstance(part, str) and isinstance(found, dict)
            else isinstance(part, int) and isinstance(found, list) and part < len(found)
        )
        if not is_there:
            raise NothingThere(path)
        found = found[part]
    return found


def _split(path: str) -> list[str | int]:
    written = path.removeprefix("$")
    if written and written[0] not in ".[":
        written = f".{written}"
    return [int(index) if index else name or quoted for name, index, quoted in re.findall(_PART, written)]
