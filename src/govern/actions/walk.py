"""Revisions one by one on a scratch database, with the whole schema read in between."""

from __future__ import annotations

from collections.abc import Callable, Collection

from govern.config import Settings
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.scratch import scratch_database
from govern.database.url import DatabaseUrl
from govern.database.version_table import version_table
from govern.declared import Declared, ReplayFailed
from govern.revisions.graph import Chain
from govern.revisions.protocol import Paused
from govern.revisions.runner import Runner, Walk

Look = Callable[[Paused, Declared], None]
"""Takes where the walk stands, and the scratch database as it is there."""


def walk_chain(
    settings: Settings,
    chain: Chain,
    *,
    like: DatabaseUrl,
    look: Look,
    proven: Collection[str] = (),
    watched: Collection[str] = (),
) -> Walk:
    """Applies the whole chain in its order, as ``Runner.walk`` does; calls ``look`` wherever that pauses.

    Raises ReplayFailed where a revision does not even go up, CouldNotCheck where env.py does not let them be applied
    one by one, or no scratch database can be made.
    """
    table = version_table(settings)
    with scratch_database(settings, like=like, label="walk") as url:
        dialect = dialect_of(url)
        dialect.prepare_replay(like, url, table)
        with dialect.connect(url, read_only=True, repeats=True) as connection:

            def stop(paused: Paused) -> None:
                schema: Snapshot = dialect.read_snapshot(connection, table)
                look(paused, Declared(url, schema))

            order = sorted(chain.revisions, key=chain.position.__getitem__)
            walked = Runner(settings).walk(url, order, proven=proven, watched=watched, on_paused=stop)
    if walked.error is not None:
        raise ReplayFailed(walked.error)
    return walked
