"""A manifest reads back as it was written, and no byte of it changes unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.core.backup import (
    RULES,
    Backup,
    BackupFile,
    BackupManifest,
    ManifestDamaged,
    Verification,
)

VERIFIED = Verification(
    level="restored", at=datetime(2026, 11, 21, 6, tzinfo=UTC), duration_ms=7, left_out=("owner",)
)
MANIFEST = BackupManifest(
    id="20261121T050000Z-migrate-3f9a1c",
    reason="migrate",
    created_at=datetime(2026, 11, 21, 5, 0, 0, 123, tzinfo=UTC),
    target="default",
    database='na"me; ö',
    dialect="postgresql",
    server_version="18.4",
    tool="pg_dump 18.4",
    govern_version="0.1.0",
    revision=("3f2a", "9b1c"),
    lock_digest="ab" * 32,
    rows={"public.users": 5, "public.--; DROP": 0},
    files=(BackupFile(path="data/database.pgdump", bytes=12, sha256="cd" * 32),),
    verified=VERIFIED,
)

_words = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    "manifest",
    [
        MANIFEST,
        replace(MANIFEST, revision=None, lock_digest=None, verified=None, rows={}, files=()),
        replace(MANIFEST, table_bytes=8192),
        replace(MANIFEST, checksum_algorithm="any-1", checksums={"public.users": "-17"}),
        MANIFEST.with_verification(replace(VERIFIED, content=True)),
        replace(MANIFEST, version=1),
    ],
)
def test_a_manifest_reads_back_as_it_was_written(manifest: BackupManifest) -> None:
    assert BackupManifest.from_text(manifest.to_text()) == manifest


@given(
    database=_words,
    target=_words,
    rows=st.dictionaries(_words, st.integers(0, 2**63)),
    revision=st.lists(_words),
)
def test_any_names_read_back(database: str, target: str, rows: dict[str, int], revision: list[str]) -> None:
    manifest = replace(MANIFEST, database=database, target=target, rows=rows, revision=tuple(revision))
    assert BackupManifest.from_text(manifest.to_text()) == manifest


def test_every_flipped_bit_is_found() -> None:
    written = MANIFEST.to_text().encode()
    for at in range(len(written)):
        for bit in range(8):
            flipped = bytearray(written)
            flipped[at] ^= 1 << bit
            with pytest.raises((ManifestDamaged, UnicodeDecodeError)):
                BackupManifest.from_text(flipped.decode())


def test_every_truncation_is_found() -> None:
    written = MANIFEST.to_text()
    for length in range(len(written)):
        with pytest.raises(ManifestDamaged):
            BackupManifest.from_text(written[:length])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | _words,
        lambda inner: st.lists(inner) | st.dictionaries(_words, inner),
    )
)
def test_no_json_at_all_crashes_it(value: object) -> None:
    with pytest.raises(ManifestDamaged):
        BackupManifest.from_text(json.dumps(value))


@pytest.mark.parametrize("key", list(json.loads(MANIFEST.to_text())))
@pytest.mark.parametrize("value", [None, 17, "text", [], {}, [1], {"a": 1}, [[]]])
def test_a_value_of_the_wrong_type_is_found(key: str, value: object) -> None:
    content = json.loads(MANIFEST.to_text())
    content[key] = value
    with pytest.raises(ManifestDamaged):
        BackupManifest.from_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/data", "data/../../x", "", ".", "a\0b"])
def test_a_file_outside_the_backup_is_not_listed(path: str) -> None:
    """Its digest is right: whoever wrote it meant it."""
    manifest = replace(MANIFEST, files=(BackupFile(path=path, bytes=1, sha256="00"),))
    with pytest.raises(ManifestDamaged, match="not inside the backup"):
        BackupManifest.from_text(manifest.to_text())


def test_the_manifest_of_a_newer_govern_is_named_as_such() -> None:
    text = MANIFEST.to_text().replace('"manifest_version": 3', '"manifest_version": 4')
    with pytest.raises(ManifestDamaged, match="version 4"):
        BackupManifest.from_text(text)


def test_a_manifest_of_the_first_version_is_read_and_written_as_it_was_then() -> None:
    """The digest at its end is what the release wrote that knew no other version."""
    text = replace(MANIFEST, version=1).to_text()
    assert json.loads(text)["digest"] == "43df493e757ee8e914d389eac2bbd84511c1a21e933359f97bd0027ec41f8aa5"
    manifest = BackupManifest.from_text(text)
    assert (manifest.checksums, manifest.checksum_algorithm) == ({}, None)
    verified_again = manifest.with_verification(replace(VERIFIED, duration_ms=8))
    assert BackupManifest.from_text(verified_again.to_text()) == verified_again


def test_a_backup_lists_itself_as_json() -> None:
    backup = Backup(path=Path("/backups") / MANIFEST.id, manifest=MANIFEST)
    listed = json.loads(json.dumps(backup.to_json()))
    assert {"id", "path", "created_at", "reason", "revision", "bytes", "verified"} <= listed.keys()
    assert listed["created_at"] == "2026-11-21T05:00:00.000123Z"
    assert (listed["bytes"], listed["revision"], listed["verified"]["level"]) == (
        12,
        ["3f2a", "9b1c"],
        "restored",
    )


def test_rules_are_of_the_family_backup_and_say_everything() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.family == "backup"
        assert rule.condition
        assert rule.effect
        assert rule.remedy
