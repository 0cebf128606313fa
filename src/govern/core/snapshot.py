"""A whole schema as values: objects by kind, namespace and name, each with its defining facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Fact = str | int | bool | None | tuple[str, ...]
Facts = Mapping[str, Fact]


class ObjectKey(NamedTuple):
    """What names an object for ever: never an OID.

    ``name`` of something inside a table starts with the table's: ``users.email``.
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
