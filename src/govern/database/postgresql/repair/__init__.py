"""Repair: statements that turn one PostgreSQL schema into another, tried on a scratch copy before anybody sees them.

``wanted`` reads both sides, ``renames`` and ``planning`` decide what to do, ``kinds`` knows the statements of each
kind of object, ``trial`` runs them and looks again, ``losses`` measures what they took away.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from govern.core.changes import diff
from govern.core.repair import Proposal, RepairStep, attribute_statements
from govern.core.snapshot import ObjectKey, Snapshot, split_name
from govern.database import migra_diff
from govern.database.postgresql import server
from govern.database.postgresql.repair.seeds import drop_rows, find_filled_tables, seed_rows
from govern.database.postgresql.repair.trial import Trial, try_repair
from govern.database.postgresql.repair.wanted import read_side
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck

__all__ = ["propose_repair"]


def propose_repair(
    *,
    live: DatabaseUrl,
    copy: DatabaseUrl,
    declared: DatabaseUrl,
    expected: Snapshot,
    table: VersionTable,
    conversions: Mapping[ObjectKey, str] = MappingProxyType({}),
) -> Proposal:
    """The better of two scripts: migra's, completed by our own statements, and our own alone.

    Both are tried on ``copy``, which gets a row in every table that has some in ``live``. Ours is taken unless
    migra's leaves less or loses less; never one that makes a declared table anew without its rows.
    ``conversions`` are expressions that were proven on the live rows: no made-up row stands for those, and no cast of
    migra's.
    """
    proven = {(key.namespace, split_name(key.name)[0]) for key in conversions}
    with server.connect(live, read_only=True) as connection:
        filled = [place for place in find_filled_tables(connection) if place not in proven]
    with server.connect(copy) as trying, server.connect(declared, read_only=True) as wanted:
        rowless = frozenset(filled) - frozenset(seed_rows(trying, filled))
        target, start = read_side(wanted, table, expected, conversions), read_side(trying, table)
        keys = tuple(change.key for change in diff(target.snapshot, start.snapshot))
        trials = [try_repair(trying, target, start, table, rowless=rowless)]
        if not conversions and (suggestion := _suggest(copy, declared, table, keys)):
            trials.append(try_repair(trying, target, start, table, suggestion, rowless))
        best = min(filter(None, trials), key=_cost)
        drop_rows(trying, best.orphaned)
    return Proposal(steps=best.steps, hazards=best.losses, doubts=best.doubts)


def _suggest(
    copy: DatabaseUrl, declared: DatabaseUrl, table: VersionTable, keys: tuple[ObjectKey, ...]
) -> tuple[RepairStep, ...]:
    """What migra would do; nothing where it crashes."""
    try:
        statements = migra_diff.propose_statements(live=copy, declared=declared, version_table=table)
    except CouldNotCheck:
        return ()
    return attribute_statements(statements, keys)


def _cost(trial: Trial) -> tuple[bool, int, int]:
    return trial.remakes_tables, len(trial.remaining), len(trial.losses)
