"""Signs what an earlier release, or somebody with another key, has made: because whoever asks for it knows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from govern.actions.backup.signing import find_wrong_signature, judge_signature, sign
from govern.actions.backup.store import amend_manifest
from govern.actions.backup.verify import check_files, is_unfit
from govern.core.report import Entry

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.backup import Backup


def countersign(settings: Settings, backup: Backup) -> Entry:
    """Signs a backup whose files are as its manifest says; what is wrong with it are findings, and it is left alone."""
    if judge_signature(backup.manifest) == "right":
        return Entry(name=backup.id, status="passed", reason="it is signed")
    findings = (*find_wrong_signature(backup), *check_files(settings, backup))
    if is_unfit(findings):
        return Entry.of(backup.id, findings)
    # of the manifest that was looked at, should somebody change it meanwhile
    signature = sign(backup.manifest).signature
    amend_manifest(backup, lambda manifest: replace(manifest, signature=signature))
    return Entry.of(backup.id, findings, f"signed with key {signature.key if signature else ''}")
