"""Copies of backups in an object store: complete or not listed, never written over, there when the disk is gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import Project, execute
from tests.fixtures.projects import read_rows
from tests.fixtures.s3 import S3, s3_server

pytestmark = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)

ROWS = "SELECT id, body FROM notes ORDER BY id"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def project(governed: Project, s3: S3) -> Project:
    project = governed.with_environment(**s3.variables)
    configure(project, s3.url)
    return project


def configure(project: Project, offsite: str) -> None:
    file = project.root / "govern.toml"
    text = file.read_text() if file.exists() else ""
    kept = [line for line in text.splitlines() if not line.startswith("offsite")]
    file.write_text("\n".join([f'offsite = "{offsite}"', *kept]) + "\n")


def test_a_backup_is_copied_and_comes_back_when_the_disk_is_gone(project: Project, s3: S3) -> None:
    execute(project.database, "INSERT INTO notes (id, user_id, body) VALUES (1, 1, 'kept')")
    created = project.succeed("backup", "create").report
    backup = created["backups"][0]
    files = {path for path in Path(backup["path"]).rglob("*") if path.is_file()}
    for path in files:
        assert s3.read(f"app/{backup['id']}/{path.relative_to(backup['path'])}") == path.read_bytes()
    assert "secret-canary" not in str(created)

    rows = read_rows(project.database, ROWS)
    execute(project.database, "DELETE FROM notes")
    shutil.rmtree(project.root / "backups")
    assert backup["id"] in {entry["name"] for entry in project.succeed("backup", "list").report["entries"]}
    project.succeed("restore", backup["id"])
    assert read_rows(project.database, ROWS) == rows
    fetched = project.root / "backups" / backup["id"]
    assert {path.relative_to(fetched) for path in fetched.rglob("*") if path.is_file()} == {
        path.relative_to(backup["path"]) for path in files
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in fetched.rglob("*") if path.is_file())


def test_latest_is_fetched_where_no_backup_is_left(project: Project) -> None:
    newest = [project.succeed("backup", "create").report["backups"][0]["id"] for _ in range(2)][-1]
    shutil.rmtree(project.root / "backups")
    assert project.succeed("restore", "--plan").report["backup"] == newest


def test_a_copy_is_never_written_over(project: Project, s3: S3) -> None:
    backup = project.succeed("backup", "create").report["backups"][0]["id"]
    project.succeed("backup", "copy", "--all")  # what is there is the same: nothing to do
    key = f"app/{backup}/snapshot.lock"
    s3.write(key, b"another content")
    s3.remove(f"app/{backup}/manifest.json")
    refused = project.ask("backup", "copy", backup)
    assert refused.exit_code == 3
    assert key.removeprefix("app/") in refused.problem["what"]
    assert s3.read(key) == b"another content"


def test_a_copy_without_a_manifest_is_not_listed_and_is_completed_by_the_next(
    project: Project, s3: S3
) -> None:
    backup = project.succeed("backup", "create").report["backups"][0]["id"]
    s3.remove(f"app/{backup}/manifest.json")
    kept = shutil.move(project.root / "backups" / backup, project.root / "elsewhere")
    assert backup not in project.succeed("backup", "list").out
    assert project.ask("restore", backup).exit_code == 2
    shutil.move(kept, project.root / "backups" / backup)
    project.succeed("backup", "copy", backup)
    assert f"app/{backup}/manifest.json" in s3.list_keys()


def test_a_damaged_copy_is_not_fetched(project: Project, s3: S3) -> None:
    backup = project.succeed("backup", "create").report["backups"][0]["id"]
    key = f"app/{backup}/data/database.sqlite"
    content = bytearray(s3.read(key))
    content[len(content) // 2] ^= 1
    s3.write(key, bytes(content))
    shutil.rmtree(project.root / "backups")
    refused = project.ask("restore", backup)
    assert refused.exit_code == 3
    assert "damaged" in refused.problem["what"]
    assert not list((project.root / "backups").glob("*"))


@pytest.mark.parametrize(
    ("offsite", "exit_code"), [("s3://no-such-bucket/app", 0), ("file:///proc/nowhere", 0), ("s4://what", 2)]
)
def test_a_store_that_does_not_answer_is_said_and_the_backup_is_good(
    project: Project, offsite: str, exit_code: int
) -> None:
    configure(project, offsite)
    done = project.ask("backup", "create")
    assert done.exit_code == exit_code, done
    if exit_code == 0:
        assert done.rules == {"backup.not-copied"}
        assert done.entry("verify")["status"] == "passed"
