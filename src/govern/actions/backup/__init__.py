"""Backups: made of one moment, written whole or not at all, verified by restoring them."""

from govern.actions.backup.adopt import ADOPTED, adopt
from govern.actions.backup.create import create_backup
from govern.actions.backup.growth import watching_growth
from govern.actions.backup.locks import reading
from govern.actions.backup.offsite import bring_here, copy_offsite, list_offsite
from govern.actions.backup.proven import create_verified_backup
from govern.actions.backup.signing import require_signature
from govern.actions.backup.store import (
    BackupDamaged,
    amend_manifest,
    find_backup,
    find_damaged,
    list_backups,
)
from govern.actions.backup.verify import (
    Level,
    RestoredCopy,
    check_files,
    find_differences,
    is_unfit,
    require_engine,
    restore_data,
    restored,
    verify_backup,
)

__all__ = [
    "ADOPTED",
    "BackupDamaged",
    "Level",
    "RestoredCopy",
    "adopt",
    "amend_manifest",
    "bring_here",
    "check_files",
    "copy_offsite",
    "create_backup",
    "create_verified_backup",
    "find_backup",
    "find_damaged",
    "find_differences",
    "is_unfit",
    "list_backups",
    "list_offsite",
    "reading",
    "require_engine",
    "require_signature",
    "restore_data",
    "restored",
    "verify_backup",
    "watching_growth",
]
