"""``govern doctor``: every line is a fact, and every failing one says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern import config
from govern.checks.doctor import examine
from govern.config import Settings
from govern.core.report import Entry
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.source.lock.rendering import render_lock
from tests.fixtures.databases import MakeRole

ENV = """\
from alembic import context
from sqlalchemy import Column, Integer, MetaData, Table, create_engine
metadata = MetaData()
Table("users", metadata, Column("id", Integer, primary_key=True))
if context.is_offline_mode():
    context.configure(url="sqlite://", target_metadata=metadata)
else:
    with create_engine("sqlite://").connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "migrations/versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (root / "migrations/env.py").write_text(ENV)
    (root / "migrations/versions/a.py").write_text(
        'revision = "a"\ndown_revision = None\ndef upgrade(): pass\ndef downgrade(): pass\n'
    )
    return root


def read(project: Path, url: DatabaseUrl | None = None) -> Settings:
    return config.load(start=project, url=url.text if url else None, environ={})


def by_name(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries}


def test_a_healthy_project_has_no_finding(project: Path, any_database: DatabaseUrl) -> None:
    entries = by_name(examine(read(project, any_database)))
    assert {entry.status for entry in entries.values()} == {"passed"}, entries
    assert entries["alembic"].reason == "1 revision in migrations/versions"
    assert "1 table in the metadata" in entries["project"].reason
    assert "never migrated" in entries["database"].reason
    assert entries["lock"].reason == "no schema/schema.lock yet; it is written by: govern lock"


def test_looking_creates_nothing(project: Path, tmp_path: Path) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    entries = by_name(examine(read(project)))
    assert entries["database"].reason.startswith("none configured")
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_sqlite_file_that_is_yet_to_be_made_is_no_finding(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite"
    entries = by_name(examine(read(project, DatabaseUrl.parse(f"sqlite:///{file}"))))
    assert entries["database"].reason == f"no {file} yet; govern migrate creates it"
    assert not file.exists()


def test_a_server_that_does_not_answer_is_a_finding_without_the_password(project: Path) -> None:
    url = DatabaseUrl.parse("postgresql://app:s3cr3t@127.0.0.1:1/app")
    entries = by_name(examine(read(project, url)))
    [finding] = entries["database"].findings
    assert finding.rule.id == "startup.no-database"
    assert finding.remedy
    assert "s3cr3t" not in str(entries)
    assert "rights" not in entries


def test_a_role_that_may_not_create_databases_is_told_where_scratch_databases_are_made(
    project: Path, make_role: MakeRole
) -> None:
    entry = by_name(examine(read(project, make_role("patient", "s3cr3t"))))["rights"]
    assert entry.status == "passed"
    assert "may not create databases" in entry.reason
    assert "embedded PostgreSQL" in entry.reason


def test_a_role_that_may_create_databases_is_fine(project: Path, make_role: MakeRole) -> None:
    url = make_role("patient", "s3cr3t", createdb=True)
    assert by_name(examine(read(project, url)))["rights"].status == "passed"


def test_who_holds_the_migration_lock_is_named(project: Path, any_database: DatabaseUrl) -> None:
    settings = read(project, any_database)
    with dialect_of(any_database).hold_migration_lock(any_database, wait_seconds=1):
        entries = by_name(examine(settings, locks=True))
    [finding] = entries["migration lock"].findings
    assert "pid " in finding.why
    assert set(entries) == {"database", "migration lock"}
    assert by_name(examine(settings, locks=True))["migration lock"].reason == "free"


def test_a_missing_env_is_named(project: Path) -> None:
    (project / "migrations/env.py").unlink()
    [finding] = by_name(examine(read(project)))["alembic"].findings
    assert finding.message == "there is no migrations/env.py"


def test_metadata_that_nobody_gives_is_a_finding(project: Path) -> None:
    env = project / "migrations/env.py"
    env.write_text(env.read_text().replace("target_metadata=metadata", "target_metadata=None"))
    [finding] = by_name(examine(read(project)))["project"].findings
    assert finding.message == "no metadata was found"


def test_a_database_that_env_alone_knows_of_is_a_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_DB", "postgresql://app:s3cret@db/shop")
    env = project / "migrations/env.py"
    env.write_text(f"import os\n{ENV}".replace('url="sqlite://"', 'url=os.environ["SHOP_DB"]'))
    [finding] = by_name(examine(read(project)))["project"].findings
    assert finding.message == "env.py means postgresql://app@db/shop, and govern knows of no database"
    assert finding.remedy == 'write url_env = "SHOP_DB" into the configuration'
    configured = read(project, DatabaseUrl.parse(f"sqlite:///{tmp_path}/app.db"))
    assert by_name(examine(configured))["project"].status == "passed"


def test_a_lock_of_another_engine_is_a_finding(project: Path, tmp_path: Path) -> None:
    (project / "schema").mkdir()
    lock = render_lock(Snapshot(dialect="postgresql", server_version="18.1", objects={}), heads=("a",))
    (project / "schema/schema.lock").write_text(lock)
    other = read(project, DatabaseUrl.parse(f"sqlite:///{tmp_path}/app.db"))
    [finding] = by_name(examine(other))["lock"].findings
    assert finding.message == "schema/schema.lock is written for another engine than the database's"
    fitting = read(project, DatabaseUrl.parse("postgresql://app@127.0.0.1:1/app"))
    assert by_name(examine(fitting))["lock"].status == "passed"


def test_an_interpreter_that_is_missing_is_a_finding(project: Path) -> None:
    (project / "govern.toml").write_text('python = ".venv/bin/python"\n')
    [finding] = by_name(examine(read(project)))["project"].findings
    assert finding.remedy


def test_a_backups_folder_that_cannot_be_one_is_a_finding(project: Path) -> None:
    (project / "backups").write_text("a file")
    [finding] = by_name(examine(read(project)))["backups"].findings
    assert finding.message == "the backups folder backups cannot be written"
