"""Disks that are full and memory that is not to be had: nothing is applied, or what was applied is in the ledger."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Done, Project, execute, finish
from tests.fixtures.faults import LOCKS
from tests.fixtures.projects import read_rows, read_version

THIRD = "migrations/versions/r3.py"
MODELS = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
REVISION = """
from alembic import op
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("UPDATE users SET id = id")
    {last}
"""
NOISE = {
    "postgresql": "CREATE TABLE noise AS SELECT string_agg(md5(i::text), '') FROM generate_series(1, 16384) n(i)",
    "sqlite": "CREATE TABLE noise AS SELECT hex(randomblob(262144)) AS text",
}
"""Half a megabyte that cannot be compressed to nothing."""


def run_limited(project: Project, limit: int, amount: int, *arguments: str) -> Done:
    """``govern``, which may not have more than the amount of what the limit is of."""
    process = subprocess.Popen(
        [GOVERN, *arguments, "--format", "json"],
        cwd=project.root,
        env=project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(limit, (amount, amount)),
    )
    return finish(process)


def test_a_backup_that_does_not_fit_stops_the_migration_before_it_begins(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    """No file may grow beyond the limit, as on a disk that is full."""
    project = make_project("plain", any_database, {THIRD: REVISION.format(last="pass")})
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r2")
    execute(any_database, NOISE[any_database.dialect])
    stopped = run_limited(project, resource.RLIMIT_FSIZE, 100_000, "migrate")
    assert stopped.exit_code == 3, stopped
    assert stopped.problem["state"] == "nothing was changed", stopped
    assert re.search("does not fit|could not be", stopped.problem["what"]), stopped
    assert list((project.root / "backups").iterdir()) == []
    assert project.succeed("backup", "list").report["backups"] == []
    assert read_version(any_database) == {"r2"}
    assert len(project.succeed("history").report["runs"]) == 1

    execute(any_database, "DROP TABLE noise")
    project.succeed("migrate")


@pytest.mark.long_fault
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="a file system is mounted by root alone"
)
def test_a_full_file_system_leaves_no_part_of_a_backup(
    make_project: MakeProject, any_database: DatabaseUrl, tmp_path: Path
) -> None:
    """A migration sees it coming; a backup alone runs into it."""
    project = make_project("plain", any_database, {THIRD: REVISION.format(last="pass")})
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r2")
    execute(any_database, NOISE[any_database.dialect])
    backups = project.root / "backups"
    backups.mkdir(mode=0o700)

    def run_in_128_kilobytes(command: str) -> Done:
        script = (
            f"mount -t tmpfs -o size=128k,mode=0700 none {backups} && '{GOVERN}' {command} --format json; "
        )
        script += f"code=$?; find {backups} -mindepth 1 > {tmp_path}/left; exit $code"
        return project.run("unshare", "--mount", "sh", "-c", script)

    refused = run_in_128_kilobytes("migrate")
    assert refused.exit_code == 4, refused
    assert "has too little room for the backup" in refused.problem["what"], refused
    stopped = run_in_128_kilobytes("backup create")
    assert stopped.exit_code == 3, stopped
    assert re.search("No space left|disk is full", stopped.problem["why"]), stopped
    for done in (refused, stopped):
        assert done.problem["state"] == "nothing was changed", done
    assert (tmp_path / "left").read_text() == ""
    assert read_version(any_database) == {"r2"}


@pytest.mark.long_fault
def test_a_line_of_the_ledger_that_does_not_fit_is_left_out_whole(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    """The ledger in the database has it; of its copy, in lines of JSON, no half of one may stay."""
    project = make_project("plain", postgresql_database, {THIRD: REVISION.format(last="pass")})
    project.succeed("migrate", "--backup", "off", "--rehearse", "off", "--to", "r2")
    file = project.root / ".govern/history.jsonl"
    before = file.read_text()
    room = file.stat().st_size + 100
    done = run_limited(
        project, resource.RLIMIT_FSIZE, room, "migrate", "--backup", "off", "--rehearse", "off"
    )
    assert done.exit_code == 0, done
    assert file.read_text() == before
    newest, _ = project.succeed("history").report["runs"]
    assert (newest["result"], newest["to_revision"]) == ("applied", ["r3"])
    project.write(
        {"migrations/versions/r4.py": REVISION.format(last="pass").replace('"r3", "r2"', '"r4", "r3"')}
    )
    project.succeed("migrate", "--backup", "off", "--rehearse", "off")
    results = [json.loads(line)["result"] for line in file.read_text().splitlines()]
    assert results == ["started", "applied"] * 2


@pytest.mark.parametrize("last", ["bytearray(1 << 32)", "import os; os.kill(os.getpid(), 9)"])
def test_a_child_without_memory_leaves_the_database_as_it_was(
    last: str, make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    """It is told that there is none, or it is killed by the operating system."""
    project = make_project("plain", postgresql_database, {THIRD: REVISION.format(last=last)})
    failed = run_limited(
        project, resource.RLIMIT_AS, 1 << 31, "migrate", "--backup", "off", "--rehearse", "off"
    )
    assert failed.exit_code == 5, failed
    assert "MemoryError" in failed.problem["why"] or signal.SIGKILL.name in failed.problem["why"], failed
    assert failed.problem["state"].startswith("the database is as it was, at base")
    assert read_rows(postgresql_database, LOCKS) == [(0,)]
