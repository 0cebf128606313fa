"""Backups: made of one moment, written whole or not at all, verified by restoring them."""

from govern.actions.backup.adopt import ADOPTED, adopt
from govern.actions.backup.create import create_backup
from govern.actions.backup.proven import create_verified_backup
from govern.actions.backup.store import BackupDamaged, find_backup, find_damaged, list_backups
from govern.actions.backup.verify import (
    RestoredCopy,
    check_files,
    find_differences,
    is_unfit,
    require_engine,
    restored,
    verify_backup,
)

__all__ = [
    "ADOPTED",
    "BackupDamaged",
    "RestoredCopy",
    "adopt",
    "check_files",
    "create_backup",
    "create_verified_backup",
    "find_backup",
    "find_damaged",
    "find_differences",
    "is_unfit",
    "list_backups",
    "require_engine",
    "restored",
    "verify_backup",
]
