"""No name that somebody makes up leads out of the folder of backups: as an id, in a manifest, or in a store."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from govern.actions.backup import bring_here, check_files, find_backup, find_damaged, is_unfit, list_backups
from govern.actions.backup.offsite import fetch_offsite
from govern.actions.backup.store import is_backup_id
from govern.config import Settings
from govern.core.backup import Backup, BackupFile, BackupManifest, ManifestDamaged
from govern.errors import GovernError
from tests.fixtures.backups import CONTENT, NOW, manifest_of, settings_of, write_backup

ID = "20261121T120000Z-manual-000000"
_BEFORE = ("", f"{ID}/", "./", "data/", "//", "file://", "\\\\host\\", f"{ID}\0/", "~root/", f"{ID}/../")
_WAYS = (
    "..", "../..", "../../../../../../etc/passwd", "..\\..\\x", "%2e%2e/x", "%252e%252e%252fx", "..%2fx", "..%c0%afx",
    "．．/x", "․․/x", "‥/x", "..∕x", "..⧸x", "....//x", "..;/x", ".\0./x", "/etc/passwd", "a/../../x",
    "..\n", "x\r\n..",
)  # fmt: skip
PAYLOADS = (
    *(before + way for before in _BEFORE for way in _WAYS),
    f"{ID} ", f" {ID}", f"{ID}\n", f"{ID}.", f"{ID}/", f"{ID}\\", f"{ID}%00", f"{ID}\u202e", ID.upper(), ID.lower(),
    "２" + ID[1:], "-rf", "--help", "$HOME", "`id`", "$(id)", "*", "?", "[a]", "CON", "nul", "a" * 5000, "", ".", "\0",
    ".partial-x", "manifest.json", "..",
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "secret").write_text("of somebody else")
    return settings_of(tmp_path / "project")


def list_tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_there_are_many() -> None:
    assert len(set(PAYLOADS)) >= 200


def test_no_payload_is_an_id(settings: Settings, tmp_path: Path) -> None:
    write_backup(settings, manifest_of(NOW, backup_id=ID))
    assert is_backup_id(ID)
    assert find_backup(settings, ID).id == ID
    before = list_tree(tmp_path)
    for payload in PAYLOADS:
        if payload == ID.lower() or payload == "latest":
            continue
        assert not is_backup_id(payload), payload
        with pytest.raises(GovernError):
            find_backup(settings, payload)
        assert fetch_offsite(settings, payload, narrate=str) is None
    assert list_tree(tmp_path) == before


def test_no_payload_in_a_manifest_leads_out_of_its_backup(settings: Settings, tmp_path: Path) -> None:
    """What is refused is damage; what is taken for a name is one inside."""
    backup = write_backup(settings, manifest_of(NOW))
    before = list_tree(tmp_path)
    refused = 0
    for payload in PAYLOADS:
        manifest = replace(
            backup.manifest, files=(BackupFile(path=payload, bytes=16, sha256=sha256(b"of somebody else")),)
        )
        try:
            BackupManifest.from_text(manifest.to_text().encode("utf-8", "replace").decode())
        except ManifestDamaged:
            refused += 1
            continue
        assert (backup.path / payload).resolve().is_relative_to(backup.path), payload
        assert is_unfit(tuple(check_files(settings, Backup(path=backup.path, manifest=manifest)))), payload
    assert refused > 80
    assert list_tree(tmp_path) == before


def test_no_payload_in_a_copy_elsewhere_is_written_outside_of_the_backups(
    settings: Settings, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    settings = replace(settings, offsite=store.as_uri())
    for number, payload in enumerate(PAYLOADS[::4]):
        backup_id = f"20261121T120000Z-manual-{number:06x}"
        (store / backup_id).mkdir(parents=True)
        file = BackupFile(path=payload, bytes=len(CONTENT), sha256=sha256(CONTENT.encode()))
        text = replace(manifest_of(NOW, backup_id=backup_id), files=(file,)).to_text()
        (store / backup_id / "manifest.json").write_bytes(text.encode("utf-8", "replace"))
    settings.backups.mkdir(mode=0o700)
    before = {name for name in list_tree(tmp_path) if not name.startswith("project/backups")}
    for folder in store.iterdir():
        try:
            bring_here(settings, folder.name, narrate=str)
        except GovernError:
            continue
    assert {name for name in list_tree(tmp_path) if not name.startswith("project/backups")} == before


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def make_link_out(path: Path) -> None:
    path.symlink_to(path.parents[3] / "secret")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("name", ["manifest.json", "data"])
@pytest.mark.parametrize(
    "make",
    [make_pipe, make_socket, make_link_out, make_dangling_link, make_loop, make_endless, make_folder],
)
def test_what_is_no_file_is_neither_followed_nor_waited_for(
    settings: Settings, name: str, make: Callable[[Path], None]
) -> None:
    backup = write_backup(settings, manifest_of(NOW))
    (backup.path / name).unlink()
    make(backup.path / name)
    if name == "manifest.json":
        assert list_backups(settings) == ()
        assert len(find_damaged(settings)) == 1
    else:
        assert is_unfit(tuple(check_files(settings, backup)))


def test_a_hard_link_is_the_file_that_was_written_or_damage(settings: Settings, tmp_path: Path) -> None:
    backup = write_backup(settings, manifest_of(NOW))
    (tmp_path / "same").write_text(CONTENT)
    for source, is_good in (("same", True), ("secret", False)):
        (backup.path / "data").unlink()
        (backup.path / "data").hardlink_to(tmp_path / source)
        assert is_unfit(tuple(check_files(settings, backup))) is not is_good


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
