"""A merge as values: rows of a source database that a live one lacks, table by table, and what is in their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from govern.core.hazard import Hazard, hazard_of
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """How the rows of a source's table stand to the live one's."""

    in_source: int
    missing: int
    """No live row has their key."""
    same: int
    differing: int
    """Live rows with the same key and other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Rows to be added whose parents are neither in the live database nor among the rows to be added."""

    constraint: str
    columns: tuple[str, ...]
    parent: Place
    rows: int
    examples: tuple[str, ...]
    """Some of the values that lead nowhere, as text."""

    def described(self, table: str) -> str:
        values = ", ".join(self.examples)
        return (
            f"{count_of(self.rows, 'row')} of {table} refer to rows of {name_place(self.parent)} that are nowhere: "
            f"{', '.join(self.columns)} = {values}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMerge:
    """What would happen to one table."""

    place: Place
    columns: tuple[str, ...]
    """Those that both have, and that are taken over."""
    key: tuple[str, ...]
    """What tells which row is which; empty where whole rows are compared, and counted."""
    staged: Staged
    is_pulled_in: bool = False
    """Nobody named it: of it come only the rows that others refer to."""
    colliding: Mapping[str, int] = field(default_factory=dict)
    """Missing rows that are left out, by the unique columns whose values another live row has."""
    orphans: tuple[Orphans, ...] = ()
    only_in_source: tuple[str, ...] = ()
    """Columns whose values have no place in the live table."""
    unfilled: tuple[str, ...] = ()
    """Live columns that the source lacks, take no NULL and have no default."""
    triggers: tuple[str, ...] = ()
    is_made: bool = False
    """The live database has no such table yet."""
    is_replaced: bool = False
    """Its rows become the source's: those of other content are overwritten, and surplus ones removed."""
    surplus: int = 0
    """Live rows that the source has not, where they would be removed."""
    inserted: int | None = None
    """None as long as nothing was done."""

    @property
    def name(self) -> str:
        return name_place(self.place)

    @property
    def to_add(self) -> int:
        return self.staged.missing - sum(self.colliding.values())

    @property
    def overwrites(self) -> Hazard | None:
        """What of the live table would go; None where nothing does."""
        is_harmless = not self.is_replaced or not (self.surplus or self.staged.differing)
        return None if is_harmless else hazard_of("overwrites-rows", *self.place)

    @property
    def lost_columns(self) -> tuple[Hazard, ...]:
        """Columns whose values would be left out without a word."""
        if not self.to_add:
            return ()
        return tuple(hazard_of("drops-column", *self.place, column) for column in self.only_in_source)

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.name,
            "in_source": self.staged.in_source,
            "added": self.to_add if self.inserted is None else self.inserted,
            "same": self.staged.same,
            "other_content": self.staged.differing,
            "removed": self.surplus,
            "left_out": sum(self.colliding.values()),
            "orphans": sum(orphans.rows for orphans in self.orphans),
            "by": ", ".join(self.key) or "whole rows",
            "remark": "; ".join(self.remarks()),
        }

    def remarks(self) -> list[str]:
        said = ["is made"] if self.is_made else []
        said += [f"{count_of(rows, 'row')} left out: another row has their {unique}"
                for unique, rows in self.colliding.items()]  # fmt: skip
        if self.is_pulled_in:
            said.append("only rows that others refer to")
        if not self.key:
            said.append("no key: whole rows are compared, and counted")
        if self.staged.differing:
            said.append("other content is overwritten" if self.is_replaced else "other content is kept")
        if self.to_add:
            said += [f"no column for {column}" for column in self.only_in_source]
            said += [f"{column} would have no value" for column in self.unfilled]
        said += [orphans.described(self.name) for orphans in self.orphans]
        if (self.to_add or self.overwrites) and self.triggers:
            said.append(f"fires {', '.join(self.triggers)}")
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """All tables of a merge, parents first."""

    tables: tuple[TableMerge, ...]
    postponed: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    """Columns that refer to others within a circle of tables: NULL at first, filled in at the end."""

    @property
    def to_add(self) -> int:
        return sum(table.to_add for table in self.tables)

    @property
    def is_empty(self) -> bool:
        """Nothing is missing, to be made or to be overwritten."""
        return self.to_add == 0 and not any(table.is_made or table.overwrites for table in self.tables)

    def described(self) -> str:
        """``17 rows of 2 tables are missing; 3 rows have other content, which stays``."""
        filled = [table for table in self.tables if table.to_add]
        said = [f"{count_of(self.to_add, 'row')} of {count_of(len(filled), 'table')} missing"
                if filled else "nothing is missing"]  # fmt: skip
        made = ", ".join(table.name for table in self.tables if table.is_made)
        said += [f"to be made: {made}"] if made else []
        kept = sum(table.staged.differing for table in self.tables if not table.is_replaced)
        said += [f"{count_of(kept, 'row')} with other content, kept as they are"] if kept else []
        going = sum(table.staged.differing + table.surplus for table in self.tables if table.is_replaced)
        said += [f"{count_of(going, 'row')} that the backup has not, to go"] if going else []
        return "; ".join(said)

    def to_json(self) -> list[dict[str, Any]]:
        """The tables that have anything to tell."""
        return [
            table.to_json()
            for table in self.tables
            if table.staged.in_source or table.surplus or table.is_made
        ]
