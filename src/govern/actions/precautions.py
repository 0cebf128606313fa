"""What comes between the lock and the first statement: the saved plan still fits, a backup is good for a restore,
the revisions succeed on a copy, and nothing is lost that nobody allowed by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from govern.actions.backup import RestoredCopy, create_verified_backup
from govern.actions.rehearse import Rehearsal, RehearsalChoice, conclude, rehearse, rehearse_on
from govern.actions.saved_plan import SavedPlan, guard_plan
from govern.core.backup import Backup
from govern.core.plan import Hazard
from govern.core.report import Draft, Entry
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, CouldNotCheck, Refused
from govern.revisions.graph import Chain
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


def take_precautions(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    precautions: Precautions,
    *,
    to: str,
    narrate: Narrate,
) -> str | None:
    """Returns the id of the backup, if one was taken. Raises Refused or CouldNotCheck: nothing was changed.

    The caller holds the migration lock, and something is pending.
    """
    if precautions.plan is not None:
        guard_plan(precautions.plan, live, chain)
        draft.passed("plan", f"{precautions.plan.path.name} fits, digest {precautions.plan.digest[:12]}")
    rehearsals: list[Rehearsal] = []

    def rehearse_on_backup(copy: RestoredCopy) -> None:
        narrate("rehearsing on the restored backup")
        restored = LiveDatabase(live.settings, copy.url)
        rehearsals.append(rehearse_on(restored, live, chain, manifest, to=to, how="data"))

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
            live, draft, chain, manifest, backup, to=to, is_asked=is_asked, narrate=narrate
        )
    for rehearsal in rehearsals:
        conclude(rehearsal, draft)
        _guard_hazards(rehearsal.lost, draft, precautions.allow)
    return backup.id if backup else None


def _rehearse(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    backup: Backup | None,
    *,
    to: str,
    is_asked: bool,
    narrate: Narrate,
) -> list[Rehearsal]:
    """On a copy of the schema. Where nobody asked for just that, a revision that fails there may need rows and is
    tried on the backup, and a copy that cannot be had is done without."""
    try:
        rehearsal = rehearse(live, chain, manifest, to=to, how="schema", backup=None, narrate=narrate)
        if rehearsal.error is not None and backup is not None and not is_asked:
            narrate("it fails on an empty copy")
            rehearsal = rehearse(live, chain, manifest, to=to, how="data", backup=backup, narrate=narrate)
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
            next="allow each by name: " + " ".join(f"--allow {hazard}" for hazard in forbidden),
        )
    if hazards:
        draft.passed("hazards", f"allowed by name: {', '.join(map(str, hazards))}")
