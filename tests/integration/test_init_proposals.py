"""What ``govern init`` proposes for projects with a past: tables, relationships, history, version table, sections."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from govern import config
from govern.actions.init import Adoption, init
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.revisions.graph import read_project_chain
from govern.revisions.runner import Runner
from govern.source.manifest.document import parse_document
from tests.fixtures.projects import CopyProject, list_tables

ENV = "migrations/env.py"
MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Owned:
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String(200), nullable=False, unique=True)


class Note(Owned, Base):
    __tablename__ = "notes"


for name in ("likes", "visits"):
    type(name, (Owned, Base), {"__tablename__": name, "note_id": Column(Integer)})
"""


def adopt(root: Path, section: str | None = None) -> Adoption:
    found = config.load(start=root, section=section, environ={})
    return init(found, today=date(2030, 5, 17), narrate=lambda _: None)


def read_env(root: Path) -> str:
    return (root / ENV).read_text(encoding="utf-8")


def test_tables_that_only_an_import_shows_are_counted_and_columns_like_references_are_proposed(
    copy_project: CopyProject,
) -> None:
    root = copy_project("plain", {"app/models.py": MODELS}).root
    adopt(root)
    manifest = (root / "schema/governance.yaml").read_text()
    assert '\n  - name: "users"   # referenced by 3 tables\n' in manifest
    assert '#   - from: "likes.note_id"\n#     to: "notes.id"\n' in manifest
    assert "user_id" not in manifest, "it has a foreign key"
    taken_over = manifest.replace("#   - from", "  - from").replace("#     to", "    to")
    values = parse_document(taken_over.replace("# relationships:", "relationships:")).values
    assert [entry["from"] for entry in values["relationships"]] == ["likes.note_id", "visits.note_id"]


def test_the_history_and_the_version_table_are_kept_in_the_configuration(
    copy_project: CopyProject, sqlite_database: DatabaseUrl
) -> None:
    root = copy_project("plain").root
    env = read_env(root).replace("target_metadata=", 'version_table="revisions", target_metadata=')
    (root / ENV).write_text(env)
    adopt(root)
    settings = config.load(start=root, environ={})
    assert (settings.alembic.version_table, settings.since) == ("revisions", ("r2",))
    assert Runner(settings).upgrade(sqlite_database).error is None
    assert "revisions" in list_tables(sqlite_database)


def test_each_section_of_an_ini_becomes_a_history_of_its_own(
    copy_project: CopyProject, sqlite_database: DatabaseUrl
) -> None:
    root = copy_project("plain").root
    ini = root / "alembic.ini"
    billing = "[billing]\nscript_location = billing\nprepend_sys_path = .\n"
    ini.write_text(f"{ini.read_text()}\n{billing}")
    (root / "billing/versions").mkdir(parents=True)
    (root / "billing/env.py").write_text(read_env(root))
    first = "from alembic import op\nrevision, down_revision = 'b1', None\n"
    first += "def upgrade():\n    op.execute('CREATE TABLE invoices (id integer)')\n"
    (root / "billing/versions/b1.py").write_text(first)

    assert adopt(root).next[-1] == "govern init --name billing"
    adopted = adopt(root, "billing")
    assert adopted.written == ("govern.billing.toml", "schema/billing.yaml")
    assert adopted.next[1:] == tuple(
        f"govern --config govern.billing.toml {name}" for name in ("doctor", "lock", "check", "migrate")
    )
    usual = config.load(start=root, environ={})
    own = config.load(config=root / "govern.billing.toml", environ={})
    assert read_project_chain(usual).heads == ("r2",)
    assert read_project_chain(own).heads == ("b1",) == own.since
    assert {own.lock, own.backups, own.checksums}.isdisjoint({usual.lock, usual.backups, usual.checksums})
    assert Runner(own).upgrade(sqlite_database).error is None
    assert list_tables(sqlite_database) == {"alembic_version", "invoices"}
    with pytest.raises(ConfigurationError, match=r"has no section \[audit\]"):
        adopt(root, "audit")


def test_an_env_that_migrates_several_databases_in_one_run_is_told_apart(
    copy_project: CopyProject, sqlite_database: DatabaseUrl
) -> None:
    root = copy_project("plain").root
    ini = root / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]\n", "[alembic]\ndatabases = users, orders\n"))
    env = read_env(root).replace(
        "connection=connection,", 'connection=connection, upgrade_token="users_upgrades",'
    )
    (root / ENV).write_text(env)
    found = config.load(start=root, url=sqlite_database.text, environ={})
    adopted = init(found, today=date(2030, 5, 17), narrate=lambda _: None)
    (finding,) = (finding for entry in adopted.entries for finding in entry.findings)
    assert "several databases: users, orders" in finding.message
    assert "govern init --name users" in finding.remedy
    with pytest.raises(ConfigurationError, match="several databases"):
        Runner(config.load(start=root, environ={})).upgrade(sqlite_database)
    assert list_tables(sqlite_database) == set()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import sys; print('{}'); sys.exit('no settings')", "sys.exit(no settings) was called"),
        ("import os; os.environ['STAGE_OF_PROJECT']", "KeyError: 'STAGE_OF_PROJECT'"),
    ],
    ids=["prints and exits", "needs a variable"],
)
def test_an_env_that_cannot_be_asked_is_a_finding_with_its_line_and_the_files_are_written(
    line: str, words: str, copy_project: CopyProject
) -> None:
    root = copy_project("plain").root
    (root / ENV).write_text(f"{line}\n{read_env(root)}")
    adopted = adopt(root)
    (finding,) = (finding for entry in adopted.entries for finding in entry.findings)
    assert finding.message == f"migrations/env.py, line 1: {words}"
    assert finding.why.startswith(line)
    assert finding.remedy == "correct migrations/env.py, line 1"
    assert "govern.toml" in adopted.written


def test_inis_of_another_name_and_in_other_folders_are_all_named(copy_project: CopyProject) -> None:
    root = copy_project("plain").root
    (root / "alembic.ini").rename(root / "db.ini")
    (root / "migrations").rename(root / "db")
    for folder in ("one", "two"):
        (root / folder).mkdir()
        (root / folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    with pytest.raises(ConfigurationError) as caught:
        adopt(root)
    assert caught.value.next == (
        "govern init --alembic-config db.ini; or cd one && govern init; or cd two && govern init"
    )
