"""A migration from its beginning to its end: what was asked for, and what was found and done so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from govern.actions.account import Account
from govern.actions.precautions import Precautions
from govern.actions.rehearse import Rehearsal
from govern.actions.restore import fall_back
from govern.actions.standing import Before
from govern.actions.validate import Judgement
from govern.core.report import Draft
from govern.core.run import Run
from govern.database.dialect import MigratingSession
from govern.database.live import LiveDatabase
from govern.errors import GovernError
from govern.revisions.graph import Chain
from govern.revisions.graph.destination import Destination
from govern.revisions.protocol import Committed

if TYPE_CHECKING:
    from govern.checks.probes import Probing
    from govern.source.manifest import Manifest


@dataclass(slots=True, kw_only=True)
class Undertaking:
    """What was asked for, and what was found and done while the lock was held."""

    live: LiveDatabase
    draft: Draft
    chain: Chain
    manifest: Manifest | None
    to: Destination
    precautions: Precautions
    narrate: Callable[[str], None]
    probing: Probing | None = None
    """What the application is asked afterwards."""

    account: Account = field(default_factory=Account)
    committed: Committed = field(default_factory=dict)
    """What an earlier run has committed of the revisions."""
    session: MigratingSession | None = None
    run: Run | None = None
    """None before the first statement may run."""
    judgement: Judgement | None = None
    """What the rehearsal found of the schema that it arrived at."""
    rehearsed: Rehearsal | None = None
    """How the revisions ran on a copy."""
    before: Before = field(default_factory=Before)
    broken_references: Mapping[str, int] = field(default_factory=dict)
    """Rows whose parent was gone before."""
    blockers: tuple[str, ...] = ()
    """Sessions that were in the way of a lock, the last that were seen."""
    waited_seconds: float = 0.0
    reached: tuple[str, ...] | None = None
    """Where the database stands, read back; None before that."""

    def fall_back(self, failure: GovernError, run: Run) -> GovernError:
        """How a failure is to be raised, once what was asked for in that case is done."""
        if self.precautions.on_failure == "stop":
            return failure
        return fall_back(
            failure,
            run,
            self.before,
            self.live,
            self.draft,
            self.chain,
            self.manifest,
            allow=self.precautions.allow,
            narrate=self.narrate,
        )
