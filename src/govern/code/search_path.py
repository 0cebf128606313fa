"""Schemas that code has names without a schema looked for in, however it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SAID = re.compile(
    r"search_path[\"']?\s*(?:=|:|,|\bTO\b|=>)\s*(?P<schemas>[\"']?[\w$]+[\"']?(?:\s*,\s*[\"']?[\w$]+[\"']?)*)",
    re.IGNORECASE,
)


def find_search_path(content: str) -> Iterator[str]:
    """Of ``SET search_path TO app, public`` and ``server_settings={"search_path": "app"}`` the schemas."""
    if "search_path" not in content.lower():
        return
    for found in _SAID.finditer(content):
        for part in found["schemas"].split(","):
            name = part.strip().strip("\"'")
            if name and not name.isdecimal():
                yield name
