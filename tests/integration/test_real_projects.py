"""Ways of real projects that break a naive tool: hooks for autogenerate, tenants, env.py without a word offline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import psycopg
import pytest

from govern import api, config
from govern.actions.init import init
from govern.config import Settings
from govern.core.report import Report
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject, third_revision

ENV = "migrations/env.py"
CONFIGURE = "context.configure(connection=connection, target_metadata=target_metadata"
RUN = f"""        {CONFIGURE})
        with context.begin_transaction():
            context.run_migrations()
"""
HOOK = """
def discard(context, revision, directives):
    if directives[0].upgrade_ops.is_empty():
        directives[:] = []
"""
FOR_EACH_TENANT = f"""        for tenant in []:
            {CONFIGURE}, version_table=f"versions_{{tenant}}")
            with context.begin_transaction():
                context.run_migrations()
"""
ODD_MODELS = """
from sqlalchemy import JSON, Column, Integer, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import declarative_base

Base = declarative_base(metadata=MetaData(naming_convention={"pk": "pk_%(table_name)s"}))


class Setting(Base):
    __tablename__ = "settings"
    id = Column(Integer, primary_key=True)
    value = Column(JSON, nullable=False, server_default=text("'{\\"a\\": [1, 2]}'"))
    stage = Column(String(10), server_default="test")
    __table_args__ = (UniqueConstraint("id"),)
"""
ODD_REVISION = """
import sqlalchemy as sa
from alembic import op

revision: str = "2024.01.first"
down_revision: str | None = None


def upgrade():
    op.execute("CREATE TABLE settings (id serial CONSTRAINT pk_settings PRIMARY KEY,"
               " value json NOT NULL DEFAULT '{\\"a\\": [1, 2]}', stage varchar(10) DEFAULT 'test')")
"""
IN_OPS = f"""        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ops")
        connection.commit()
        {CONFIGURE}, version_table="revisions", version_table_schema="ops")
        with context.begin_transaction():
            context.run_migrations()
"""


def with_env(settings: Settings, old: str, new: str, url: DatabaseUrl) -> Settings:
    env = settings.root / ENV
    text = env.read_text(encoding="utf-8")
    assert old in text
    env.write_text(text.replace(old, new), encoding="utf-8")
    return replace(settings, url=url.text)


def adopt(settings: Settings, url: DatabaseUrl) -> Settings:
    adopted = init(replace(settings, url=url.text), today=date(2030, 1, 1), narrate=lambda _: None)
    assert all(entry.status == "passed" for entry in adopted.entries), adopted
    return config.load(start=settings.root, url=url.text, environ={})


def statuses(report: Report) -> dict[str, str]:
    return {entry.name: entry.status for entry in report.entries}


def test_a_hook_that_empties_what_autogenerate_found_is_heeded_and_does_not_disturb_a_check(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    settings = with_env(
        settings, f"{CONFIGURE})", f"{CONFIGURE}, process_revision_directives=discard)", sqlite_database
    )
    settings = with_env(
        settings, "\ndef run_migrations_online", f"{HOOK}\n\ndef run_migrations_online", sqlite_database
    )
    assert statuses(api.check(settings))["models"] == "passed"
    assert Runner(settings).upgrade(sqlite_database).error is None
    assert Runner(settings).revision(sqlite_database, "nothing") is None
    assert len(list((settings.root / "migrations/versions").glob("*.py"))) == 2


def test_a_loop_over_tenants_that_has_none_is_no_success(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = with_env(copy_project("plain"), RUN, FOR_EACH_TENANT, sqlite_database)
    with pytest.raises(CouldNotCheck, match="the revisions ran, but nothing was persisted") as caught:
        api.check(replace(settings, models="app.models:Base.metadata"))
    assert "never ran the migrations" in caught.value.why
    assert caught.value.next == "correct migrations/env.py"


def test_an_env_that_says_nothing_offline_is_adopted_and_checked(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = with_env(
        copy_project("plain"), "    run_migrations_offline()\nelse", "    pass\nelse", sqlite_database
    )
    settings = adopt(settings, sqlite_database)
    assert statuses(api.check(settings))["models"] == "passed"


def test_a_first_revision_that_names_the_text_none_is_told_to_lose_its_quotes(
    sqlite_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project("plain")
    first = settings.root / "migrations/versions/r1_users.py"
    first.write_text(first.read_text().replace("down_revision = None", 'down_revision = "None"'))
    checked = api.check(replace(settings, url=sqlite_database.text))
    (placeholder,) = (one for one in checked.findings if one.rule.id == "chain.placeholder-parent")
    assert placeholder.subject.path == "migrations/versions/r1_users.py"
    assert placeholder.remedy == "write down_revision = None without quotes"
    assert statuses(checked)["replay"] == "skipped"


def test_an_extension_that_no_server_at_hand_has_leaves_the_replay_undecided(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    wanted = third_revision("op.execute('CREATE EXTENSION IF NOT EXISTS no_such_extension')")
    settings = replace(copy_project("plain", wanted), url=postgresql_database.text)
    checked = api.check(settings)
    entries = {entry.name: entry for entry in checked.entries}
    assert (entries["replay"].status, entries["models"].status) == ("skipped", "skipped")
    assert "needs the extension no_such_extension" in entries["replay"].reason
    assert "scratch_url" in entries["replay"].reason
    assert "chain.does-not-replay" not in {finding.rule.id for finding in checked.findings}


def test_odd_models_ids_with_dots_and_a_version_table_elsewhere_are_no_differences(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    settings = copy_project(
        "plain",
        {
            "app/models.py": ODD_MODELS,
            "migrations/versions/r1_users.py": None,
            "migrations/versions/r2_notes.py": None,
            "migrations/versions/2024_first.py": ODD_REVISION,
        },
    )
    settings = adopt(with_env(settings, RUN, IN_OPS, postgresql_database), postgresql_database)
    table = (settings.alembic.version_table, settings.alembic.version_table_schema)
    assert table == ("revisions", "ops")
    checked = api.check(settings)
    assert statuses(checked).get("models") == "passed", checked
    assert Runner(settings).upgrade(postgresql_database).error is None
    assert LiveDatabase(settings, postgresql_database).read_stamped() == ("2024.01.first",)
    with psycopg.connect(postgresql_database.conninfo) as session:
        assert session.execute("SELECT version_num FROM ops.revisions").fetchall() == [("2024.01.first",)]
