"""A project without models: its SQL files make the tables, and its revisions are written from them."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from tests.acceptance.conftest import MakeProject

TABLES = """\
CREATE TABLE users (id serial PRIMARY KEY, email varchar(200) NOT NULL UNIQUE);
CREATE TABLE notes (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users, body text NOT NULL);
"""
MORE = """\
CREATE TABLE labels (id integer PRIMARY KEY, name text NOT NULL);
CREATE VIEW authors AS SELECT DISTINCT user_id FROM notes;
"""


def test_sql_files_are_adopted_checked_and_made_into_revisions(
    make_project: MakeProject, postgresql_database: DatabaseUrl
) -> None:
    project = make_project("plain", postgresql_database, {"app/models.py": None, "db/1_tables.sql": TABLES})
    project.edit("migrations/env.py", "from app.models import Base\n", "")
    project.edit("migrations/env.py", "Base.metadata", "None")
    adopted = project.succeed("init")
    assert adopted.entry("metadata")["reason"] == "no models; the SQL files of db"

    project.write({"db/2_more.sql": MORE})
    written = project.succeed("revision", "-m", "more")
    text = (project.root / written.report["path"]).read_text()
    assert "CREATE TABLE" in text
    assert "CREATE VIEW" in text
    assert "users" not in text, "what there is already stays"
    assert project.succeed("check").rules == {"drift.lock-missing"}


def test_without_tables_in_sql_files_models_are_asked_for(
    make_project: MakeProject, sqlite_database: DatabaseUrl
) -> None:
    functions = {"schema/sql/view.sql": "-- CREATE TABLE users\nCREATE VIEW one AS SELECT 1;\n"}
    project = make_project("plain", sqlite_database, functions)
    project.edit("migrations/env.py", "target_metadata = Base.metadata", "target_metadata = None")
    refused = project.ask("check")
    assert refused.exit_code == 2, refused
    assert refused.problem["what"] == "the project's models were not found"
