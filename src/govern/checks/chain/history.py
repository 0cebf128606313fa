"""The chain held against what is recorded of it: a version table's rows, ``govern.sum``, a git reference."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from govern.checks.chain.graph import find_multiple_heads
from govern.checks.chain.places import revision_subject, show_path
from govern.checks.chain.rules import (
    EDITED_REVISION,
    OVERLAPPING_DATABASE_REVISIONS,
    REPOINTED_REVISION,
    UNKNOWN_DATABASE_REVISION,
)
from govern.core.finding import Finding, Severity, Subject
from govern.core.wording import name_revisions
from govern.revisions.checksums import Checksum, Checksums, Deviation, compare
from govern.revisions.graph import Chain, build_chain, reachable

if TYPE_CHECKING:
    from govern.core.run import AppliedRevision
    from govern.revisions.merged import Merged


def check_database(chain: Chain, database_revisions: tuple[str, ...]) -> Iterator[Finding]:
    """Rows of the version table that no file has, and rows that Alembic cannot start from together."""
    broken = {file.revision for file in chain.broken}
    known = [revision for revision in database_revisions if revision in chain.revisions]
    for revision in database_revisions:
        if revision not in chain.revisions and revision not in broken:
            yield _unknown(chain, revision)
    below = reachable([parent for revision in known for parent in chain.down[revision]], chain.down)
    for revision in (one for one in known if one in below):
        above = reachable(chain.children[revision], chain.children)
        later = next((other for other in known if other != revision and other in above), None)
        if later is not None:
            yield Finding.of(
                OVERLAPPING_DATABASE_REVISIONS,
                Subject(kind="revision", name=revision),
                f"the database is stamped with {revision} and with {later}, which comes after it",
                remedy=f"if the schema really is at {later}: govern stamp {later}",
                evidence={"database": list(database_revisions)},
            )


def check_recorded(
    chain: Chain, checksums: Checksums | None, database_revisions: tuple[str, ...] | None, *, root: Path
) -> Iterator[Finding]:
    """Revisions that are not what ``govern.sum`` recorded.

    With a database known, one that it has not applied is only a warning: it can still be edited.
    """
    if checksums is None:
        return
    applied = None if database_revisions is None else chain.ancestors(database_revisions)
    for deviation in compare(checksums, chain):
        recorded = deviation.recorded.revision
        is_pending = applied is not None and recorded in chain.revisions and recorded not in applied
        place = Subject(
            kind="revision",
            name=recorded,
            path=show_path(checksums.path, root),
            line=deviation.recorded.line,
        )
        severity = Severity.WARNING if is_pending else None
        yield _deviation(chain, str(place.path), deviation, root, if_gone=place, severity=severity)


def check_merged(chain: Chain, merged: Merged, *, root: Path) -> Iterator[Finding]:
    """Revisions that are not what a git reference has, for they may be applied somewhere already; and new ones on
    both sides, which no file brings into an order."""
    files = {file.revision: file for file in merged.files}
    for deviation in compare(merged.checksums, chain):
        recorded = deviation.recorded
        if not _was_changed_over_there(chain, merged, recorded):
            gone = Subject(kind="revision", name=recorded.revision)
            path = shlex.quote(show_path(files[recorded.revision].path, root))
            restore = f"git checkout {shlex.quote(merged.ref)} -- {path}"
            found = _deviation(chain, merged.ref, deviation, root, if_gone=gone)
            remedy = f"restore it ({restore}), and write what is to be otherwise into a new revision"
            if deviation.kind == "removed" and merged.forked is None:
                remedy = (
                    f"it was removed here, or {merged.ref} got it since: git does not know what both have in common. "
                    f"Fetch that (git fetch --unshallow; in CI a checkout of the whole history) or {remedy}"
                )
            yield replace(found, remedy=remedy)
    yield from _check_colliding(chain, merged, root)


def _was_changed_over_there(chain: Chain, merged: Merged, recorded: Checksum) -> bool:
    """Whether here it is as it was when both sides had the same: the next merge brings it."""
    before = merged.checksums_at_fork
    if before is None:
        return False
    then, file = before.get(recorded.revision), chain.revisions.get(recorded.revision)
    if then is None or file is None:
        return then is None and file is None
    return (then.checksum, then.down_revisions) == (file.checksum, file.down_revisions)


def _check_colliding(chain: Chain, merged: Merged, root: Path) -> Iterator[Finding]:
    """What will be several heads as soon as the reference is brought in: no revision of either side is wrong alone."""
    before = merged.checksums_at_fork
    if before is None:
        return
    missing = [
        file for file in merged.files if file.revision not in chain.revisions and file.revision not in before
    ]
    together = build_chain((*chain.files, *missing))
    most = max(len(chain.heads), len(build_chain(merged.files).heads), 1)
    if not missing or len(together.heads) <= most:
        return
    theirs = [head for head in together.heads if head not in chain.revisions]
    ours = [head for head in together.heads if head in chain.revisions and head not in merged.revisions]
    finding = find_multiple_heads(together, together.heads, root)
    first = chain.revisions[ours[-1]] if ours else None
    yield replace(
        finding,
        subject=revision_subject(first, root, at="down_revision") if first else finding.subject,
        message=f"{merged.ref} has gone on to {name_revisions(tuple(theirs))}: with {name_revisions(tuple(ours))} "
        f"the chain will have {len(together.heads)} heads",
        remedy=f"bring it in (git merge {shlex.quote(merged.ref)}), let the new revisions come after "
        f"{name_revisions(tuple(theirs))} (down_revision), and write what is recorded anew: govern lock",
    )


def check_applied(
    chain: Chain,
    checksums: Checksums | None,
    applied: Mapping[str, AppliedRevision],
    database_revisions: tuple[str, ...],
    *,
    root: Path,
) -> Iterator[Finding]:
    """Revisions that are not what the database's own ledger says was applied to it.

    One that ``govern.sum`` has as it is now was changed under review: a warning.
    """
    for revision in sorted(applied.keys() & (chain.ancestors(database_revisions) | set(database_revisions))):
        file, then = chain.revisions.get(revision), applied[revision]
        if file is None:
            continue  # the version table names it, too, see check_database
        reviewed = checksums.revisions.get(revision) if checksums else None
        is_reviewed = reviewed is not None and reviewed.checksum == file.checksum
        severity = Severity.WARNING if is_reviewed else None
        evidence = {"applied": then.checksum, "now": file.checksum}
        if then.parents is not None and set(then.parents) != set(file.down_revisions):
            yield Finding.of(
                REPOINTED_REVISION,
                revision_subject(file, root, at="down_revision"),
                f"revision {revision} was applied to this database after {name_revisions(tuple(then.parents))}, "
                f"now it says {name_revisions(file.down_revisions)}",
                severity=severity,
                evidence={"applied": list(then.parents), "now": list(file.down_revisions)},
            )
        elif then.checksum and then.checksum != file.checksum:
            yield Finding.of(
                EDITED_REVISION,
                revision_subject(file, root, at="revision"),
                f"the file of revision {revision} is not the one that was applied to this database",
                severity=severity,
                evidence=evidence,
            )


def _unknown(chain: Chain, revision: str) -> Finding:
    close = difflib.get_close_matches(revision, chain.revisions, n=1, cutoff=0.8)
    hint = f"; or did somebody change its id to {close[0]!r}?" if close else ""
    return Finding.of(
        UNKNOWN_DATABASE_REVISION,
        Subject(kind="revision", name=revision),
        f"the database is stamped with revision {revision}, which is in none of {len(chain.files)} files",
        remedy=UNKNOWN_DATABASE_REVISION.remedy + hint,
        evidence={"heads": list(chain.heads)},
    )


def _deviation(
    chain: Chain,
    recorder: str,
    deviation: Deviation,
    root: Path,
    *,
    if_gone: Subject,
    severity: Severity | None = None,
) -> Finding:
    """``recorder``: the file or the git reference that has it otherwise. ``if_gone``: what a finding without a file
    is about."""
    recorded = deviation.recorded
    file = chain.revisions.get(recorded.revision)
    if file is None:
        return Finding.of(
            EDITED_REVISION,
            if_gone,
            f"revision {recorded.revision} is in {recorder}, but its file is gone or has another id",
            severity=severity,
        )
    if deviation.kind == "repointed":
        return Finding.of(
            REPOINTED_REVISION,
            revision_subject(file, root, at="down_revision"),
            f"revision {file.revision} came after {name_revisions(recorded.down_revisions)} in {recorder}, "
            f"now it says {name_revisions(file.down_revisions)}",
            severity=severity,
            evidence={"recorded": list(recorded.down_revisions), "now": list(file.down_revisions)},
        )
    return Finding.of(
        EDITED_REVISION,
        revision_subject(file, root, at="revision"),
        f"the file of revision {file.revision} is not the one that {recorder} has",
        severity=severity,
        evidence={"recorded": recorded.checksum, "now": file.checksum},
    )
