"""What ``govern migrate`` takes beyond ``alembic upgrade head`` for the same pending work, in one run, interleaved.

Usage: python benchmarks/overhead.py [--tables N] [--megabytes N] [--revisions N] [--first N] [--runs N]. A schema of
81 tables with about 100 MB of rows stands on an embedded PostgreSQL in a temporary folder; five revisions are pending.
Each run gets a fresh copy of that database. Printed are medians of time and peak memory of whole processes (of a
process and its children the greatest), and ratio and difference to Alembic, round by round; once with the revisions
pending, once with nothing pending, and once with one revision that creates 100 tables in an empty database. The
ledger, the lock and the reading back are in every figure of govern's.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from drift import batches, bin, schema_sql, sqlalchemy_url
from measured import Measured, add_file_option
from processes import Run, time_process
from psycopg import sql

from govern.database import embedded
from govern.database.url import DatabaseUrl

ENV = """
from alembic import context
from sqlalchemy import engine_from_config, pool
engine = engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
from alembic import op
revision, down_revision = "{revision}", {parent!r}

def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
"""
PENDING = (
    "ALTER TABLE t{n} ADD COLUMN nick varchar(50)",
    "CREATE INDEX t{n}_nick ON t{n} (nick)",
    "UPDATE t{n} SET nick = name WHERE id % 2 = 0",
    "ALTER TABLE t{n} ADD CONSTRAINT t{n}_nick CHECK (length(nick) < 50) NOT VALID",
    "CREATE TABLE later{n} (id integer PRIMARY KEY, t{n}_id integer REFERENCES t{n} (id))",
)
"""The statements of one revision, about table number ``n``."""
FIRST = """
from alembic import op
from models import metadata
revision, down_revision = "r0", None

def upgrade():
    metadata.create_all(op.get_bind())
"""
MODELS = """
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, Text
metadata = MetaData()
for n in range({tables}):
    Table(
        f"t{{n}}",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent_id", ForeignKey(f"t{{max(n - 1, 0)}}.id"), index=True),
        Column("name", String(50), nullable=False, index=True),
        *(Column(f"text{{i}}", Text, server_default="none") for i in range(8)),
        CheckConstraint("length(name) > 1", name=f"t{{n}}_name"),
    )
