"""A restored backup of an older revision, upgraded where nobody uses it; and what became of its tables and columns.

What was renamed or moved is said only where the values prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from govern.core.report import Draft
from govern.core.restoration import Place, TableDigest, name_place
from govern.core.snapshot import ColumnOrder, join_name
from govern.core.wording import count_of, name_revisions
from govern.database.live import LiveDatabase
from govern.declared import ReplayFailed, replay
from govern.errors import Refused
from govern.revisions.counting import count_revisions
from govern.revisions.graph import Chain

Narrate = Callable[[str], None]
Column = tuple[Place, str]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade made of a restored backup."""

    revisions: tuple[str, ...] = ()
    """Those that ran, in order."""
    told: tuple[str, ...] = ()
    """``users.name became users.full_name``."""


def upgrade_to_heads(
    side: LiveDatabase, live: LiveDatabase, draft: Draft, chain: Chain, *, narrate: Narrate
) -> None:
    """The same to the newest revision of the code, for a backup that is restored as a whole. Raises Refused."""
    try:
        done = upgrade(side, live, chain, chain.effective_heads, narrate=narrate)
    except ReplayFailed as error:
        raise Refused(
            "the restored backup cannot be upgraded",
            why=error.why,
            next="correct the revision; or restore the backup at its own revision: leave out --upgrade",
        ) from error
    draft.data["upgrade"] = list(done.told)
    draft.passed("upgrade", name_revisions(done.revisions) if done.revisions else "there was nothing to run")


def find_pending(chain: Chain, backed_up: Collection[str], to: Collection[str]) -> tuple[str, ...]:
    """The revisions that lead from the backup's to ``to``, in order. Raises Refused where none do."""
    before, after = chain.ancestors(backed_up), chain.ancestors(to)
    if not before <= after:
        raise Refused(
            f"the backup is newer than {name_revisions(to)}",
            why=f"it is at {name_revisions(backed_up)}: rows are not taken back to an older schema",
            next="bring the live database there first (govern migrate), or restore all of the backup: govern restore",
        )
    return tuple(sorted(after - before, key=chain.position.__getitem__))


