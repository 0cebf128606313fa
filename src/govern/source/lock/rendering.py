"""Writes a snapshot as the text of a lock."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping

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
from govern.source.lock.syntax import DEEPER, FORMAT, INDENT, NO_TABLES, parse_name

_TITLE = "# A schema, one fact a line. As schema.lock: written by `govern lock`, reviewed with every change."
_FIRST_KINDS = ("schema", "extension", "collation", "enum", "domain", "type", "sequence", "table", "view")


def render_lock(
    snapshot: Snapshot, heads: tuple[str, ...], critical_tables: Mapping[str, int] = NO_TABLES
) -> str:
    """The text of a lock: ends with a newline; the same snapshot, heads and tables give the same text.

    ``critical_tables``: full names, each with the rows it must have; see ``Lock``.
    """
    return "\n".join(_lines(snapshot, heads, critical_tables)) + "\n"


def _lines(snapshot: Snapshot, heads: tuple[str, ...], critical_tables: Mapping[str, int]) -> Iterator[str]:
    has_namespaces = any(key.namespace for key in snapshot.objects)
    header: Mapping[str, object] = {
        "format": FORMAT,
        "dialect": snapshot.dialect,
        "server": snapshot.server_major,
        "heads": sorted(heads),
        "namespaces": has_namespaces,
        "unmodelled": list(snapshot.unmodelled),
    }
    if critical_tables:
        header = {**header, "critical_tables": dict(sorted(critical_tables.items()))}
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
    if reads_back and parse_name(plain, has_namespaces=has_namespaces) == (key.namespace, key.name):
        return f"{key.kind} {plain}"
    return f"{key.kind} {_json([key.namespace, key.name])}"


def _render_facts(facts: Facts) -> Iterator[str]:
    for name, fact in sorted(facts.items()):
        yield from _render_fact(name, fact)


def _render_fact(name: str, fact: Fact) -> Iterator[str]:
    if isinstance(fact, tuple) and fact:
        yield f"{INDENT}{name}:"
        yield from (f"{DEEPER}- {_json(item)}" for item in fact)
    elif isinstance(fact, str) and "\n" in fact:
        yield f"{INDENT}{name}:"
        yield from (f"{DEEPER}{_render_line(line)}" for line in fact.split("\n"))
    else:
        yield f"{INDENT}{name}: {_json(fact)}"


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
