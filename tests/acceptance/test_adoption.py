"""From ``alembic init`` and three models to a governed database, without a change to env.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from govern.database.url import DatabaseUrl
from govern.source.manifest.json_schema import render_json_schema
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project
from tests.fixtures.projects import list_tables, read_version, third_revision

MODELS = """\
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200), unique=True)


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)


class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    body: Mapped[str]
"""


def run_alembic_init(root: Path, template: str) -> None:
    root.mkdir()
    command = (sys.executable, "-m", "alembic", "init", "--template", template, "migrations")
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("any_database", "template"), [("postgresql", "async"), ("sqlite", "generic")], indirect=["any_database"]
)
def test_a_fresh_alembic_project_is_governed_in_seven_commands(
    template: str, any_database: DatabaseUrl, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    run_alembic_init(root, template)
    project = Project(root=root, url=any_database.text)
    project.write({"models.py": MODELS})
    alembics = {path: content for path, content in project.read_files().items() if path != "models.py"}

    project.succeed("init")
    assert 'models = "models:Base.metadata"' in (root / "govern.toml").read_text()
    written = project.succeed("revision", "-m", "first").report["path"]
    assert (root / written).is_file()
    checked = project.succeed("check")
    assert checked.rules == {"drift.lock-missing"}
    project.succeed("lock")
    assert project.succeed("check").findings == []
    migrated = project.succeed("migrate")
    (head,) = migrated.report["target"]["heads"]
    assert read_version(any_database) == {head}
    assert {"users", "posts", "comments"} <= list_tables(any_database)
    drifted = project.succeed("drift")
    assert drifted.findings == []
    project.succeed("health")

    now = project.read_files()
    assert {path: now[path] for path in alembics} == alembics
    assert "migrations/env.py" in alembics


def test_a_model_that_no_revision_creates_is_found_and_written(
    sqlite_database: DatabaseUrl, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    run_alembic_init(root, "generic")
    project = Project(root=root, url=sqlite_database.text)
    project.write({"models.py": MODELS})
    project.succeed("init")
    project.succeed("revision", "-m", "first")
    project.write({"models.py": MODELS + "    title: Mapped[str | None]\n"})

    forgotten = project.ask("check")
    assert forgotten.exit_code == 1, forgotten
    (finding,) = (found for found in forgotten.findings if found["rule"] == "drift.column-removed")
    assert finding["subject"]["name"] == "comments.title"
    project.succeed("revision", "-m", "titles")
    project.succeed("check")


def test_an_index_of_a_model_that_no_database_takes_is_named_and_the_rest_is_compared(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database)
    project.edit("app/models.py", "import Column, ForeignKey,", "import Column, ForeignKey, Index,")
    indexes = "Index('by_body', Note.body, postgresql_using='gin')\nIndex('by_user', Note.user_id)\n"
    project.write({"app/models.py": f"{(project.root / 'app/models.py').read_text()}\n\n{indexes}"})
    by_body = "op.execute(\"CREATE INDEX by_body ON notes USING gin (to_tsvector('simple', body))\")"
    project.write(third_revision(by_body))

    checked = project.ask("check")
    assert checked.exit_code == 1, checked
    models = {finding["rule"]: finding for finding in checked.entry("models")["findings"]}
    assert models.keys() == {"drift.model-refused", "drift.index-removed", "drift.table-added"}
    assert "no default operator class" in models["drift.model-refused"]["message"]
    assert models["drift.index-removed"]["subject"]["name"] == "notes.by_user"
    assert "by_body" not in str(models["drift.index-removed"]["fix"])
    refused = project.ask("lock")
    assert refused.exit_code == 2, refused
    assert "by_body" in refused.problem["what"]


def test_a_written_revision_does_what_autogenerate_does_not_see(
    make_project: MakeProject, any_database: DatabaseUrl
) -> None:
    project = make_project("plain", any_database)
    project.write(
        {"govern.toml": 'sql = "schema/sql"\n', "schema/sql/watch.sql": WATCH[any_database.dialect]}
    )
    forgotten = project.ask("check")
    finding = next(found for found in forgotten.findings if found["rule"] == "drift.trigger-removed")
    assert finding["fix"]["proven"]
    assert "notes_watch" in "".join(finding["fix"]["sql"])

    done = project.succeed("revision", "-m", "watch")
    assert "beyond autogenerate" in done.entry("revision")["reason"]
    assert project.succeed("check").rules == {"drift.lock-missing"}
    project.succeed("lock")
    project.succeed("migrate")
    project.succeed("drift", "--against", "models")
    written = (project.root / done.report["path"]).read_text()
    downgrade = written.partition("def downgrade")[2]
    assert "DROP TRIGGER" in downgrade


WATCH = {
    "postgresql": """
        CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.body := NEW.body || ' :seen at 12:30';
          RETURN NEW;
        END
        $$;
        CREATE TRIGGER notes_watch BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION watch();
    """,
    "sqlite": """
        CREATE TRIGGER notes_watch AFTER INSERT ON notes BEGIN
          UPDATE notes SET body = body || ' :seen' WHERE id = NEW.id;
        END;
    """,
}


def test_the_lock_brings_the_editors_schema_up_to_date_where_there_is_one(governed: Project) -> None:
    beside = governed.root / "schema/governance.schema.json"
    governed.write({"schema/governance.yaml": "critical_tables: []\n"})
    governed.succeed("lock")
    assert not beside.exists()
    beside.write_text("{}\n")
    done = governed.succeed("lock")
    assert "schema/governance.schema.json" in {entry["name"] for entry in done.report["entries"]}
    assert json.loads(beside.read_text()) == render_json_schema()
