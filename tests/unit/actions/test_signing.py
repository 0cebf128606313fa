"""Where the keys that sign backups come from: the environment, else one file of the user's that is made once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from govern.actions.backup import signing
from govern.actions.backup.signing import find_unkept_key, judge_signature, require_signature, sign
from govern.core.backup import Backup, BackupManifest
from govern.errors import ConfigurationError, Refused
from tests.fixtures.backups import NOW, manifest_of

OLD, NEW = "a" * 32, "b" * 40
MANIFEST = manifest_of(NOW)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "govern"


def backup_of(manifest: BackupManifest) -> Backup:
    return Backup(path=Path("/none"), manifest=manifest)


def test_a_key_is_made_at_first_use_for_its_owner_alone_and_kept(folder: Path) -> None:
    previous = os.umask(0)
    try:
        first, second = sign(MANIFEST), sign(replace(MANIFEST, id="other"))
    finally:
        os.umask(previous)
    assert first.signature is not None
    assert second.signature is not None
    assert first.signature.key == second.signature.key
    assert [path.name for path in folder.iterdir()] == ["signing.key"]
    assert stat.S_IMODE((folder / "signing.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert judge_signature(first) == judge_signature(second) == "right"
    assert tuple(find_unkept_key(backup_of(first))) == ()


def test_who_only_looks_makes_no_key(folder: Path) -> None:
    assert judge_signature(MANIFEST) == "unsigned"
    assert not folder.exists()


def test_of_many_who_begin_at_once_all_get_the_same_key(folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        signed = list(threads.map(sign, [MANIFEST] * 16))
    assert len({manifest.signature for manifest in signed}) == 1
    assert [path.name for path in folder.iterdir()] == ["signing.key"]


def test_the_environment_counts_more_and_the_file_is_still_accepted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sign(MANIFEST)
    monkeypatch.setenv("GOVERN_BACKUP_KEY", NEW)
    after = sign(MANIFEST)
    assert before.signature != after.signature
    assert judge_signature(before) == judge_signature(after) == "right"


def test_of_several_keys_the_first_signs_and_all_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVERN_BACKUP_KEY", OLD)
    old = sign(MANIFEST)
    monkeypatch.setenv("GOVERN_BACKUP_KEY", f"{NEW} # since May\n{OLD}\n")
    assert judge_signature(old) == "right"
    new = sign(MANIFEST)
    monkeypatch.setenv("GOVERN_BACKUP_KEY", NEW)
    assert judge_signature(new) == "right"
    assert judge_signature(old) == "unknown-key"


def test_a_key_may_be_in_a_file_that_the_environment_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{OLD}\n")
    monkeypatch.setenv("GOVERN_BACKUP_KEY_FILE", str(tmp_path / "secret"))
    signed = sign(MANIFEST)
    assert not folder.exists()
    monkeypatch.delenv("GOVERN_BACKUP_KEY_FILE")
    monkeypatch.setenv("GOVERN_BACKUP_KEY", OLD)
    assert judge_signature(signed) == "right"


def test_a_file_that_is_named_and_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVERN_BACKUP_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="GOVERN_BACKUP_KEY_FILE names cannot be read"):
        sign(MANIFEST)


@pytest.mark.parametrize("text", ["pass-1", "x" * 31, "# nothing\n", f"{OLD} pass-1"])
def test_a_key_that_can_be_guessed_is_refused_and_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVERN_BACKUP_KEY", text)
    with pytest.raises(ConfigurationError) as refused:
        sign(MANIFEST)
    assert text not in f"{refused.value!r} {refused.value}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_read_or_write_signs_nothing(folder: Path, mode: int) -> None:
    sign(MANIFEST)
    (folder / "signing.key").chmod(mode)
    for use in (sign, judge_signature):
        with pytest.raises(Refused, match="others may read or change"):
            use(MANIFEST)


def test_where_no_key_can_be_kept_the_process_has_its_own_and_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.parent.write_text("no folder can be made here")
    signed = backup_of(sign(MANIFEST))
    assert require_signature(signed) == signed
    (finding,) = find_unkept_key(signed)
    assert finding.rule.id == "backup.key-not-kept"
    signing._own_key.cache_clear()  # as another process has it
    with pytest.raises(Refused) as refused:
        require_signature(signed)
    assert f"--allow unknown-key:{signed.id}" in refused.value.next


@pytest.mark.parametrize(
    ("state", "hazard"),
    [("unsigned", "unsigned-backup"), ("unknown-key", "unknown-key"), ("wrong", "wrong-signature")],
)
def test_what_is_not_right_is_allowed_by_its_own_name_and_id_alone(
    state: str, hazard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVERN_BACKUP_KEY", OLD)
    signed = sign(MANIFEST)
    manifest = {
        "unsigned": MANIFEST,
        "unknown-key": signed,
        "wrong": replace(signed, database="other"),
    }[state]
    if state == "unknown-key":
        monkeypatch.setenv("GOVERN_BACKUP_KEY", NEW)
    backup = backup_of(manifest)
    others = {"unsigned-backup", "unknown-key", "wrong-signature"} - {hazard}
    for allowed in ((), (hazard,), (f"{hazard}:latest",), tuple(f"{name}:{backup.id}" for name in others)):
        with pytest.raises(Refused) as refused:
            require_signature(backup, allow=allowed)
        assert f"--allow {hazard}:{backup.id}" in refused.value.next
        assert OLD not in str(refused.value)
        assert NEW not in str(refused.value)
    assert require_signature(backup, allow=(f"{hazard}:{backup.id}",)).is_allowed
