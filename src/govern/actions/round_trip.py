"""Each revision up, down and up again on a scratch database: what its downgrade leaves there, and where it fails.

This module writes to no database but the scratch one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from govern.actions.walk import walk_chain
from govern.config import Settings
from govern.core.changes import Change, diff
from govern.core.reached import Counter
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.declared import Declared, beside, in_words_of
from govern.revisions.graph import Chain, RevisionFile
from govern.revisions.protocol import Paused, WayBackFailed


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
    settings: Settings,
    chain: Chain,
    revisions: Collection[str],
    *,
    like: DatabaseUrl,
    narrate: Callable[[str], None] = lambda _: None,
) -> WaysBack:
    """Takes ``revisions`` up, down and up again, in the course of the whole chain.

    Raises as ``walk_chain`` does.
    """
    before: dict[str, Snapshot] = {}
    changes: dict[str, tuple[Change, ...]] = {}
    sentence = f"taking back and applying again {count_of(len(revisions), 'revision')}"
    counter = Counter(narrate, sentence, total=len(revisions), unit="revision")

    def look(paused: Paused, scratch: Declared) -> None:
        if paused.point == "before":
            before[paused.revision] = scratch.snapshot
        else:
            changes[paused.revision] = _compare(before.pop(paused.revision), scratch)
            counter.add()

    walked = walk_chain(settings, chain, like=like, look=look, proven=revisions)
    return WaysBack(
        proven=tuple(changes),
        traces={revision: found for revision, found in changes.items() if found},
        failures=walked.failures,
        unproven=walked.unproven,
    )


def _compare(before: Snapshot, after: Declared) -> tuple[Change, ...]:
    """In one set of words: the scratch database, which is asked about them, has the second schema at this moment."""
    if not diff(before, after.snapshot):
        return ()
    dialect = dialect_of(after.url)
    return diff(in_words_of(after.snapshot, before, dialect, beside(after)), after.snapshot)
