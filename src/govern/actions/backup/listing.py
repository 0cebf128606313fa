"""What a list says of a backup beside its manifest: how old it is, and whether it fits the code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from govern.actions.backup.signing import judge_signature
from govern.core.retention import Source
from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.core.backup import Backup, BackupManifest
    from govern.revisions.graph import Chain


def describe_backups(
    shown: Iterable[Backup], among: tuple[Backup, ...], chain: Chain, *, now: datetime
) -> list[dict[str, Any]]:
    """A row of each, as its own with ``age_seconds``, ``signature``, ``fits``, ``fit`` and ``revisions_behind``.

    ``among``: all there are. An unknown revision is newer than the code if the same database was at a known one before.
    """
    return [
        {
            **backup.to_json(),
            "age_seconds": round((now - backup.manifest.created_at).total_seconds()),
            "signature": describe_signature(backup.manifest),
            **_describe_fit(backup, among, chain),
        }
        for backup in shown
    ]


def describe_signature(manifest: BackupManifest) -> dict[str, str | None]:
    """``state`` is ``right``, ``unsigned``, ``unknown-key`` or ``wrong``; ``key`` is the id of the key."""
    signature = manifest.signature
    return {"state": judge_signature(manifest), "key": signature.key if signature else None}


def _describe_fit(backup: Backup, among: tuple[Backup, ...], chain: Chain) -> dict[str, Any]:
    stamped = backup.manifest.revision
    if not stamped:
        return _fit("unstamped", "has no revision")
    if not _is_known(stamped, chain):
        came_from_here = any(
            _is_known(earlier.manifest.revision or (), chain)
            for earlier in among
            if Source.of(earlier.manifest) == Source.of(backup.manifest)
            and earlier.manifest.created_at < backup.manifest.created_at
        )
        return (
            _fit("newer", "newer than the code") if came_from_here else _fit("foreign", "of another history")
        )
    behind = len(chain.ancestors(chain.effective_heads) - chain.ancestors(stamped))
    if behind:
        return _fit("older", f"older by {count_of(behind, 'revision')}", behind)
    return _fit("fits", "fits", 0)


def _is_known(stamped: tuple[str, ...], chain: Chain) -> bool:
    return bool(stamped) and all(revision in chain.revisions for revision in stamped)


def _fit(state: str, words: str, behind: int | None = None) -> dict[str, Any]:
    return {"fits": words, "fit": state, "revisions_behind": behind}
