"""What ``alembic check`` does not see in a project of which it says that nothing is to be done."""

from __future__ import annotations

import runpy
from dataclasses import replace

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from govern import api
from govern.database.url import DatabaseUrl
from govern.revisions.runner import Runner
from tests.fixtures.projects import CopyProject

MODELS = """
from sqlalchemy import CheckConstraint, Column, Enum, ForeignKey, Index, Integer, MetaData, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import declarative_base

Base = declarative_base(metadata=MetaData(naming_convention={"fk": "fk_%(table_name)s_%(column_0_name)s"}))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


class Job(Base):
    __tablename__ = "jobs"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    state = Column(Enum("queued", "running", "done", name="job_state"))
    tries = Column(Integer)
    facts = Column(JSONB)
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries_are_positive"),
        Index("queued_jobs", "user_id", postgresql_where=text("state = 'queued'")),
        Index("facts_of_jobs", "facts", postgresql_using="gin"),
    )


class Share(Base):
    __tablename__ = "shares"
    user_id = Column(Integer, primary_key=True)
    job_id = Column(Integer, primary_key=True)
"""
SQL = """
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER jobs_stamp BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION stamp();
"""
REVISION = '''
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("""
        CREATE TYPE job_state AS ENUM ('queued', 'running');
        CREATE TABLE users (id serial PRIMARY KEY);
        CREATE TABLE jobs (id serial PRIMARY KEY, state job_state, tries integer, facts jsonb, user_id integer,
            CONSTRAINT fk_jobs_user_id FOREIGN KEY (user_id) REFERENCES users (id),
            CONSTRAINT jobs_user_fk FOREIGN KEY (user_id) REFERENCES users (id));
        CREATE INDEX queued_jobs ON jobs (user_id);
        CREATE INDEX facts_of_jobs ON jobs USING btree (facts);
        CREATE TABLE shares (user_id integer NOT NULL, job_id integer NOT NULL);
    """)


def downgrade():
    raise NotImplementedError
'''
MISSED = {
    ("drift.enum-changed", "job_state"),
    ("drift.constraint-added", "jobs.jobs_user_fk"),
    ("drift.constraint-removed", "jobs.tries_are_positive"),
    ("drift.index-changed", "jobs.queued_jobs"),
    ("drift.index-changed", "jobs.facts_of_jobs"),
    ("drift.constraint-removed", "shares.shares_pkey"),
    ("drift.function-removed", "stamp()"),
    ("drift.trigger-removed", "jobs.jobs_stamp"),
}


def test_what_alembic_check_passes_over_is_said_one_by_one(
    postgresql_database: DatabaseUrl, copy_project: CopyProject
) -> None:
    files = {"app/models.py": MODELS, "migrations/versions/r1_users.py": REVISION}
    settings = copy_project("plain", {**files, "migrations/versions/r2_notes.py": None})
    settings.sql.mkdir(parents=True)
    (settings.sql / "stamp.sql").write_text(SQL)
    settings = replace(settings, url=postgresql_database.text)
    assert Runner(settings).upgrade(postgresql_database).error is None
    assert find_by_autogenerate(postgresql_database, settings.root / "app/models.py") == []

    models = next(entry for entry in api.check(settings).entries if entry.name == "models")
    assert {(finding.rule.id, finding.subject.name) for finding in models.findings} == MISSED
    assert all(finding.fix and finding.fix.proven for finding in models.findings)


def find_by_autogenerate(url: DatabaseUrl, models: object) -> list[object]:
    """As ``alembic check`` does."""
    metadata = runpy.run_path(str(models))["Base"].metadata
    engine = create_engine(make_url(url.text).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))
