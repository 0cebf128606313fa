"""How long an application waits while a migration wants a table that a long transaction uses (``reliability.md``, d).

Usage: python benchmarks/blocking.py [BLOCKED_SECONDS]. A session reads a table and stays in its transaction; a
migration adds a column to it one second later; meanwhile queries come in at a steady rate, whether those before them
were answered or not, four of five for that table. Plain Alembic, then govern, in one run on an embedded PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg

from govern.database import embedded

QUERIES_PER_SECOND = 50
POOL = 20
SLOW_SECONDS = 0.1
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
revision, down_revision = "{revision}", {parent}

def upgrade():
    op.execute("{statement}")
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds each of the application's queries took, its wait for a connection included."""

    seconds: list[float]
    migrated_after: float
    """The end of the migration's process, from its start."""


def main() -> None:
    blocked = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        server = embedded.ensure_running(folder)
        print(f"{QUERIES_PER_SECOND} queries a second, pool of {POOL}, table in use for {blocked:g} s")
        print(f"{'':<16}{'queries':>8}{'> 100 ms':>10}{'worst':>9}{'total wait':>12}{'migrated after':>16}")
        for name, command in (
            ("plain Alembic", [tool("alembic"), "upgrade", "head"]),
            ("govern migrate", [tool("govern"), "migrate", "--backup", "off", "--quiet"]),
        ):
            url = server.with_database("bench_" + name.split()[0])
            with psycopg.connect(server.with_database("postgres").conninfo, autocommit=True) as session:
                session.execute(f'CREATE DATABASE "{url.database}"'.encode())
            project = make_project(folder / url.database, url.text)
            show(name, measure(url.conninfo, project, command, blocked))
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def make_project(root: Path, url: str) -> Path:
    """Two revisions; the first is applied."""
    versions = root / "migrations/versions"
    versions.mkdir(parents=True)
    driver = url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
    (root / "alembic.ini").write_text(f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {driver}\n")
    (root / "migrations/env.py").write_text(ENV)
    tables = "CREATE TABLE busy AS SELECT 1 AS id; CREATE TABLE other AS SELECT 1 AS id"
    (versions / "r1.py").write_text(REVISION.format(revision="r1", parent=None, statement=tables))
    subprocess.run([tool("alembic"), "upgrade", "head"], cwd=root, check=True, capture_output=True)
    statement = "ALTER TABLE busy ADD COLUMN note text"
    (versions / "r2.py").write_text(REVISION.format(revision="r2", parent="'r1'", statement=statement))
    return root


def measure(conninfo: str, project: Path, command: list[str | Path], blocked: float) -> Waits:
    seconds: list[float] = []
    ended = threading.Event()
    with ThreadPoolExecutor(POOL) as pool, psycopg.connect(conninfo) as reader:
        reader.execute("SELECT * FROM busy")
        sessions = threading.local()

        def ask(number: int, due: float) -> None:
            if not hasattr(sessions, "one"):
                sessions.one = psycopg.connect(conninfo, autocommit=True)
            sessions.one.execute("SELECT * FROM other" if number % 5 == 0 else "SELECT * FROM busy")
            seconds.append(time.monotonic() - due)

        def send() -> None:
            began, number = time.monotonic(), 0
            while not ended.is_set():
                number += 1
                due = began + number / QUERIES_PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
                pool.submit(ask, number, due)

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(1)
        threading.Timer(blocked, reader.rollback).start()
        environment = {**os.environ, "DATABASE_URL": conninfo}
        started = time.monotonic()
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
        migrated = time.monotonic() - started
        ended.set()
        sender.join()
    return Waits(seconds, migrated)


def show(name: str, waits: Waits) -> None:
    slow = [seconds for seconds in waits.seconds if seconds > SLOW_SECONDS]
    print(
        f"{name:<16}{len(waits.seconds):>8}{len(slow):>10}{max(waits.seconds):>7.2f} s"
        f"{sum(slow):>10.1f} s{waits.migrated_after:>14.1f} s"
    )


def tool(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    main()
