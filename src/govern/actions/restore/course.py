"""The restore of a whole database: beside the live one, compared, exchanged, recorded.

Everything that takes time happens while the live database is in use. Then it is taken out of use, compared once more,
and exchanged; whatever goes wrong until then leaves it as it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from govern.actions import resume
from govern.actions.backup import create_verified_backup
from govern.actions.record import finish_run, start_run
from govern.actions.restore.beside import compare_beside, restore_beside
from govern.actions.restore.comparison import (
    RestoredRows,
    RowsWouldBeLost,
    allowing,
    find_forbidden,
    find_row_differences,
    guard_rows,
)
from govern.actions.restore.fit import SAFETY
from govern.actions.restore.soundness import find_problem
from govern.actions.restore.upgrade import upgrade_to_heads
from govern.core.backup import Backup
from govern.core.changes import diff
from govern.core.hazard import Hazard
from govern.core.report import Draft, Entry
from govern.core.restoration import Place, TableDifference, TableDigest
from govern.core.run import Run
from govern.core.wording import name_revisions
from govern.database.connection import Connection
from govern.database.keeping import Replacement
from govern.database.live import LiveDatabase
from govern.errors import FailedMidway, GovernError, Refused, Unreachable
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
FindOwn = Callable[[tuple[TableDifference, ...]], Mapping[Place, TableDigest]]
"""Of tables that differ, those whose live rows may go without being named, as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outgoing:
    """What is about to go out of use."""

    is_readable: bool = False
    """Also false where there is none."""
    is_as_backed_up: bool = False
    revision: tuple[str, ...] = ()
    safety: str | None = None
    """The id of the backup that was taken of it."""
    accepted: Mapping[Place, TableDigest] = field(default_factory=dict)
    """Tables whose rows may go as they are now, without being named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What may go, and how the rest is to be told."""

    backup: Backup
    allow: tuple[str, ...]
    find_own: FindOwn
    narrate: Narrate


def restore_database(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    backup: Backup,
    *,
    allow: tuple[str, ...] = (),
    upgrade: bool = False,
    find_own: FindOwn = lambda _: {},
    confirm: Callable[[], None] = lambda: None,
    narrate: Narrate,
) -> Run | None:
    """Puts the backup in the database's place; returns the run, or None where the database was as the backup has it.

    ``upgrade``: it is brought to the newest revision of the code before. ``confirm`` is called once no migration can
    run any more, and raises where the restore is not to be. Raises Refused, NotPermitted or CouldNotCheck where the
    live database is as it was, FailedMidway otherwise.
    """
    asked = _Asked(backup=backup, allow=allow, find_own=find_own, narrate=narrate)
    with live.dialect.replacing(live.url, wait_seconds=live.settings.lock_wait_seconds) as replacement:
        _tell_beginning(replacement, draft)
        confirm()
        side = restore_beside(live, backup, replacement, narrate=narrate)
        compare_beside(side, draft, backup, narrate=narrate)
        if upgrade:
            upgrade_to_heads(side, live, draft, chain, narrate=narrate)
        rows = RestoredRows(side)
        outgoing = _Outgoing() if replacement.is_missing else _examine(live, draft, rows, asked)
        if outgoing.is_as_backed_up:
            draft.passed("restore", "the database is as the backup has it: nothing was done")
            return None
        problem = find_problem(side, draft, chain, manifest, narrate=narrate)
        resume.forget(side, chain.ancestors(side.read_stamped()))
        run = _exchange(live, replacement, rows, outgoing, asked)
        run = _record_end(live, run, problem)
    _tell_end(run, draft, replacement)
    return run


def _examine(live: LiveDatabase, draft: Draft, rows: RestoredRows, asked: _Asked) -> _Outgoing:
    """What the live database would lose, while it is in use; and a backup of it. Raises Refused."""
    asked.narrate("comparing the live database with the backup")
    try:
        with live.connect() as connection:
            differences = find_row_differences(live, connection, rows)
    except (Unreachable, *live.dialect.errors()) as error:  # type: ignore[misc]  # the driver's own
        _accept_unreadable(live, draft, asked.allow, error)
        return _Outgoing()
    if not differences and _is_equal_but_for_rows(live, rows.database):
        return _Outgoing(is_as_backed_up=True)
    accepted = _guard(live, draft, rows, differences, asked)
    safety = create_verified_backup(live, draft, reason=SAFETY, narrate=asked.narrate, entry="safety")
    return _Outgoing(is_readable=True, revision=live.read_stamped(), safety=safety.id, accepted=accepted)


