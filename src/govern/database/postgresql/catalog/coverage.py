"""The catalog ledger (``ledger.txt``): what every column of ``pg_catalog`` is, and so which kinds are covered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from govern.core.snapshot import Coverage
from govern.database.postgresql.catalog import queries

Role = Literal["definition", "derived", "runtime", "cluster-wide"]

_FILE = Path(__file__).parent / "ledger.txt"
_LINE = re.compile(
    r"(?P<table>\w+)\.(?P<column>\w+)\s+(?P<first>\d+)-(?P<last>\d*)\s+"
    r"(?P<role>definition|derived|runtime|cluster-wide)\s+(?P<what>[^(]+?)(?: \((?P<through>[^)]+)\))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogColumn:
    """One line of the ledger."""

    table: str
    name: str
    first_major: int
    last_major: int | None
    """None if the newest major that is known still has it."""
    role: Role
    kinds: tuple[str, ...] = ()
    """The kinds of objects that a definition makes up."""
    through: tuple[str, ...] = ()
    """The server's functions or views that it is read through; empty where it is read itself."""
    why: str = ""
    """Why it is no definition, in a few words."""

    def is_in(self, major: int) -> bool:
        """Whether a server of that major version has the column."""
        return self.first_major <= major and (self.last_major is None or major <= self.last_major)


def read_ledger() -> tuple[CatalogColumn, ...]:
    """All columns of all tables of ``pg_catalog`` in PostgreSQL 13 to 18, in the order of the file."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("#"))


def read_coverage() -> tuple[Coverage, ...]:
    """Every kind of object there is in PostgreSQL: those that a snapshot covers first, each sorted."""
    covered = frozenset(queries.kinds())
    pairs = sorted({(kind, column.table) for column in read_ledger() for kind in column.kinds})
    kinds = [
        Coverage(
            kind=kind,
            is_covered=kind in covered,
            sources=tuple(table for _, table in group),
            why="" if kind in covered else "not read yet: named in every report where the database has one",
        )
        for kind, group in groupby(pairs, key=lambda pair: pair[0])
    ]
    return tuple(sorted((*kinds, *_cluster_wide()), key=lambda kind: not kind.is_covered))


def _cluster_wide() -> Iterator[Coverage]:
    pairs = sorted({(column.why, column.table) for column in read_ledger() if column.role == "cluster-wide"})
    for what, group in groupby(pairs, key=lambda pair: pair[0]):
        tables = tuple(table for _, table in group)
        yield Coverage(kind=what, is_covered=False, sources=tables, why="the server's, not the database's")


def _parse(line: str) -> CatalogColumn:
    found = _LINE.fullmatch(line)
    if found is None:
        message = f"{_FILE.name} has a line that is none: {line}"
        raise ValueError(message)
    role: Role = found["role"]  # type: ignore[assignment]  # the pattern has no other
    is_definition = role == "definition"
    return CatalogColumn(
        table=found["table"],
        name=found["column"],
        first_major=int(found["first"]),
        last_major=int(found["last"]) if found["last"] else None,
        role=role,
        kinds=tuple(found["what"].split(", ")) if is_definition else (),
        through=tuple(found["through"].split(", ")) if found["through"] else (),
        why="" if is_definition else found["what"],
    )