def upgrade(
    side: LiveDatabase, live: LiveDatabase, chain: Chain, to: Collection[str], *, narrate: Narrate
) -> Upgraded:
    """Runs the revisions that lead to ``to`` on ``side``, which holds a restored backup.

    Raises Refused for a backup that is newer, ReplayFailed where a revision fails: then ``side`` is good for nothing.
    """
    pending = find_pending(chain, side.read_stamped(), to)
    if not pending:
        return Upgraded()
    there = live.dialect.exists(live.url)
    if there:
        live.dialect.prepare_copy(live.url, side.url, side.table)
    before = _Before.of(side, _read_tables(live) if there else {})
    sentence = f"upgrading the restored backup by {count_of(len(pending), 'revision')}"
    hear = count_revisions(narrate, sentence, len(pending))
    for revision in sorted(to):
        replay(side, revision, on_event=hear)
    return Upgraded(revisions=pending, told=tuple(_tell(before, side)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """The tables before the upgrade, with digests of what will not be there by its name."""

    tables: ColumnOrder
    rows: Mapping[Place, TableDigest] = field(default_factory=dict)
    """Whole tables."""
    beside: Mapping[Column, TableDigest] = field(default_factory=dict)
    """A column beside those of its table that stay."""
    alone: Mapping[Column, TableDigest] = field(default_factory=dict)
    """A column by itself, if it has two different values."""

    @classmethod
    def of(cls, side: LiveDatabase, goal: ColumnOrder) -> _Before:
        """``goal``: what will be there, as far as it is known."""
        tables = _read_tables(side)
        gone_tables = [place for place in tables if goal and place not in goal]
        gone = [
            (place, name)
            for place, names in tables.items()
            for name in names
            if goal and name not in goal.get(place, ())
        ]
        return cls(
            tables=tables,
            rows={place: _digest(side, place, tables[place]) for place in gone_tables},
            beside={
                (place, name): _digest(side, place, (*_shared(tables, goal, place), name))
                for place, name in gone
                if place in goal
            },
            alone={
                (place, name): _digest(side, place, (name,))
                for place, name in gone
                if _has_two_values(side, place, name)
            },
        )


def _tell(before: _Before, side: LiveDatabase) -> list[str]:
    after = _read_tables(side)
    told = []
    renamed: dict[Place, Place] = {}
    for place in sorted(before.tables.keys() - after.keys()):
        new = _find_table(before, after, side, place)
        if new is not None:
            renamed[new] = place
        told.append(
            f"table {name_place(place)} became {name_place(new)}"
            if new
            else f"table {name_place(place)} is gone"
        )
    told += _tell_columns(before, after, side)
    for place in sorted(after.keys() - before.tables.keys() - renamed.keys()):
        with side.connect() as connection:
            rows = sum(side.dialect.count_rows(connection, [place]).values())
        told.append(
            f"table {name_place(place)} is new, with {count_of(rows, 'row')} that the upgrade put there"
        )
    return told


def _tell_columns(before: _Before, after: ColumnOrder, side: LiveDatabase) -> list[str]:
    told = []
    explained: set[Column] = set()
    for place, name in sorted((place, name) for place, name in before.alone.keys() | before.beside.keys()):
        if place not in after:
            continue
        target = _find_renamed(before, after, side, place, name)
        if target is not None:
            explained.add((place, target))
            told.append(f"{_column(place, name)} became {_column(place, target)}")
            continue
        moved = _find_moved(before, after, side, place, name)
        told.append(
            f"{_column(place, name)} is in {_column(*moved)}" if moved else f"{_column(place, name)} is gone"
        )
    for place in sorted(before.tables.keys() & after.keys()):
        new = [
            name
            for name in after[place]
            if name not in before.tables[place] and (place, name) not in explained
        ]
        told += [f"{_column(place, name)} is new" for name in new]
    return told


def _find_table(before: _Before, after: ColumnOrder, side: LiveDatabase, place: Place) -> Place | None:
    """The new table with exactly the rows of the old one; None where there are several, or no rows."""
    known = before.rows.get(place)
    if known is None or not known.rows:
        return None
    found = [
        new
        for new in sorted(after.keys() - before.tables.keys())
        if len(after[new]) == len(before.tables[place]) and _digest(side, new, after[new]) == known
    ]
    return found[0] if len(found) == 1 else None


def _find_renamed(
    before: _Before, after: ColumnOrder, side: LiveDatabase, place: Place, name: str
) -> str | None:
    """The new column of the same table that has the old one's value in every row."""
    known = before.beside.get((place, name))
    if known is None or (place, name) not in before.alone:
        return None
    shared = _shared(before.tables, after, place)
    found = [
        new
        for new in after[place]
        if new not in before.tables[place] and _digest(side, place, (*shared, new)) == known
    ]
    return found[0] if len(found) == 1 else None


def _find_moved(
    before: _Before, after: ColumnOrder, side: LiveDatabase, place: Place, name: str
) -> Column | None:
    """The column of a new table that has the old one's values, each as often."""
    known = before.alone.get((place, name))
    if known is None:
        return None
    found = [
        (new, column)
        for new in sorted(after.keys() - before.tables.keys())
        for column in after[new]
        if _digest(side, new, (column,)) == known
    ]
    return found[0] if len(found) == 1 else None


def _shared(before: ColumnOrder, after: ColumnOrder, place: Place) -> tuple[str, ...]:
    return tuple(sorted(set(before[place]) & set(after[place])))


def _digest(database: LiveDatabase, place: Place, columns: tuple[str, ...]) -> TableDigest:
    with database.connect() as connection:
        return database.dialect.digest_tables(connection, {place: columns})[place]


def _has_two_values(database: LiveDatabase, place: Place, column: str) -> bool:
    """What has one value everywhere, or none, proves nothing."""
    with database.connect() as connection:
        hashes = pairwise(database.dialect.read_row_hashes(connection, place, (column,)))
        return any(one != other for one, other in hashes)


def _read_tables(database: LiveDatabase) -> ColumnOrder:
    with database.connect() as connection:
        return database.dialect.read_tables(connection, database.table)


def _column(place: Place, column: str) -> str:
    return f"{name_place(place)}.{join_name(column)}"
