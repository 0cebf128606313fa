"""A signature is over everything that was true when a backup was made, and tells nothing of the key."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from govern.core.backup import AdoptedFrom, BackupFile, BackupManifest, ManifestDamaged, Unfit, Verification
from govern.core.drill import Drill
from govern.core.signature import Signature, SigningKey

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)
KEY, OTHER = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
MANIFEST = BackupManifest(
    id="20261121T050000Z-migrate-3f9a1c",
    reason="migrate",
    created_at=NOW,
    target="default",
    database='na"me; ö',
    dialect="postgresql",
    server_version="18.4",
    tool="pg_dump 18.4",
    govern_version="0.1.0",
    revision=("3f2a",),
    lock_digest="ab" * 32,
    rows={"public.users": 5, "public.--; DROP": 0},
    checksums={"public.users": "17"},
    checksum_algorithm="any-1",
    files=(BackupFile(path="data/a", bytes=1, sha256="cd"), BackupFile(path="data/b", bytes=2, sha256="ef")),
    table_bytes=8192,
    adopted_from=AdoptedFrom(path="/old", sha256="00"),
)
SIGNED = MANIFEST.signed_with(KEY)
VERIFIED = Verification(level="restored", at=NOW, duration_ms=7, content=True)
DRILLED = Drill(at=NOW, bytes=1, fetch_seconds=1, restore_seconds=1, compare_seconds=1, validate_seconds=1)
# what somebody does who wants another backup to be taken for this one
CHANGED: dict[str, Any] = {
    "id": "20261121T050000Z-migrate-000000",
    "reason": "manual",
    "created_at": NOW.replace(year=2027),
    "target": "production",
    "database": "other",
    "dialect": "sqlite",
    "server_version": "17.0",
    "tool": "pg_dump 17",
    "govern_version": "9",
    "revision": None,
    "lock_digest": None,
    "rows": {"public.users": 6},
    "checksums": {"public.users": "18"},
    "checksum_algorithm": "any-2",
    "files": tuple(reversed(MANIFEST.files)),
    "table_bytes": None,
    "version": 2,
    "adopted_from": None,
}
REMARKS: dict[str, Any] = {
    "verified": VERIFIED,
    "unfit": Unfit(at=NOW, why="x"),
    "pinned": "before the move",
    "drilled": DRILLED,
}


def test_what_was_signed_reads_back_and_is_right() -> None:
    manifest = BackupManifest.from_text(SIGNED.to_text())
    assert manifest == SIGNED
    assert manifest.judge_signature([OTHER, KEY]) == "right"


def test_every_field_of_a_manifest_is_either_signed_or_a_remark() -> None:
    assert {field.name for field in fields(BackupManifest)} == {*CHANGED, *REMARKS, "signature"}


@pytest.mark.parametrize("name", CHANGED)
def test_no_fact_changes_unseen(name: str) -> None:
    assert replace(SIGNED, **{name: CHANGED[name]}).judge_signature([KEY]) == "wrong"


@pytest.mark.parametrize("name", REMARKS)
def test_a_remark_is_made_without_the_key(name: str) -> None:
    remarked = replace(SIGNED, **{name: REMARKS[name]})
    assert BackupManifest.from_text(remarked.to_text()).judge_signature([KEY]) == "right"


@pytest.mark.parametrize("position", range(2))
@pytest.mark.parametrize("change", [{"bytes": 3}, {"sha256": "00"}, {"path": "data/c"}])
def test_each_file_is_pinned(position: int, change: dict[str, Any]) -> None:
    files = list(MANIFEST.files)
    files[position] = replace(files[position], **change)
    assert replace(SIGNED, files=tuple(files)).judge_signature([KEY]) == "wrong"


def test_the_signature_of_another_backup_is_wrong() -> None:
    other = replace(MANIFEST, id="20261120T050000Z-migrate-aaaaaa").signed_with(KEY)
    assert replace(MANIFEST, signature=other.signature).judge_signature([KEY]) == "wrong"


def test_without_a_signature_it_is_unsigned_and_with_another_key_nobody_can_say() -> None:
    assert MANIFEST.judge_signature([KEY]) == "unsigned"
    assert SIGNED.judge_signature([OTHER]) == "unknown-key"
    assert SIGNED.judge_signature([]) == "unknown-key"


def test_another_algorithm_is_not_taken_for_ours() -> None:
    assert SIGNED.signature is not None
    assert (
        replace(SIGNED, signature=replace(SIGNED.signature, algorithm="none")).judge_signature([KEY])
        == "wrong"
    )


def test_who_names_the_right_key_must_also_have_it() -> None:
    forged = Signature(key=KEY.id, value=OTHER.sign(b"anything").value)
    assert replace(MANIFEST, signature=forged).judge_signature([KEY, OTHER]) == "wrong"


def test_a_key_shows_nothing_of_itself() -> None:
    shown = f"{KEY!r} {KEY} {KEY.id} {SIGNED.to_text()}"
    assert "kkkk" not in shown
    assert KEY.secret.hex() not in shown
    assert KEY.id != OTHER.id


@pytest.mark.parametrize(
    "signature",
    [
        *(None, 1, "x", [], {}, {"algorithm": "hmac-sha256"}, {"algorithm": 1, "key": 2, "value": 3}),
        {"algorithm": "hmac-sha256", "key": "ü", "value": "ü"},
        {"algorithm": "hmac-sha256", "key": None, "value": None},
        {"algorithm": "hmac-sha256", "key": "a", "value": "b", "more": "c"},
    ],
)
def test_what_is_no_signature_is_damage(signature: object) -> None:
    content = json.loads(SIGNED.to_text())
    with pytest.raises(ManifestDamaged):
        BackupManifest.from_text(
            json.dumps({**content, "signature": signature}, indent=2, ensure_ascii=False) + "\n"
        )