"""
GOVERN: Mapping[str, Sequence[str]] = {
    "rehearse off, no backup": ("--rehearse", "off", "--backup", "off"),
    "rehearse schema, no backup": ("--rehearse", "schema", "--backup", "off"),
    "rehearse off, backup": ("--rehearse", "off", "--backup", "auto"),
    "rehearse schema, backup": ("--rehearse", "schema", "--backup", "auto"),
    "rehearse data, backup": ("--rehearse", "data", "--backup", "auto"),
}
NOTHING_TO_GUARD: Mapping[str, Sequence[str]] = {"nothing to guard": ()}
FROM_EMPTY: Mapping[str, Sequence[str]] = {name: GOVERN[name] for name in list(GOVERN)[:2]}
TEMPLATE, WORK, DONE, EMPTY = "template_of_work", "work", "done", "template0"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tables", type=int, default=81)
    arguments.add_argument("--megabytes", type=int, default=100)
    arguments.add_argument("--revisions", type=int, default=5)
    arguments.add_argument("--first", type=int, default=100, metavar="TABLES")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--dbmate", type=Path, metavar="PROGRAM")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("migrate", chosen.lines)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        server = embedded.ensure_running(folder / ".govern").with_database("postgres")
        megabytes = fill(server, chosen.tables, chosen.megabytes)
        project = make_project(folder / "project", server, chosen.tables, chosen.revisions)
        print(
            f"{chosen.tables} tables, {megabytes:.0f} MB with indexes, {chosen.revisions} pending revisions; "
            f"whole processes, {chosen.runs} runs each, interleaved"
        )
        peers = find_peers(server, chosen.dbmate)
        pending_runs = compare(server, project, TEMPLATE, GOVERN, peers, chosen.runs)
        measured.tell(f"{chosen.revisions} revisions pending, {megabytes:.0f} MB", pending_runs)
        print("nothing pending")
        alembic = find_peers(server, None)
        measured.tell(
            "nothing pending", compare(server, project, DONE, NOTHING_TO_GUARD, alembic, chosen.runs)
        )
        print(f"one revision that creates {chosen.first} tables")
        project = make_first(folder / "first", server, chosen.first)
        first = compare(server, project, EMPTY, FROM_EMPTY, alembic, chosen.runs)
        measured.tell(f"one revision that creates {chosen.first} tables", first)
    finally:
        embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def compare(
    server: DatabaseUrl,
    project: Path,
    template: str,
    ours: Mapping[str, Sequence[str]],
    peers: Mapping[str, Sequence[str]],
    runs: int,
) -> Mapping[str, Sequence[Run]]:
    """Each command on a fresh copy of ``template``, in turn; the first round warms the caches."""
    commands: dict[str, Sequence[str]] = {
        f"govern migrate: {name}": (bin("govern"), "migrate", "--quiet", *options)
        for name, options in ours.items()
    }
    commands |= peers
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            renew(server, template)
            run = time_process(command, project, server=project.parent)
            require_done(server, project)
            if number > 0:
                found[name].append(run)
    return found


def find_peers(server: DatabaseUrl, dbmate: Path | None) -> Mapping[str, Sequence[str]]:
    """What applies the same statements without a guard."""
    peers: dict[str, Sequence[str]] = {"alembic upgrade head": (bin("alembic"), "upgrade", "head")}
    if dbmate is not None:
        work = server.with_database(WORK).text.replace("?host=", "?socket=")
        options = ("--url", f"{work}&sslmode=disable", "--migrations-dir", "dbmate", "--no-dump-schema")
        peers["dbmate up"] = (str(dbmate), *options, "up")
    return peers


def write_dbmate(folder: Path, work: Sequence[Sequence[str]]) -> None:
    """The same statements as revisions, each in a transaction of its own, as dbmate has it."""
    folder.mkdir()
    for number, statements in enumerate(work, start=1):
        text = ";\n".join((*statements, f"UPDATE alembic_version SET version_num = 'r{number}'"))
        (folder / f"2026010100000{number}_r{number}.sql").write_text(
            f"-- migrate:up\n{text};\n-- migrate:down\n"
        )


def fill(server: DatabaseUrl, tables: int, megabytes: int) -> float:
    """Makes the template: the schema of ``drift.py`` with rows; returns what the database takes, in megabytes."""
    execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(TEMPLATE)))
    url = server.with_database(TEMPLATE)
    rows = megabytes * 1_000_000 // (tables * 600)  # bytes of a row and its index entries, as seen
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        for statements in batches(schema_sql(tables), 500):
            connection.execute(";\n".join(statements).encode())
        for number in range(tables):
            connection.execute(
                sql.SQL(
                    "INSERT INTO {} (tenant_id, name, email, amount, payload, is_active, note)"
                    " SELECT i % 50, 'name ' || i, 'user' || i || '@example.org', i, jsonb_build_object('i', i),"
                    " i % 3 = 0, repeat(md5(i::text), 4) FROM generate_series(1, {}) i"
                ).format(sql.Identifier(f"t{number}"), sql.Literal(rows))
            )
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('r0')")
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return row[0] / 1_000_000 if row else 0.0


def make_project(root: Path, server: DatabaseUrl, tables: int, revisions: int) -> Path:
    """A project whose first revision is the template's schema, with its lock; ``done`` is migrated by it."""
    write_settings(root, server)
    (root / "schema/sql").mkdir(parents=True)
    (root / "models.py").write_text("from sqlalchemy import MetaData\nmetadata = MetaData()\n")
    work = [list(schema_sql(tables)), *itertools.islice(pending(tables), revisions)]
    write_dbmate(root / "dbmate", work[1:])
    for number, statements in enumerate(work):
        parent = f"r{number - 1}" if number else None
        text = REVISION.format(revision=f"r{number}", parent=parent, statements=statements)
        (root / f"migrations/versions/r{number}.py").write_text(text)
    declared = ";\n".join(statement for statements in work for statement in statements)
    (root / "schema/sql/all.sql").write_text(declared + ";\n")
    renew(server, TEMPLATE)
    time_process((bin("govern"), "lock", "--quiet"), root)
    time_process((bin("govern"), "migrate", "--quiet"), root)
    require_done(server, root)
    execute(
        server, sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(WORK), sql.Identifier(DONE))
    )
    return root


def make_first(root: Path, server: DatabaseUrl, tables: int) -> Path:
    """A project whose only revision creates all that the models say, with its lock."""
    write_settings(root, server)
    (root / "models.py").write_text(MODELS.format(tables=tables))
    (root / "migrations/versions/r0.py").write_text(FIRST)
    renew(server, EMPTY)
    time_process((bin("govern"), "lock", "--quiet"), root)
    return root


def write_settings(root: Path, server: DatabaseUrl) -> None:
    (root / "migrations/versions").mkdir(parents=True)
    url = sqlalchemy_url(server.with_database(WORK)).replace("%", "%%")
    (root / "alembic.ini").write_text(
        f"[alembic]\nscript_location = migrations\nprepend_sys_path = .\nsqlalchemy.url = {url}\n"
    )
    (root / "migrations/env.py").write_text(ENV)
    (root / "govern.toml").write_text('models = "models:metadata"\n')


def pending(tables: int) -> Iterator[list[str]]:
    for number in range(tables):
        yield [statement.format(n=number) for statement in PENDING]


def renew(server: DatabaseUrl, template: str) -> None:
    """A fresh ``work``, as ``template`` is."""
    work = sql.Identifier(WORK)
    execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(work))
    execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(work, sql.Identifier(template)))


def require_done(server: DatabaseUrl, project: Path) -> None:
    """A command that did not reach the newest revision took no time worth comparing."""
    newest = f"r{len(list((project / 'migrations/versions').glob('*.py'))) - 1}"
    with psycopg.connect(server.with_database(WORK).conninfo) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row != (newest,):
        sys.exit(f"the database is at {row}, not at {newest}")


def execute(server: DatabaseUrl, statement: sql.Composable) -> None:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(statement)


if __name__ == "__main__":
    main()
