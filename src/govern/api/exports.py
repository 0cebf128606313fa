"""Restores from what govern did not make: folders of files with rows."""

from __future__ import annotations

from pathlib import Path

from govern.actions.exports import plan_files
from govern.actions.exports import restore_files as insert_missing_rows
from govern.api.command import Narrate, command, silent
from govern.api.project import describe_target, guard_chain, open_database, read_project
from govern.config import Settings
from govern.core.report import Draft


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
    insert_missing_rows(
        live, draft, project.chain, project.manifest, folder, tables=tables, allow=allow, narrate=narrate
    )
    describe_target(live, project, draft)
