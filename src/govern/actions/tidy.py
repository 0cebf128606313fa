"""What an interrupted batch operation of SQLite left is taken away before the next run, which would trip over it."""

from __future__ import annotations

from collections.abc import Mapping

from govern.database.live import LiveDatabase
from govern.errors import Refused


def drop_batch_leftovers(live: LiveDatabase) -> tuple[str, ...]:
    """Drops copies whose original is there, and names them. Raises Refused for one that has the only rows there are."""
    with live.connect() as connection:
        leftovers = live.dialect.find_batch_leftovers(connection)
    for leftover in leftovers:
        if not leftover.is_copy:
            name = leftover.table.removeprefix("_alembic_tmp_")
            raise Refused(
                f"{leftover.table} is what an interrupted batch operation left of {name}",
                why=f"it has the only rows: there is no table {name} any more",
                next=f'compare it with a backup, then: ALTER TABLE "{leftover.table}" RENAME TO "{name}"',
            )
    with live.connect(read_only=False) as connection:
        for leftover in leftovers:
            live.dialect.drop_batch_leftover(connection, leftover)
    return tuple(leftover.table for leftover in leftovers)


def read_broken_references(live: LiveDatabase) -> Mapping[str, int]:
    """Rows whose parent is gone, by ``child → parent``."""
    with live.connect() as connection:
        return live.dialect.find_broken_references(connection)


def describe_newly_broken(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """The references that have more rows without a parent than before; empty if there are none."""
    broken = (
        f"{after[name] - before.get(name, 0)} of {name}"
        for name in after
        if after[name] > before.get(name, 0)
    )
    return ", ".join(broken)
