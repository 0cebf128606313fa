"""What comes between the lock and the first statement.

In this order: a saved plan still fits; of a revision that was begun before, it is proven what is left to do; a
backup is good for a restore; what is left of the revisions succeeds on a copy; nothing is lost that nobody allowed
by name. The proof comes first, because a rehearsal must not run what the copy has already.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.actions import resume
from govern.actions.backup import RestoredCopy, create_verified_backup
from govern.actions.rehearse import Rehearsal, RehearsalChoice, conclude, rehearse, rehearse_on
from govern.actions.saved_plan import SavedPlan, guard_plan
from govern.actions.validate import Judgement
from govern.core.backup import Backup
from govern.core.hazard import Hazard
from govern.core.plan import RehearsalKind
from govern.core.report import Draft, Entry
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, CouldNotCheck, Refused
from govern.revisions.graph import Chain
from govern.revisions.protocol import Committed
from govern.source.scope import read_scope

if TYPE_CHECKING:
    from govern.source.manifest import Manifest

BackupPolicy = Literal["auto", "off"]
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

    def __post_init__(self) -> None:
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
    judgement: Judgement | None = None
    """What was found of the schema that the rehearsal arrived at."""


def take_precautions(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    precautions: Precautions,
    *,
    to: str,
    narrate: Narrate,
) -> Ready:
    """Raises Refused or CouldNotCheck: nothing was changed, but for invalid indexes that a run before had left.

    The caller holds the migration lock, and something is pending.
    """
    if precautions.plan is not None:
        guard_plan(precautions.plan, live, chain)
        draft.passed("plan", f"{precautions.plan.path.name} fits, digest {precautions.plan.digest[:12]}")
    committed = resume.prepare_resumption(
        live,
        draft,
        chain.pending(live.read_stamped(), to),
        read_scope(live.settings, manifest),
        narrate=narrate,
    )
    rehearsals: list[Rehearsal] = []

    def rehearse_on_backup(copy: RestoredCopy) -> None:
        narrate("rehearsing on the restored backup")
        restored = LiveDatabase(live.settings, copy.url)
        rehearsals.append(
            rehearse_on(restored, live, chain, manifest, to=to, how="data", committed=committed)
        )

    backup = None
    if precautions.backup == "auto":
        on_restored = rehearse_on_backup if precautions.rehearse == "data" else None
        backup = create_verified_backup(
            live, draft, reason="migrate", narrate=narrate, on_restored=on_restored
        )
    else:
        draft.passed("backup", "none was taken: --backup off")
    if precautions.rehearse == "off":
        draft.passed("rehearse", "nothing was rehearsed: --rehearse off")
    elif not rehearsals:
        is_asked = precautions.rehearse is not None
        rehearsals += _rehearse(
            live, draft, chain, manifest, backup, committed, to=to, is_asked=is_asked, narrate=narrate
        )
    for rehearsal in rehearsals:
        conclude(rehearsal, draft)
        _guard_hazards(rehearsal.lost, draft, precautions.allow)
    return Ready(
        backup=backup.id if backup else None,
        committed=committed,
        judgement=rehearsals[-1].judgement if rehearsals else None,
    )


def _rehearse(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    backup: Backup | None,
    committed: Committed,
    *,
    to: str,
    is_asked: bool,
    narrate: Narrate,
) -> list[Rehearsal]:
    """On a copy of the schema. Where nobody asked for just that, a revision that fails there may need rows and is
    tried on the backup, and a copy that cannot be had is done without."""

    def on(how: RehearsalKind) -> Rehearsal:
        return rehearse(
            live, chain, manifest, to=to, how=how, committed=committed, backup=backup, narrate=narrate
        )

    try:
        rehearsal = on("schema")
        if rehearsal.error is not None and backup is not None and not is_asked:
            narrate("it fails on an empty copy")
            rehearsal = on("data")
    except CouldNotCheck as error:
        if is_asked:
            raise
        reason = f"{error.what}: {error.why}"
        draft.add(Entry(name="rehearse", status="skipped", reason=reason, is_optional=True))
        return []
    return [rehearsal]


def _guard_hazards(hazards: tuple[Hazard, ...], draft: Draft, allow: tuple[str, ...]) -> None:
    forbidden = [hazard for hazard in hazards if str(hazard) not in allow]
    if forbidden:
        raise Refused(
            "the pending revisions can lose data",
            why=", ".join(hazard.described for hazard in forbidden),
            next="allow each by name: "
            + " ".join(f"--allow {shlex.quote(str(hazard))}" for hazard in forbidden),
        )
    if hazards:
        draft.passed("hazards", f"allowed by name: {', '.join(map(str, hazards))}")
