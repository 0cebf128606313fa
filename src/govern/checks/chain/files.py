"""Files that cannot be used, and functions that do not do what a revision's should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from govern.checks.chain.places import revision_subject, show_path
from govern.checks.chain.rules import BROKEN_FILE, EMPTY_UPGRADE, MISSING_DOWNGRADE
from govern.core.finding import Finding, Severity, Subject

if TYPE_CHECKING:
    from govern.revisions.graph import BrokenFile, Chain, RevisionFile

_FORBIDDEN_CHARACTERS = frozenset("@-+:")
"""They mean something in a target (``label@head``, ``head-1``): ``alembic/script/revision.py``, Revision."""


def check_usable(chain: Chain, *, root: Path, version_table_length: int) -> Iterator[Finding]:
    """Files Alembic cannot load, ids it cannot take or store, and revisions without ``upgrade()``."""
    for broken in chain.broken:
        yield _broken(broken, root)
    for file in chain.files:
        yield from _unusable_id(file, root, version_table_length)
        if not file.has_upgrade:
            yield Finding.of(
                BROKEN_FILE,
                revision_subject(file, root, at="revision"),
                f"revision {file.revision} has no upgrade()",
                why="the upgrade stops here with an AttributeError, after the revisions before it have run",
                remedy="write upgrade(); 'pass' if there is nothing to do",
            )


def check_functions(chain: Chain, *, root: Path) -> Iterator[Finding]:
    """Upgrades that do nothing, and upgrades without a way back. A merge has nothing to do."""
    for file in chain.files:
        if file.upgrade_is_empty:
            if not file.is_merge:
                yield _empty_upgrade(file, root)
        elif file.has_upgrade:
            yield from _missing_downgrade(file, root)
        if file.is_merge and not file.has_downgrade and file.upgrade_is_empty:
            yield from _missing_downgrade(file, root)


def _broken(broken: BrokenFile, root: Path) -> Finding:
    path = show_path(broken.path, root)
    return Finding.of(
        BROKEN_FILE,
        Subject(kind="file", name=broken.path.name, path=path, line=broken.line),
        f"{path} {broken.message}",
    )


def _unusable_id(file: RevisionFile, root: Path, version_table_length: int) -> Iterator[Finding]:
    forbidden = "".join(sorted(_FORBIDDEN_CHARACTERS.intersection(file.revision)))
    if forbidden:
        yield Finding.of(
            BROKEN_FILE,
            revision_subject(file, root, at="revision"),
            f"the revision id {file.revision!r} has characters Alembic does not allow: {forbidden}",
            why="Alembic raises RevisionError for every command as long as the file is there",
            remedy="use letters, digits, '_' and '.', here and in what names it as down_revision",
        )
    if len(file.revision) > version_table_length:
        yield Finding.of(
            BROKEN_FILE,
            revision_subject(file, root, at="revision"),
            f"the revision id {file.revision!r} has {len(file.revision)} characters, "
            f"the version table holds {version_table_length}",
            why="PostgreSQL refuses to store it (StringDataRightTruncation) after the revision's DDL has run",
            remedy="shorten it, here and in what names it as down_revision",
            evidence={"length": len(file.revision), "limit": version_table_length},
        )


def _empty_upgrade(file: RevisionFile, root: Path) -> Finding:
    is_base = not file.down_revisions
    return Finding.of(
        EMPTY_UPGRADE,
        revision_subject(file, root, at="upgrade"),
        f"upgrade() of revision {file.revision} does nothing",
        severity=Severity.INFO if is_base else None,
        why="as a first revision it marks where the history begins; what was there before is in no revision"
        if is_base
        else "",
    )


def _missing_downgrade(file: RevisionFile, root: Path) -> Iterator[Finding]:
    if file.has_downgrade and not (file.downgrade_is_empty or file.downgrade_raises):
        return
    subject = revision_subject(file, root, at="downgrade" if file.has_downgrade else "revision")
    if not file.has_downgrade:
        yield Finding.of(MISSING_DOWNGRADE, subject, f"revision {file.revision} has no downgrade()")
    elif file.downgrade_is_empty:
        yield Finding.of(MISSING_DOWNGRADE, subject, f"downgrade() of revision {file.revision} does nothing")
    elif file.downgrade_raises:
        yield Finding.of(
            MISSING_DOWNGRADE,
            subject,
            f"revision {file.revision} says itself that it cannot be downgraded",
            severity=Severity.INFO,
            why="the way back is to restore a backup",
            remedy="nothing, if that is meant",
        )
