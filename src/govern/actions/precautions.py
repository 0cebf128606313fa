"""What comes between the lock and the first statement.

In this order: a saved plan still fits; of a revision that was begun before, it is proven what is left to do; nobody
else is changing the schema, and there is room; a backup is good for a restore; what is left of the revisions succeeds
on a copy; nothing is lost that nobody allowed by name; the role may do what the copy let it do. The proof comes first,
because a rehearsal must not run what the copy has already. ``core/guard.py`` lists all guards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.actions import resume
from govern.actions.backup import RestoredCopy, create_verified_backup
from govern.actions.guards import Asking, ask_after, ask_before
from govern.actions.rehearse import Rehearsal, RehearsalChoice, conclude, rehearse, rehearse_on
from govern.actions.saved_plan import SavedPlan, guard_plan
from govern.actions.validate import Judgement
from govern.core import guard as guards
from govern.core.backup import Backup
from govern.core.plan import RehearsalKind
from govern.core.report import Draft, Entry
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, CouldNotCheck, Refused
from govern.revisions.graph import Chain
from govern.revisions.graph.destination import Destination
from govern.revisions.protocol import Committed
from govern.source.scope import read_scope

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

BackupPolicy = Literal["auto", "off"]
OnFailure = Literal["stop", "restore"]
Narrate = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precautions:
    """What was asked for on the way to a migration. Raises ConfigurationError for what does not go together."""

    backup: BackupPolicy = "auto"
    rehearse: RehearsalChoice | None = None
    """None: on a copy of the schema where one can be made."""
    allow: tuple[str, ...] = ()
    """Hazards that may happen: ``drops-column:users.nick``."""
    plan: SavedPlan | None = None
    on_failure: OnFailure = "stop"
    """What is done where a failure leaves the database otherwise than it was."""

    def __post_init__(self) -> None:
        if self.on_failure == "restore" and self.backup == "off":
            raise ConfigurationError(
                "there is no backup to restore on failure",
                why="--on-failure restore puts the backup in the database's place, --backup off takes none",
                next="leave out one of the two",
            )
        if self.rehearse == "data" and self.backup == "off":
            raise ConfigurationError(
                "there is no backup to rehearse on",
                why="--rehearse data restores the backup, --backup off takes none",
                next="leave out one of the two",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the migration goes on with once every guard has said yes."""

    backup: str | None
    """Its id, if one was taken."""
    committed: Committed
    """What earlier runs have committed of the pending revisions."""
    fingerprint: str
    """Of the schema that was backed up and rehearsed on, which is the live one still."""
    judgement: Judgement | None = None
    """What was found of the schema that the rehearsal arrived at."""
    rehearsal: Rehearsal | None = None
    """How the revisions ran on the copy; None where nothing was rehearsed."""


def take_precautions(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    precautions: Precautions,
    *,
    to: Destination,
    narrate: Narrate,
) -> Ready:
    """Raises Refused or CouldNotCheck: nothing was changed, but for invalid indexes that a run before had left.

    The caller holds the migration lock, and something is pending.
    """
    asking = Asking(live=live, draft=draft, is_migrating=True, narrate=narrate)
    way = to.find_way(chain, live.read_stamped())
    _guard_plan(live, draft, chain, precautions.plan)
    scope = read_scope(live.settings, manifest)
    committed = resume.prepare_resumption(live, draft, way.steps, scope, narrate=narrate)
    ask_before(asking, with_backup=precautions.backup == "auto")
    looked_at = live.read_fingerprint()
    trial = _Trial(live, chain, manifest, to, committed, narrate)
    backup = _back_up(trial, draft, precautions)
    rehearsal = trial.rehearsal or _rehearse(trial, draft, backup, precautions.rehearse)
    if rehearsal is not None:
        conclude(rehearsal, draft)
    ask_after(
        asking,
        rehearsal,
        way,
        manifest,
        allow=precautions.allow,
        plan=precautions.plan,
        is_resumed=bool(committed),
    )
    _guard_unchanged(live, looked_at)
    return Ready(
        backup=backup.id if backup else None,
        committed=committed,
        fingerprint=looked_at,
        judgement=rehearsal.judgement if rehearsal else None,
        rehearsal=rehearsal,
    )


def _guard_plan(live: LiveDatabase, draft: Draft, chain: Chain, plan: SavedPlan | None) -> None:
    if plan is not None:
        guard_plan(plan, live, chain)
        draft.passed(guards.SAVED_PLAN.name, f"{plan.path.name} fits, digest {plan.digest[:12]}")


def _guard_unchanged(live: LiveDatabase, fingerprint: str) -> None:
    """Who changes a schema by hand takes no lock of ours."""
    if live.read_fingerprint() != fingerprint:
        raise Refused(
            "the schema was changed while the migration was prepared",
            why="the backup and the rehearsal are of another schema than there is now",
            next="see what changed: govern drift; then run again",
        )


@dataclass(slots=True)
class _Trial:
    """The revisions on a copy."""

    live: LiveDatabase
    chain: Chain
    manifest: Manifest | None
    to: Destination
    committed: Committed
    narrate: Narrate
    rehearsal: Rehearsal | None = None
    """On the backup, if that was asked for."""

    def on_backup(self, copy: RestoredCopy) -> None:
        self.rehearsal = rehearse_on(
            LiveDatabase(self.live.settings, copy.url),
            self.live,
            self.chain,
            self.manifest,
            to=self.to,
            how="data",
            committed=self.committed,
            narrate=self.narrate,
        )

    def on(self, how: RehearsalKind, backup: Backup | None) -> Rehearsal:
        """Raises CouldNotCheck where no copy can be had."""
        return rehearse(
            self.live,
            self.chain,
            self.manifest,
            to=self.to,
            how=how,
            committed=self.committed,
            backup=backup,
            narrate=self.narrate,
        )


def _back_up(trial: _Trial, draft: Draft, precautions: Precautions) -> Backup | None:
    """With ``--rehearse data`` the restored copy that proves it is the one to rehearse on."""
    if precautions.backup == "off":
        draft.passed(guards.BACKUP.name, "none was taken: --backup off")
        return None
    on_restored = trial.on_backup if precautions.rehearse == "data" else None
    return create_verified_backup(
        trial.live, draft, reason=trial.to.command, narrate=trial.narrate, on_restored=on_restored
    )


def _rehearse(
    trial: _Trial, draft: Draft, backup: Backup | None, choice: RehearsalChoice | None
) -> Rehearsal | None:
    """On a copy of the schema. Where nobody asked for just that, a revision that fails there may need rows and is
    tried on the backup, and a copy that cannot be had is done without."""
    if choice == "off":
        draft.passed(guards.REHEARSE.name, "nothing was rehearsed: --rehearse off")
        return None
    try:
        rehearsal = trial.on("schema", backup)
        if rehearsal.error is not None and backup is not None and choice is None:
            trial.narrate("it fails on an empty copy")
            rehearsal = trial.on("data", backup)
    except CouldNotCheck as error:
        if choice is not None:
            raise
        reason = f"{error.what}: {error.why}"
        draft.add(Entry(name=guards.REHEARSE.name, status="skipped", reason=reason, is_optional=True))
        return None
    return rehearsal
