"""What the writer and the reader of a lock agree on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from govern.core.snapshot import join_name, split_name

FORMAT = 1
INDENT, DEEPER = "  ", "    "
NO_TABLES: Mapping[str, int] = MappingProxyType({})
"""The critical tables of a project whose manifest names none, or that has none."""


def parse_name(text: str, *, has_namespaces: bool) -> tuple[str, str]:
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
