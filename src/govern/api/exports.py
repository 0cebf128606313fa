"""What govern did not make: folders of files with rows, dumps, database files. Found, restored from, adopted."""

from __future__ import annotations

from pathlib import Path

from govern.actions.backup import adopt, find_backup
from govern.actions.discover import discover
from govern.actions.exports import plan_files, read_known_tables
from govern.actions.exports import restore_files as insert_missing_rows
from govern.actions.proof import prepare_proof, prove, tell_proof
from govern.api.command import Narrate, command, silent
from govern.api.project import describe_target, guard_chain, open_database, read_project
from govern.config import Settings
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target


@command("restore")
def restore_files(
    draft: Draft,
    settings: Settings,
    folder: Path,
    *,
    tables: tuple[str, ...] = (),
    plan: bool = False,
    allow: tuple[str, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """Inserts into the target the rows that files of a folder have and it has not; overwrites none.

    ``plan`` only says what that would insert. ``tables`` are the only ones that are taken. Raises ConfigurationError,
    Refused or CouldNotCheck where nothing was changed, FailedMidway otherwise.
    """
    project = read_project(settings)
    guard_chain(project, draft)
    live = open_database(project, draft)
    if plan:
        plan_files(live, draft, project.chain, folder, tables=tables, narrate=narrate)
        return
    probing = prepare_proof(settings, project.manifest, "restore")
    run = insert_missing_rows(
        live, draft, project.chain, project.manifest, folder, tables=tables, allow=allow, narrate=narrate
    )
    if run is not None and probing is not None:
        run, _ = prove(live, draft, run, probing, narrate=narrate)
        tell_proof(run, draft)
    describe_target(live, project, draft)


@command("backup list")
def backup_search(draft: Draft, settings: Settings, folder: Path, *, narrate: Narrate = silent) -> None:
    """What in a folder, and in the folders below it, could be restored from; nothing of it is executed."""
    live = LiveDatabase(settings, resolve_target(settings))
    narrate(f"searching {folder}")
    search = discover(live, folder, read_known_tables(live), narrate=narrate)
    draft.data["found"] = [one.to_json() for one in search.found]
    found = count_of(len(search.found), "thing")
    cut = ", and stopped there: search a smaller folder" if search.is_cut_short else ""
    draft.passed("search", f"{found} to restore from, among {search.entries:,} files and folders{cut}")
    if search.unread:
        reason = f"{count_of(len(search.unread), 'place')} not read; the first: {search.unread[0]}"
        draft.add(Entry(name="not read", status="skipped", reason=reason, is_optional=True))


@command("backup adopt")
def backup_adopt(draft: Draft, settings: Settings, path: Path, *, narrate: Narrate = silent) -> None:
    """Makes a backup like any other of a dump, a database file, or a backup that lies elsewhere."""
    live = open_database(read_project(settings), draft)
    backup = adopt(live, draft, path, narrate=narrate)
    draft.data["backups"] = [find_backup(settings, backup.id).to_json()]
