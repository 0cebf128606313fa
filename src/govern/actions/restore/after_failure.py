"""``migrate --on-failure restore``: a database that is not as it was gets back what the run backed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from govern.actions.backup import find_backup, require_signature, restored
from govern.actions.record import finish_run
from govern.actions.restore.course import restore_database
from govern.actions.standing import Before, is_as_it_was
from govern.core.report import Draft
from govern.core.restoration import Place, TableDifference, TableDigest
from govern.core.run import Run
from govern.core.wording import name_revisions
from govern.database.live import LiveDatabase
from govern.declared import ReplayFailed, replay
from govern.errors import FailedMidway, GovernError, Refused
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest


def fall_back(
    failure: GovernError,
    run: Run,
    before: Before,
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    *,
    allow: tuple[str, ...],
    narrate: Callable[[str], None],
) -> GovernError:
    """The failure as it is to be raised: itself where the database is as it was, else with what became of it.

    The verdict was read back before: a failure that left nothing behind is no reason to restore.
    """
    if run.backup is None or is_as_it_was(run, live, before):
        return failure
    fingerprint = live.read_fingerprint()

    def confirm() -> None:
        if live.read_stamped() != run.to_revision or live.read_fingerprint() != fingerprint:
            raise Refused(
                "the database is not what the migration left any more",
                why="another process changed it before it could be restored",
                next="see what it did: govern history",
            )

    def find_own(differences: tuple[TableDifference, ...]) -> Mapping[Place, TableDigest]:
        narrate("running the applied revisions on the backup, to tell their rows from others'")
        return _find_own_rows(run, live, differences, allow, narrate)

    narrate(f"restoring the backup {run.backup}")
    try:
        done = restore_database(
            live,
            draft,
            chain,
            manifest,
            require_signature(find_backup(live.settings, run.backup), allow=allow),
            allow=allow,
            find_own=find_own,
            confirm=confirm,
            narrate=narrate,
        )
    except FailedMidway as error:
        return error
    except GovernError as error:
        return _not_restored(failure, error, run)
    restored_run = finish_run(
        live,
        replace(run, to_revision=run.from_revision, revisions=(), restored_from=run.backup),
        "restored",
        error=run.error,
    )
    draft.data["run"] = restored_run.to_json()
    return _restored(failure, run, done)


def _find_own_rows(
    run: Run,
    live: LiveDatabase,
    differences: tuple[TableDifference, ...],
    allow: tuple[str, ...],
    narrate: Callable[[str], None],
) -> Mapping[Place, TableDigest]:
    """The tables whose live rows are what the applied revisions make of the backup, and so nobody else's."""
    backup = require_signature(find_backup(live.settings, run.backup or ""), allow=allow)
    with restored(live.settings, live.dialect, backup, like=live.url, narrate=narrate) as copy:
        again = LiveDatabase(live.settings, copy.url)
        try:
            for revision in run.to_revision:
                replay(again, revision)
        except ReplayFailed:
            return {}
        with again.connect() as connection:
            there = live.dialect.read_tables(connection, live.table)
            columns = {
                one.place: one.columns
                for one in differences
                if one.place in there and set(one.columns) <= set(there[one.place])
            }
            return live.dialect.digest_tables(connection, columns)


def _restored(failure: GovernError, run: Run, done: Run | None) -> GovernError:
    kept = f"; what the run left is kept as {done.kept_as}" if done and done.kept_as else ""
    return FailedMidway(
        failure.what,
        why=failure.why,
        next=failure.next,
        state=f"restored from backup {run.backup}, as before the run, at {name_revisions(run.from_revision)}{kept}",
    )


def _not_restored(failure: GovernError, refusal: GovernError, run: Run) -> GovernError:
    return FailedMidway(
        failure.what,
        why=f"{failure.why}; it was not restored: {refusal.what}: {refusal.why}",
        next=refusal.next or f"govern restore {run.backup}",
        state=failure.state,
    )
