"""Each revision up, down and up again on a scratch database: what its downgrade leaves there, and where it fails.

This module writes to no database but the scratch one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from govern.config import Settings
from govern.core.changes import Change, diff
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.live import LiveDatabase, version_table
from govern.database.scratch import scratch_database
from govern.database.url import DatabaseUrl
from govern.declared import Declared, ReplayFailed, beside, in_words_of
from govern.revisions.graph import Chain, RevisionFile
from govern.revisions.protocol import Paused, WayBackFailed
from govern.revisions.runner import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysBack:
    """How the downgrades of some revisions did."""

    proven: tuple[str, ...]
    """Taken back and applied again, whatever they left."""
    traces: Mapping[str, tuple[Change, ...]]
    """By revision, how the schema after its downgrade differs from the one before its upgrade."""
    failures: tuple[WayBackFailed, ...]
    unproven: tuple[str, ...]
    """One before them left something half done, or they cannot go down and up in one transaction."""


def has_way_back(file: RevisionFile) -> bool:
    """Whether there is something to prove: chain.missing-downgrade speaks of those without."""
    return file.has_downgrade and not file.downgrade_is_empty and not file.downgrade_raises


def prove_ways_back(
    settings: Settings, chain: Chain, revisions: Collection[str], *, like: DatabaseUrl
) -> WaysBack:
    """Takes ``revisions`` up, down and up again, in the course of the whole chain.

    Raises ReplayFailed where a revision does not even go up, CouldNotCheck where env.py does not let them be taken
    one by one, or no scratch database can be made.
    """
    before: dict[str, Snapshot] = {}
    changes: dict[str, tuple[Change, ...]] = {}
    with scratch_database(settings, like=like, label="roundtrip") as url:
        dialect = dialect_of(url)
        dialect.prepare_replay(like, url, version_table(settings))
        scratch = LiveDatabase(settings, url)
        with dialect.connect(url, read_only=True, repeats=True) as connection:

            def look(paused: Paused) -> None:
                seen = dialect.read_snapshot(connection, scratch.table)
                if paused.point == "before":
                    before[paused.revision] = seen
                else:
                    changes[paused.revision] = _compare(scratch, before.pop(paused.revision), seen)

            order = sorted(chain.revisions, key=chain.position.__getitem__)
            trip = Runner(settings).round_trip(url, order, revisions, on_paused=look)
    if trip.error is not None:
        raise ReplayFailed(trip.error)
    return WaysBack(
        proven=tuple(changes),
        traces={revision: found for revision, found in changes.items() if found},
        failures=trip.failures,
        unproven=trip.unproven,
    )


def _compare(scratch: LiveDatabase, before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """In one set of words: the database, which is asked about them, has the second schema at this moment."""
    if not diff(before, after):
        return ()
    return diff(in_words_of(after, before, scratch.dialect, beside(Declared(scratch.url, after))), after)
