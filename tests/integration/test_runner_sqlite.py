"""SQLite's transactions under the runner: DDL in them, pragmas outside of them, and projects of other habits."""

from __future__ import annotations

from govern.database.url import DatabaseUrl
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject, list_tables, read_rows, read_version, third_revision

FOREIGN_KEYS = {
    "migrations/versions/r3_cascade.py": """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "r3", "r2"

def upgrade():
    op.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT)")
    op.execute("CREATE TABLE children (id INTEGER PRIMARY KEY, "
               "parent INTEGER REFERENCES parents ON DELETE CASCADE)")
    op.execute("INSERT INTO parents VALUES (1, 'one')")
    op.execute("INSERT INTO children VALUES (1, 1)")
""",
    "migrations/versions/r4_batch.py": """
from alembic import op
revision, down_revision = "r4", "r3"

def upgrade():
    op.execute("PRAGMA foreign_keys = OFF")
    with op.batch_alter_table("parents", recreate="always") as batch:
        batch.alter_column("name", nullable=False)
    op.execute("PRAGMA foreign_keys = ON")
""",
}


def test_a_batch_operation_with_foreign_keys_off_deletes_no_rows(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain", FOREIGN_KEYS)
    env = settings.root / "migrations/env.py"
    connect = "    with engine.connect() as connection:\n"
    switch = "        connection.exec_driver_sql('PRAGMA foreign_keys = ON')\n        connection.rollback()\n"
    env.write_text(env.read_text().replace(connect, connect + switch))
    outcome = Runner(settings).upgrade(sqlite_database)
    assert outcome.error is None
    assert read_version(sqlite_database) == {"r4"}
    assert read_rows(sqlite_database, "SELECT count(*) FROM children") == [(1,)]
    assert any("PRAGMA foreign_keys" in note for note in outcome.notes)


def test_a_project_with_its_own_begin_is_left_to_it(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain", third_revision('raise RuntimeError("not today")'))
    env = settings.root / "migrations/env.py"
    own = (
        "    from sqlalchemy import event\n"
        "    @event.listens_for(engine, 'connect')\n"
        "    def own_ways(connection, record):\n        connection.isolation_level = None\n"
        "    @event.listens_for(engine, 'begin')\n"
        "    def begin(connection):\n        connection.exec_driver_sql('BEGIN')\n"
        "    with engine.connect() as connection:\n"
    )
    text = env.read_text().replace("    with engine.connect() as connection:\n", own)
    env.write_text(text.replace("connection=connection,", "connection=connection, transactional_ddl=True,"))
    outcome = Runner(settings).upgrade(sqlite_database)
    assert outcome.error is not None
    assert outcome.error.message == "not today"
    assert list_tables(sqlite_database) == set()
