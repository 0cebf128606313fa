"""Which rows of a live database a backup has not: table by table, over the columns that both have."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from govern.core.hazard import Hazard
from govern.core.restoration import Place, TableDifference, TableDigest, count_differing
from govern.core.snapshot import ColumnOrder
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.errors import Refused


@dataclass(slots=True)
class RestoredRows:
    """A restored backup that nobody writes to: what was digested of it once is not digested again."""

    database: LiveDatabase
    _digests: dict[tuple[Place, tuple[str, ...]], TableDigest] = field(default_factory=dict)

    def read_tables(self) -> ColumnOrder:
        with self.database.connect() as connection:
            return self.database.dialect.read_tables(connection, self.database.table)

    def digest(self, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
        missing = {place: names for place, names in columns.items() if (place, names) not in self._digests}
        if missing:
            with self.database.connect() as connection:
                for place, digest in self.database.dialect.digest_tables(connection, missing).items():
                    self._digests[place, missing[place]] = digest
        return {place: self._digests[place, names] for place, names in columns.items()}


def find_row_differences(
    database: LiveDatabase, connection: Connection, backup: RestoredRows
) -> tuple[TableDifference, ...]:
    """The tables whose rows differ, by name; those of the live database are read on ``connection``."""
    dialect = database.dialect
    live, restored = dialect.read_tables(connection, database.table), backup.read_tables()
    compared = {
        place: tuple(sorted(set(live.get(place, names)) & set(restored.get(place, names))))
        for place, names in {**live, **restored}.items()
    }
    ours = dialect.digest_tables(connection, {place: compared[place] for place in live})
    theirs = backup.digest({place: compared[place] for place in restored})
    return tuple(
        TableDifference(place=place, columns=compared[place], live=ours.get(place), backup=theirs.get(place))
        for place in sorted(compared)
        if ours.get(place) != theirs.get(place)
    )


def count_rows_of(
    database: LiveDatabase, differences: tuple[TableDifference, ...], backup: RestoredRows
) -> tuple[TableDifference, ...]:
    """The differences with the numbers of rows that are in one of both alone; the live database is in use meanwhile."""
    with database.connect() as ours, backup.database.connect() as theirs:
        return tuple(_count(database, difference, ours, theirs) for difference in differences)


def find_forbidden(
    differences: tuple[TableDifference, ...],
    *,
    allow: tuple[str, ...],
    accepted: Mapping[Place, TableDigest],
) -> tuple[TableDifference, ...]:
    """Tables that would lose rows, unless they are allowed by name or their rows are the accepted ones."""
    return tuple(
        difference
        for difference in differences
        if (hazard := difference.hazard) is not None
        and str(hazard) not in allow
        and accepted.get(difference.place) != difference.live
    )


def guard_rows(
    differences: tuple[TableDifference, ...],
    backup: str,
    *,
    allow: tuple[str, ...],
    accepted: Mapping[Place, TableDigest],
) -> None:
    """Says no to what ``find_forbidden`` finds. ``backup`` is its id."""
    if forbidden := find_forbidden(differences, allow=allow, accepted=accepted):
        raise RowsWouldBeLost(forbidden, backup)


class RowsWouldBeLost(Refused):
    """The live database has rows that the backup has not. ``differences`` are the tables that nobody allowed."""

    def __init__(self, differences: tuple[TableDifference, ...], backup: str) -> None:
        hazards = tuple(hazard for one in differences if (hazard := one.hazard) is not None)
        super().__init__(
            "the live database has rows that the backup has not",
            why="; ".join(difference.described() for difference in differences),
            next=f"if they may go out of use, allow each table by name: govern restore {backup} {allowing(hazards)}",
        )
        self.differences = differences
        self._backup = backup

    def counted(self, database: LiveDatabase, rows: RestoredRows) -> RowsWouldBeLost:
        """The same with numbers of rows, which take longer than the comparison."""
        return RowsWouldBeLost(count_rows_of(database, self.differences, rows), self._backup)


def allowing(hazards: tuple[Hazard, ...]) -> str:
    """``--allow overwrites-rows:orders --allow …``."""
    return " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in hazards)


def _count(
    database: LiveDatabase, difference: TableDifference, ours: Connection, theirs: Connection
) -> TableDifference:
    live, backup = difference.live, difference.backup
    if live is None or backup is None or not live.rows or not backup.rows:
        return difference.with_counts(live.rows if live else 0, backup.rows if backup else 0)
    read = database.dialect.read_row_hashes
    return difference.with_counts(
        *count_differing(
            read(ours, difference.place, difference.columns),
            read(theirs, difference.place, difference.columns),
        )
    )
