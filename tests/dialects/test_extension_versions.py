"""A copy has extensions at the versions that the original has, whatever the server offers first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

from govern.actions.repairs.schema import prove_repair
from govern.config import load
from govern.core.repair import RepairPlan
from govern.core.scope import Scope
from govern.core.snapshot import ObjectKey
from govern.database.live import LiveDatabase
from govern.database.postgresql import dump, server
from govern.database.postgresql.engine import PostgreSQL
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.declared import Declared
from govern.errors import FailedMidway
from tests.fixtures.databases import MakeDatabase

NAME = "pg_trgm"
OLDER = "1.3"
KEY = ObjectKey("extension", "", NAME)

MakeWithVersions = Callable[[], DatabaseUrl]


@pytest.fixture
def make_database(make_postgresql_database: MakeDatabase) -> Iterator[MakeWithVersions]:
    """Makes databases that are offered several versions of an extension: the contributed one's, else our own's."""
    folder = Path(tempfile.mkdtemp(prefix="govern-extension-"))
    folder.chmod(0o755)  # the server may run as another user

    def make() -> DatabaseUrl:
        url = make_postgresql_database("template0")
        with server.connect(url) as connection:
            if connection.value(f"SELECT count(*) FROM pg_available_extensions WHERE name = '{NAME}'"):
                return url
            if int(connection.value("SHOW server_version_num")) < 180000:
                pytest.skip("this server comes with no extension of two versions, and finds none elsewhere")
        option = quote(f"-c extension_control_path=$system:{folder}")
        return DatabaseUrl.parse(f"{url.text}{'&' if '?' in url.text else '?'}options={option}")

    write_extension(folder / "extension")
    yield make
    shutil.rmtree(folder)


def write_extension(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{NAME}.control").write_text("default_version = '1.6'\nrelocatable = true\n", encoding="utf-8")
    function = "CREATE FUNCTION similarity() RETURNS integer LANGUAGE sql RETURN 1;"
    (folder / f"{NAME}--{OLDER}.sql").write_text(function, encoding="utf-8")
    (folder / f"{NAME}--{OLDER}--1.6.sql").write_text("SELECT 1;", encoding="utf-8")


def test_a_restore_has_the_version_that_was_dumped(make_database: MakeWithVersions, tmp_path: Path) -> None:
    original, restored = make_database(), make_database()
    run(original, f"CREATE EXTENSION {NAME} VERSION '{OLDER}'")
    copy(original, restored, tmp_path)
    assert version(restored) == OLDER


def test_a_restore_has_it_in_the_schema_that_was_dumped(
    make_database: MakeWithVersions, tmp_path: Path
) -> None:
    original, restored = make_database(), make_database()
    run(original, 'CREATE SCHEMA "Other"; COMMENT ON SCHEMA "Other" IS \'its own\'; CREATE SCHEMA beside')
    run(original, f"CREATE EXTENSION {NAME} SCHEMA \"Other\" VERSION '{OLDER}'")
    copy(original, restored, tmp_path)
    assert read_objects(restored) == read_objects(original)


def test_the_servers_first_version_is_restored_as_ever(
    make_database: MakeWithVersions, tmp_path: Path
) -> None:
    original, restored = make_database(), make_database()
    run(original, f"CREATE EXTENSION {NAME}")
    copy(original, restored, tmp_path)
    assert read_objects(restored) == read_objects(original)
    assert version(restored) != OLDER


def test_a_restore_that_fails_leaves_no_extension_behind(
    make_database: MakeWithVersions, tmp_path: Path
) -> None:
    original, restored = make_database(), make_database()
    run(original, f"CREATE SCHEMA ext; CREATE EXTENSION {NAME} SCHEMA ext VERSION '{OLDER}'")
    run(original, "CREATE TABLE in_the_way ()")
    run(restored, "CREATE TABLE in_the_way ()")
    with pytest.raises(FailedMidway, match="could not be restored"):
        copy(original, restored, tmp_path)
    assert {key for key in read_objects(restored) if key.kind in ("extension", "schema")} == {
        ObjectKey("extension", "", "plpgsql"),
        ObjectKey("schema", "", "public"),
    }


def test_an_extension_is_updated_by_a_proven_repair(make_database: MakeWithVersions, tmp_path: Path) -> None:
    declared, live = make_database(), make_database()
    run(declared, f"CREATE EXTENSION {NAME}")
    run(live, f"CREATE EXTENSION {NAME} VERSION '{OLDER}'")
    plan = prove(declared, live, tmp_path)
    assert plan.is_proven
    run(live, ";".join(plan.statements))
    assert version(live) == version(declared)


def test_a_version_that_cannot_be_had_is_the_plans_problem(
    make_database: MakeWithVersions, tmp_path: Path
) -> None:
    declared, live = make_database(), make_database()
    for database in (declared, live):
        run(database, f"CREATE EXTENSION {NAME}")
    run(live, f"UPDATE pg_extension SET extversion = 'gone' WHERE extname = '{NAME}'; CREATE TABLE t ()")
    plan = prove(declared, live, tmp_path)
    assert not plan.is_proven
    assert NAME in plan.problem
    assert "gone" in plan.problem


def prove(declared: DatabaseUrl, live: DatabaseUrl, folder: Path) -> RepairPlan:
    database = LiveDatabase(load(url=live.text, start=folder, environ={}), live)
    wanted = LiveDatabase(database.settings, declared)
    return prove_repair(database, Declared(declared, wanted.read_snapshot()), Scope(), date.min)


def copy(source: DatabaseUrl, target: DatabaseUrl, folder: Path) -> None:
    dump.dump(source, folder)
    dump.restore(folder, target)


def run(url: DatabaseUrl, statements: str) -> None:
    with server.connect(url) as connection:
        connection.execute(statements)


def version(url: DatabaseUrl) -> object:
    return read_objects(url)[KEY]["version"]


def read_objects(url: DatabaseUrl) -> dict[ObjectKey, dict[str, object]]:
    dialect = PostgreSQL()
    with server.connect(url) as connection:
        snapshot = dialect.read_snapshot(connection, VersionTable())
    return {key: dict(facts) for key, facts in snapshot.objects.items()}
