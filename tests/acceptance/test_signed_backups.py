"""Whoever can write into the backups' folder brings nothing into a database, unless that is allowed by name."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from govern.actions.backup.create import hash_file
from govern.core.backup import BackupFile, BackupManifest
from tests.acceptance.program import Done, Project, assert_told, dump, execute
from tests.acceptance.test_restore import back_up, on_postgresql, on_sqlite
from tests.fixtures.projects import list_tables, read_version, third_revision

KEY, OTHER = "k" * 40, "o" * 40
ADDS_NICK = 'op.add_column("users", sa.Column("nick", sa.String(20)))'
# what runs the moment an index is built, as the role that restores: here as a superuser
SMUGGLED = (
    """CREATE FUNCTION writes() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE $c$COPY (SELECT 1) TO '{file}'$c$; END $$""",
    """CREATE FUNCTION smuggled(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.writes(); RETURN 1; END $$""",
    "CREATE INDEX smuggled ON users (smuggled(id))",
)


@pytest.fixture
def marker() -> Iterator[Path]:
    """A file that the server can write, and has not."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="govern-smuggled-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder, "ran")


def folder_of(project: Project, backup: str) -> Path:
    return project.root / "backups" / backup


def forge(
    folder: Path, change: Callable[[BackupManifest], BackupManifest] = lambda manifest: manifest
) -> None:
    """Makes a manifest fit what lies in the folder, as somebody does who has govern and not the key."""
    manifest = BackupManifest.from_text((folder / "manifest.json").read_text())
    files = tuple(
        BackupFile(
            path=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=hash_file(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    )
    (folder / "manifest.json").write_text(change(replace(manifest, files=files)).to_text())


def strip(folder: Path) -> None:
    forge(folder, lambda manifest: replace(manifest, signature=None, version=2))


def exchange_data(project: Project, backup: str, other: str) -> None:
    """The content of one backup in the place of another's."""
    for name in ("data", "snapshot.lock"):
        ours, theirs = folder_of(project, backup) / name, folder_of(project, other) / name
        shutil.rmtree(ours) if ours.is_dir() else ours.unlink()
        shutil.copytree(theirs, ours) if theirs.is_dir() else shutil.copy(theirs, ours)
    rows = BackupManifest.from_text((folder_of(project, other) / "manifest.json").read_text())
    forge(
        folder_of(project, backup),
        lambda manifest: replace(manifest, rows=rows.rows, checksums=rows.checksums, revision=rows.revision),
    )


def assert_refused(done: Done, hazard: str) -> None:
    assert done.exit_code == 4, done
    assert f"--allow {hazard}" in done.problem["next"], done
    assert done.problem["state"] == "nothing was changed"


def test_a_backup_is_signed_and_restored_without_a_question(governed: Project) -> None:
    backup = back_up(governed)
    (shown,) = governed.succeed("backup", "show", backup).report["backups"]
    assert shown["signature"]["state"] == "right"
    assert "yes" in governed.govern("backup", "list").out
    execute(governed.database, "DROP TABLE notes")
    governed.succeed("restore", backup, "--merge")
    assert "notes" in list_tables(governed.database)


@on_postgresql
def test_smuggled_code_does_not_run_whatever_is_asked_of_the_backup(governed: Project, marker: Path) -> None:
    """Its twin runs it: with the right word, so that this is what would have happened."""
    backup = back_up(governed)
    execute(governed.database, *(text.format(file=marker) for text in SMUGGLED))
    evil = back_up(governed)
    execute(governed.database, "DROP INDEX smuggled", "DROP FUNCTION smuggled", "DROP FUNCTION writes")
    exchange_data(governed, backup, evil)
    shutil.rmtree(folder_of(governed, evil))
    marker.unlink()
    before = dump(governed.database)

    asked = (["--plan"], ["--merge"], ["--merge", "--plan"], ["--table", "notes"], ["--upgrade"], [])
    for words in asked:
        assert_refused(governed.ask("restore", backup, *words), f"wrong-signature:{backup}")
    assert_refused(governed.ask("backup", "drill", backup), f"wrong-signature:{backup}")
    for words in (["verify", backup], ["verify", "--all"], ["verify", backup, "--level", "files"]):
        found = governed.ask("backup", *words)
        assert found.exit_code == 1, found
        assert "backup.wrong-signature" in found.rules, found
    assert governed.ask("backup", "sign", backup).exit_code == 1
    assert not marker.exists()
    assert dump(governed.database) == before

    strip(folder_of(governed, backup))
    for words in asked:
        assert_refused(governed.ask("restore", backup, *words), f"unsigned-backup:{backup}")
    assert_refused(governed.ask("backup", "verify", backup), f"unsigned-backup:{backup}")
    assert governed.succeed("backup", "verify", backup, "--level", "files")
    assert not marker.exists()

    governed.govern("restore", backup, "--plan", "--allow", f"unsigned-backup:{backup}")
    assert marker.exists()


def test_each_file_of_a_backup_is_vouched_for(governed: Project) -> None:
    """A flipped byte is found, and so is a flipped byte in a manifest that fits it."""
    backup = back_up(governed)
    folder = folder_of(governed, backup)
    pristine = folder.parent.parent / "pristine"
    shutil.copytree(folder, pristine)
    for file in sorted(path for path in pristine.rglob("*") if path.is_file()):
        damaged = folder / file.relative_to(pristine)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        refused = governed.ask("restore", backup, "--plan")
        assert refused.exit_code in (3, 4), refused
        assert not refused.report.get("rows"), refused
        if file.name != "manifest.json":
            forge(folder)
            assert_refused(governed.ask("restore", backup, "--plan"), f"wrong-signature:{backup}")
        for path in pristine.rglob("*"):
            if path.is_file():
                shutil.copy(path, folder / path.relative_to(pristine))
    governed.succeed("restore", backup, "--plan")


@on_sqlite
def test_a_manifest_that_is_signed_for_another_backup_opens_no_door(governed: Project) -> None:
    old = back_up(governed)
    execute(governed.database, "DELETE FROM notes")
    new = back_up(governed)
    ours, theirs = folder_of(governed, new), folder_of(governed, old)
    shutil.copy(ours / "manifest.json", governed.root / "kept.json")
    shutil.copy(theirs / "manifest.json", ours / "manifest.json")
    assert governed.ask("restore", new, "--plan").exit_code == 3  # it says that it is of another backup

    # an old one under the newest's name: its manifest says so, in words of its own
    shutil.rmtree(ours)
    shutil.copytree(theirs, ours)
    forge(ours, lambda manifest: replace(manifest, id=new))
    assert_refused(governed.ask("restore", new, "--plan"), f"wrong-signature:{new}")
    # with the signature of the newest, which fits no file of the old one
    signature = BackupManifest.from_text((governed.root / "kept.json").read_text()).signature
    forge(ours, lambda manifest: replace(manifest, signature=signature))
    assert_refused(governed.ask("restore", new, "--plan"), f"wrong-signature:{new}")


@on_sqlite
def test_on_a_machine_without_the_key_one_goes_on_knowingly(governed: Project, tmp_path: Path) -> None:
    elsewhere = governed.with_environment(XDG_CONFIG_HOME=str(tmp_path / "elsewhere"))
    backup = back_up(governed.with_environment(GOVERN_BACKUP_KEY=KEY))
    execute(governed.database, "DROP TABLE notes")

    refused = elsewhere.ask("restore", backup)
    assert_refused(refused, f"unknown-key:{backup}")
    assert "here there are: none" in refused.problem["why"]
    assert_told(elsewhere, "restore", backup, exit_code=4, said="nobody here can say")
    assert_refused(
        elsewhere.with_environment(GOVERN_BACKUP_KEY=OTHER).ask("restore", backup), f"unknown-key:{backup}"
    )
    (listed,) = [row for row in elsewhere.succeed("backup", "list").report["backups"] if row["id"] == backup]
    assert listed["signature"]["state"] == "unknown-key"
    elsewhere.succeed("restore", backup, "--merge", "--allow", f"unknown-key:{backup}")
    assert "notes" in list_tables(governed.database)
    elsewhere.with_environment(GOVERN_BACKUP_KEY=f"{OTHER} {KEY}").succeed("restore", backup, "--plan")


@on_sqlite
def test_an_unsigned_backup_of_an_earlier_release_is_signed_once_and_for_all(governed: Project) -> None:
    backup = back_up(governed)
    strip(folder_of(governed, backup))
    refused = governed.ask("restore", backup, "--plan")
    assert_refused(refused, f"unsigned-backup:{backup}")
    assert f"govern backup sign {backup}" in refused.problem["next"]
    skipped = governed.ask("backup", "verify", "--all")
    assert skipped.entry(backup)["status"] == "skipped", skipped

    governed.succeed("backup", "sign", "--all")
    governed.succeed("backup", "verify", backup)
    governed.succeed("restore", backup, "--plan")


def test_without_a_home_backups_are_made_and_the_process_knows_its_own(
    governed: Project, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("no folder")
    homeless = governed.with_environment(XDG_CONFIG_HOME=str(tmp_path / "home"))
    done = homeless.succeed("backup", "create")
    assert "backup.key-not-kept" in done.rules
    made = done.report["backups"][0]["id"]
    assert_refused(homeless.ask("restore", made), f"unknown-key:{made}")

    # it fails after it has committed, and is restored from the backup that this very process has made
    governed.write({"schema/governance.yaml": "critical_tables:\n  - {name: users, min_rows: 3}\n"})
    governed.write(third_revision(ADDS_NICK))
    failed = homeless.ask("migrate", "--rehearse", "off", "--on-failure", "restore")
    assert failed.exit_code == 5, failed
    assert "restored from backup" in failed.problem["state"], failed
    assert read_version(governed.database) == {"r2"}


@on_sqlite
@pytest.mark.parametrize("variable", ["GOVERN_BACKUP_KEY", "GOVERN_BACKUP_KEY_FILE"])
def test_a_key_is_shown_nowhere(governed: Project, tmp_path: Path, variable: str) -> None:
    (tmp_path / "key").write_text(KEY)
    value = KEY if variable == "GOVERN_BACKUP_KEY" else str(tmp_path / "key")
    project = governed.with_environment(**{variable: value})
    backup = back_up(project)
    done = [
        project.govern(*words)
        for words in (["backup", "show", backup], ["restore", backup, "-v"], ["doctor"])
    ]
    project.write(third_revision("raise RuntimeError(str(dict(__import__('os').environ)))"))
    done += [project.govern("migrate", "-v")]
    assert "'PATH'" in done[-1].out + done[-1].err  # a revision told all that it knew
    assert all(KEY not in one.out + one.err for one in done)
    assert KEY not in dump(project.database)
    assert [path for path, content in project.read_files().items() if KEY.encode() in content] == []
    assert (
        json.loads((folder_of(project, backup) / "manifest.json").read_text())["signature"]["key"] not in KEY
    )
