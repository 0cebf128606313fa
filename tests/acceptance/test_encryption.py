"""Encrypted backups: no row of them in the clear on any disk, proven without a private key, read with one alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyrage
import pytest

from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows

CANARY = "a-canary-that-sings"
ROWS = "SELECT id, user_id, body FROM notes ORDER BY id"


@pytest.fixture
def project(governed: Project, tmp_path: Path) -> Project:
    """With a row to keep secret, its backups encrypted; temporary files in a folder of their own."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"# created: today\n# public key: …\n{identity}\n")
    settings = f'backup_recipients = ["{identity.to_public()}"]\n'
    file = governed.root / "govern.toml"
    file.write_text(settings + (file.read_text() if file.exists() else ""))
    execute(governed.database, f"INSERT INTO notes (id, user_id, body) VALUES (7, 1, '{CANARY * 50}')")
    shutil.rmtree(governed.root / "backups")
    (tmp_path / "temporary").mkdir()
    return governed.with_environment(TMPDIR=str(tmp_path / "temporary"))


def with_key(project: Project, name: str = "key.txt") -> Project:
    return project.with_environment(GOVERN_BACKUP_IDENTITY=str(project.root.parent / name))


def test_what_is_encrypted_is_proven_without_a_key_and_restored_with_it(project: Project) -> None:
    created = project.succeed("backup", "create").report["backups"][0]
    assert created["verified"]["level"] == "restored"
    data = Path(created["path"]) / "data"
    (archive,) = data.glob("*.age")
    assert archive.read_bytes().startswith(b"age-encryption.org/v1\n")
    for folder in (project.root / "backups", project.root.parent / "temporary"):
        for file in folder.rglob("*"):
            assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file

    rows = read_rows(project.database, ROWS)
    execute(project.database, "DELETE FROM notes")
    refused = project.ask("restore", created["id"])
    assert refused.exit_code == 3, refused
    assert "no key here reads it" in refused.problem["what"]
    assert "GOVERN_BACKUP_IDENTITY" in refused.problem["next"]
    assert read_rows(project.database, ROWS) == []

    with_key(project).succeed("backup", "verify", created["id"])
    with_key(project).succeed("restore", created["id"])
    assert read_rows(project.database, ROWS) == rows


def test_a_wrong_key_reads_nothing_and_what_is_no_key_is_said(project: Project) -> None:
    backup = project.succeed("backup", "create").report["backups"][0]["id"]
    other = pyrage.x25519.Identity.generate()
    (project.root.parent / "other.txt").write_text(str(other))
    (project.root.parent / "broken.txt").write_text("AGE-SECRET-KEY-1NOTHING")
    wrong = with_key(project, "other.txt").ask("backup", "verify", backup)
    assert wrong.exit_code == 3, wrong
    assert "has none of its keys" in wrong.problem["why"]
    for name in ("broken.txt", "missing.txt"):
        said = with_key(project, name).ask("backup", "verify", backup)
        assert said.exit_code == 2, said
        assert name in said.problem["what"]
        assert "NOTHING" not in said.out + said.err
    project.write({"govern.toml": 'backup_recipients = ["age1nobody"]\n'})
    refused = project.ask("backup", "create")
    assert refused.exit_code == 2, refused
    assert "no public key" in refused.problem["what"]


def test_a_flipped_bit_is_found_whether_or_not_a_key_is_there(project: Project) -> None:
    created = project.succeed("backup", "create").report["backups"][0]
    (archive,) = (Path(created["path"]) / "data").glob("*.age")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    for who in (project, with_key(project)):
        assert who.ask("backup", "verify", created["id"]).rules == {"backup.damaged-file"}
    assert with_key(project).ask("restore", created["id"]).exit_code == 4
