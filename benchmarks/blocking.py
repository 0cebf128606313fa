"""How long an application waits while a migration wants a table that a long transaction uses (``reliability.md``, d).

Usage: python benchmarks/blocking.py [BLOCKED_SECONDS] [--lines FILE]. A session reads a table and stays in its
transaction; a migration adds a column to it one second later; meanwhile queries come in at a steady rate, whether
those before them were answered or not, four of five for that table. govern, then plain Alembic, in one run on an
embedded PostgreSQL.
"""

from __future__ import annotations

import argparse
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
from measured import Measured, add_file_option

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

    @property
    def counts(self) -> dict[str, int]:
        slow = sum(seconds > SLOW_SECONDS for seconds in self.seconds)
        return {"queries": len(self.seconds), "over 100 ms": slow}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("blocked", nargs="?", type=float, default=15.0)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        server = embedded.ensure_running(folder)
        print(f"{QUERIES_PER_SECOND} queries a second, pool of {POOL}, table in use for {chosen.blocked:g} s")
        waits: dict[str, Waits] = {}
        for name, command in (
            ("govern migrate", [tool("govern"), "migrate", "--backup", "off", "--quiet"]),
            ("alembic upgrade head", [tool("alembic"), "upgrade", "head"]),
        ):
            url = server.with_database("bench_" + name.split()[0])
            with psycopg.connect(server.with_database("postgres").conninfo, autocommit=True) as session:
                session.execute(f'CREATE DATABASE "{url.database}"'.encode())
            project = make_project(folder / url.database, url.text)
            waits[name] = measure(url.conninfo, project, command, chosen.blocked)
            print(f"    {name}: its process took {waits[name].migrated_after:.1f} s")
        Measured("blocking", chosen.lines).tell(
            f"ALTER TABLE behind a reader of {chosen.blocked:g} s",
            {name: [max(one.seconds)] for name, one in waits.items()},
            counts={name: one.counts for name, one in waits.items()},
        )
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


def tool(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    main()
