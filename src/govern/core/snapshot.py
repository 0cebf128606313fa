"""A whole schema as values: objects by kind, namespace and name, each with its defining facts."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

Fact = str | int | bool | None | tuple[str, ...]
ColumnOrder = Mapping[tuple[str, str], tuple[str, ...]]
"""(namespace, table) → its columns' names in the order they stand."""
Facts = Mapping[str, Fact]


class ObjectKey(NamedTuple):
    """What names an object for ever: never an OID.

    ``name`` of something inside a table starts with the table's: ``users.email`` (see ``join_name``); that of
    a comment, grant, owner or storage starts with the kind it belongs to: ``column users.email``.
    """

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}.{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Every schema-defining fact of one database at one moment; nothing physical, no statistics."""

    dialect: str
    server_version: str
    objects: Mapping[ObjectKey, Facts]
    unmodelled: tuple[str, ...] = ()
    """Kinds of objects the database holds that this snapshot does not cover."""

    def of_kind(self, kind: str) -> Iterator[ObjectKey]:
        return (key for key in self.objects if key.kind == kind)

    @property
    def server_major(self) -> int:
        return int(self.server_version.partition(".")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Whether snapshots of an engine have one kind of object."""

    kind: str
    is_covered: bool
    sources: tuple[str, ...]
    """The catalog tables that define it."""
    why: str = ""
    """Why it is not covered."""


def default_namespace(dialect: str) -> str:
    """Where a table is whose name stands alone in the manifest; empty where there are no namespaces."""
    return "public" if dialect == "postgresql" else ""


def place_in(snapshot: Snapshot, schema: str | None) -> Snapshot:
    """The snapshot of one schema, which calls it the default one, under its own name; any other as it is."""
    if schema is None:
        return snapshot
    objects = {ObjectKey(key.kind, schema, key.name): facts for key, facts in snapshot.objects.items()}
    return replace(snapshot, objects={**objects, ObjectKey("schema", "", schema): {}})


RELATIONS = ("table", "view", "materialized-view", "foreign-table")
INSIDE_A_RELATION = frozenset({"column", "constraint", "index", "trigger", "rule", "policy", "statistics"})
"""Kinds whose names start with a relation's."""
ABOUT_AN_OBJECT = frozenset({"comment", "grant", "owner", "storage"})
"""Kinds whose names start with the kind they speak of."""

_ODD_PART = re.compile(r'[\s."(]|^$')
_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s."(]+)')
_PLAIN_NAME = re.compile(r'[^\s."(]+(?:\.[^\s."(]+)*')


def join_name(*parts: str) -> str:
    """One name of several: ``users.email``. A part with a dot, quote, bracket or space is quoted."""
    return ".".join([part if part.isidentifier() else _write_part(part) for part in parts])


def split_name(name: str) -> tuple[str, ...]:
    """The parts that ``join_name`` joined; what follows a space or a bracket after them is left out."""
    if _PLAIN_NAME.fullmatch(name):  # as nearly all are, and there may be many thousands
        return tuple(name.split("."))
    parts = []
    position = 0
    while found := _PART.match(name, position):
        quoted, plain = found.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        position = found.end()
        if not name.startswith(".", position):
            break
        position += 1
    return tuple(parts)


def is_called(key: ObjectKey, name: str) -> bool:
    """``notes_idx``, ``notes.notes_idx`` and ``public.notes.notes_idx`` are one index."""
    parts, wanted = (*filter(None, (key.namespace,)), *parts_of(key)), split_name(name)
    return bool(wanted) and parts[-len(wanted) :] == wanted


def parts_of(key: ObjectKey) -> tuple[str, ...]:
    """What a key's name is made of, without the kind it may speak of; a relation's own is one, whatever is in it."""
    if key.kind in RELATIONS:
        return (key.name,)
    return split_name(key.name.partition(" ")[2] if key.kind in ABOUT_AN_OBJECT else key.name)


@functools.lru_cache(maxsize=20_000)
def _write_part(part: str) -> str:
    """A table's name is written for each of its columns."""
    return '"' + part.replace('"', '""') + '"' if _ODD_PART.search(part) else part
