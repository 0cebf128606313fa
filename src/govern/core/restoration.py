"""What a restore would overwrite: how the tables of a live database and of a backup differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from govern.core.hazard import Hazard, hazard_of
from govern.core.snapshot import join_name
from govern.core.wording import count_of

Place = tuple[str, str]
"""A table's namespace and name."""


def name_place(place: Place) -> str:
    """``users``, ``audit.events``."""
    namespace, table = place
    return join_name(table) if namespace in ("", "public") else join_name(namespace, table)


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and a checksum of them in any order."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """A table whose rows are not the same in the live database and in the backup."""

    place: Place
    columns: tuple[str, ...]
    """Those that were compared: that both have, or all of a table that is in one of them alone."""
    live: TableDigest | None
    """None where the live database has no such table."""
    backup: TableDigest | None
    only_live: int | None = None
    """Rows that the backup has not, a changed row being one; None as long as they were not counted."""
    only_backup: int | None = None

    @property
    def name(self) -> str:
        return name_place(self.place)

    @property
    def hazard(self) -> Hazard | None:
        """None where the live table is empty or missing: there is nothing to overwrite."""
        if self.live is None or self.live.rows == 0:
            return None
        return hazard_of("overwrites-rows", *self.place)

    def with_counts(self, only_live: int, only_backup: int) -> TableDifference:
        return replace(self, only_live=only_live, only_backup=only_backup)

    def described(self) -> str:
        """``orders has 12 rows that the backup has not, and lacks 3``."""
        if self.live is None:
            return f"{self.name} is in the backup alone"
        if self.backup is None:
            return f"{self.name} is not in the backup, and has {count_of(self.live.rows, 'row')}"
        if self.only_live is None:
            return f"{self.name} has {count_of(self.live.rows, 'row')}, and other ones than the backup"
        lacks = f", and lacks {self.only_backup:,}" if self.only_backup else ""
        return f"{self.name} has {count_of(self.only_live, 'row')} that the backup has not{lacks}"

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.name,
            "live_rows": self.live.rows if self.live else None,
            "backup_rows": self.backup.rows if self.backup else None,
            "only_live": self.only_live,
            "only_backup": self.only_backup,
        }


def count_differing(ours: Iterable[int], theirs: Iterable[int]) -> tuple[int, int]:
    """How many of two ascending series are in one of them alone, repetitions counted; in constant memory."""
    left, right = _Ahead(iter(ours)), _Ahead(iter(theirs))
    only_ours = only_theirs = 0
    while left.value is not None or right.value is not None:
        if right.value is None or (left.value is not None and left.value < right.value):
            only_ours += 1
            left.step()
        elif left.value is None or right.value < left.value:
            only_theirs += 1
            right.step()
        else:
            left.step()
            right.step()
    return only_ours, only_theirs


class _Ahead:
    """An iterator whose next value is known."""

    def __init__(self, values: Iterator[int]) -> None:
        self._values = values
        self.value = next(values, None)

    def step(self) -> None:
        self.value = next(self._values, None)
