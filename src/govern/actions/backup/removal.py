"""Takes backups away: set aside all at once under a name that is never listed, then removed.

Whoever is killed in between leaves whole backups, and some that are gone; the next backup or prune sweeps the rest.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from govern.actions.backup.locks import alone_with, changing
from govern.actions.backup.store import PARTIAL, find_foreign_files, flush, list_backups, sweep, writing
from govern.core.backup import Backup
from govern.core.wording import count_of
from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.config import Settings

Choose = Callable[[tuple[Backup, ...]], Iterable[Backup]]
"""Of all backups, those that are to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What became of backups that were to go."""

    removed: tuple[Backup, ...] = ()
    """Oldest first."""
    in_use: tuple[Backup, ...] = ()
    """Somebody reads them at the moment; they stay."""
    foreign: tuple[Backup, ...] = ()
    """They hold what govern did not write, and stay."""


def remove_backups(settings: Settings, choose: Choose) -> Removal:
    """Removes what ``choose`` picks, which is asked while no other backup is made, changed or removed.

    Raises NotPermitted or CouldNotCheck where the file system says no; NotPermitted says what state that leaves.
    """
    if not settings.backups.is_dir():
        return Removal()
    with writing(settings.backups):
        removal, aside = _set_aside(settings, choose)
    for folder in aside:
        shutil.rmtree(folder, ignore_errors=True)  # somebody else's sweep may be at it, too
    if left := [folder for folder in aside if folder.exists()]:
        raise _could_not_remove(left)
    return removal


def _set_aside(settings: Settings, choose: Choose) -> tuple[Removal, tuple[Path, ...]]:
    backups = settings.backups
    removed: list[Backup] = []
    in_use: list[Backup] = []
    foreign: list[Backup] = []
    aside: list[Path] = []
    with changing(backups):
        sweep(backups)
        for backup in sorted(choose(list_backups(settings)), key=lambda one: one.manifest.created_at):
            if find_foreign_files(backup):
                foreign.append(backup)
                continue
            partial = backups / f"{PARTIAL}{backup.id}-{secrets.token_hex(3)}"
            try:
                with alone_with(backup.path):
                    backup.path.rename(partial)
            except BlockingIOError:
                in_use.append(backup)
            else:
                removed.append(backup)
                aside.append(partial)
        flush(backups)
    removal = Removal(removed=tuple(removed), in_use=tuple(in_use), foreign=tuple(foreign))
    return removal, tuple(aside)


def _could_not_remove(folders: list[Path]) -> NotPermitted:
    return NotPermitted(
        f"{count_of(len(folders), 'folder')} could not be removed: {folders[0]}",
        why="something in it may not be removed by this user",
        next="remove it as the user who made it",
        state="what they were is listed no more, and can be pruned no more; their place on the disk is not free",
    )