def _exchange(
    live: LiveDatabase, replacement: Replacement, rows: RestoredRows, outgoing: _Outgoing, asked: _Asked
) -> Run:
    """The run is in the ledger of the restored database before that takes its place."""
    side, backup = rows.database, asked.backup
    run = start_run(
        side,
        "restore",
        from_revision=outgoing.revision,
        to_revision=side.read_stamped(),
        backup=outgoing.safety,
        restored_from=backup.id,
        kept_as=None if replacement.is_missing else replacement.kept_as,
    )

    def judge(connection: Connection) -> None:
        differences = find_row_differences(live, connection, rows)
        guard_rows(differences, backup.id, allow=asked.allow, accepted=outgoing.accepted)

    asked.narrate("exchanging the databases")
    try:
        replacement.exchange(judge if outgoing.is_readable else None)
    except BaseException as error:
        with contextlib.suppress(GovernError):
            finish_run(side, run, "failed", error=f"{type(error).__name__}: {error}".splitlines()[0])
        if isinstance(error, RowsWouldBeLost):
            raise error.counted(live, rows) from None
        raise
    return run


def _record_end(live: LiveDatabase, run: Run, problem: str | None) -> Run:
    try:
        return finish_run(live, run, "unhealthy" if problem else "applied", error=problem)
    except GovernError as error:
        raise FailedMidway(
            "the backup is in the database's place, but how it ended could not be recorded",
            why=f"{error.what}: {error.why}",
            next="govern health, then govern migrate",
            state=f"the database is restored from {run.restored_from}; what was there is kept as {run.kept_as}",
        ) from error


def _tell_beginning(replacement: Replacement, draft: Draft) -> None:
    draft.passed("lock", "no migration runs, and no other restore")
    if replacement.put_back:
        draft.passed(
            "put back", f"an earlier restore was interrupted: {replacement.put_back} has its name again"
        )


def _accept_unreadable(live: LiveDatabase, draft: Draft, allow: tuple[str, ...], error: Exception) -> None:
    """A live database whose rows cannot all be read goes out of use only if that is allowed by name."""
    hazard = Hazard("overwrites-unreadable", live.url.database.rpartition("/")[2])
    why = f"{error.what}: {error.why}" if isinstance(error, GovernError) else str(error).strip()
    if str(hazard) not in allow:
        raise Refused(
            f"the live database cannot be read: {why}",
            why="nobody can say which rows it has that the backup has not, and no backup of it can be made",
            next=f"it would be kept as it is; if it may go out of use: {allowing((hazard,))}",
        ) from error
    reason = f"the live database cannot be read ({why}); it is kept as it is"
    draft.add(Entry(name="safety", status="skipped", reason=reason, is_optional=True))


def _is_equal_but_for_rows(live: LiveDatabase, side: LiveDatabase) -> bool:
    return live.read_stamped() == side.read_stamped() and not diff(side.read_snapshot(), live.read_snapshot())


def _guard(
    live: LiveDatabase,
    draft: Draft,
    rows: RestoredRows,
    differences: tuple[TableDifference, ...],
    asked: _Asked,
) -> Mapping[Place, TableDigest]:
    """Asks before anything is out of use. Returns the tables whose rows may go, unnamed, as they are now."""
    accepted: Mapping[Place, TableDigest] = {}
    forbidden = find_forbidden(differences, allow=asked.allow, accepted=accepted)
    if forbidden:
        accepted = asked.find_own(forbidden)
    try:
        guard_rows(differences, asked.backup.id, allow=asked.allow, accepted=accepted)
    except RowsWouldBeLost as refusal:
        counted = refusal.counted(live, rows)
        draft.data["tables"] = [difference.to_json() for difference in counted.differences]
        raise counted from None
    if differences:
        named = ", ".join(difference.described() for difference in differences)
        draft.passed("rows", f"nothing goes that may not: {named}")
    else:
        draft.passed("rows", "every table has the rows that the backup has")
    return accepted


def _tell_end(run: Run, draft: Draft, replacement: Replacement) -> None:
    draft.data["run"] = run.to_json()
    kept = "there was none before"
    if run.kept_as is not None:
        kept = f"what was there is kept as {run.kept_as}; when it is not needed any more: {replacement.how_to_drop}"
    draft.passed("exchange", f"the database is at {name_revisions(run.to_revision)}; {kept}")
    draft.passed("ledger", f"run {run.id}, {run.result}")
