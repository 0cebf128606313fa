"""A migrated database for each test: the plugin's copies beside ``create_all`` and ``alembic upgrade head``.

Usage: python benchmarks/pytest_plugin.py [ROUNDS] [--lines FILE]. Writes a project of 40 tables in 10 revisions to a
temporary folder, and makes databases for it as a fixture of function scope would: ready, a row written and read by a
test, gone. On the embedded PostgreSQL for tests, on one that waits for its disk, and on SQLite; ways by turns, ten
tests in a row each, with all that is left of them dropped. Prints the median time of a test, and how much longer it
takes than with a copy.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from measured import Measured, add_file_option
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from govern import config
from govern.database import embedded
from govern.database.copies import Copies
from govern.database.embedded import throwaway
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.pytest_plugin.database import GovernDatabase
from govern.pytest_plugin.drift import DriftWatch
from govern.pytest_plugin.shared import Shared
from govern.pytest_plugin.workbench import Workbench

TABLES, REVISIONS = 40, 10
TESTS = 10
COLUMNS = """
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("amount", sa.Numeric(12, 2), nullable=False, server_default="0"),
    sa.Column("made_at", sa.DateTime, index=True),
    sa.Column("note", sa.Text),
"""
ENV = """
from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool
engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
MakeDatabase = Callable[[], contextlib.AbstractContextManager[Engine]]
"""Gives an engine of a migrated database, for one test."""
Way = Callable[[], contextlib.AbstractContextManager[MakeDatabase]]
"""What makes databases for some tests, until they are over."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rounds", nargs="?", type=int, default=5)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured, rounds = Measured("pytest_plugin", chosen.lines), chosen.rounds
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        write_project(folder)
        sys.path.insert(0, str(folder))
        beside: dict[str, Callable[[], DatabaseUrl]] = {
            "PostgreSQL for tests": lambda: throwaway.ensure_running(folder),
            "PostgreSQL with fsync": lambda: embedded.ensure_running(folder),
            "SQLite": lambda: DatabaseUrl.parse(f"sqlite:///{folder / 'beside.sqlite'}"),
        }
        for server, start in beside.items():
            measured.tell(server, measure(server, folder, start(), rounds))
    finally:
        throwaway.stop(folder)
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def measure(server: str, folder: Path, beside: DatabaseUrl, rounds: int) -> dict[str, list[float]]:
    """Seconds of a test, by way."""
    bench = Workbench(config.load(start=folder, url=beside.text, environ={}))
    started = time.perf_counter()
    template = bench.revisions.url
    print(f"{server}: the template took {time.perf_counter() - started:.2f} s, once for each worker")
    watch = DriftWatch(bench, Shared(None))
    ways: dict[str, Way] = {
        "govern_database": lambda: copying(template),
        "govern_database, seen to for drift": lambda: copying(template, watch),
        "create_all": lambda: creating(lambda: create_all(beside)),
        "alembic upgrade head": lambda: creating(lambda: upgrade(folder, beside)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            with way() as make_database:
                for _ in range(TESTS):
                    with make_database() as engine, engine.begin() as connection:
                        connection.execute(text("INSERT INTO t0 (id, name) VALUES (1, 'a')"))
                        assert connection.scalar(text("SELECT count(*) FROM t0")) == 1
            seconds[name].append((time.perf_counter() - started) / TESTS)
    bench.close()
    return seconds


@contextlib.contextmanager
def copying(template: DatabaseUrl, watch: DriftWatch | None = None) -> Iterator[MakeDatabase]:
    """As the fixture does."""
    copies = Copies(template, label="bench")

    @contextlib.contextmanager
    def copy() -> Iterator[Engine]:
        with copies.copy() as url:
            database = GovernDatabase(url, "")
            yield database.engine
            if watch is not None:
                watch.look_at(url, "a test")
            database.close()

    yield copy
    copies.close()


@contextlib.contextmanager
def creating(make_database: MakeDatabase) -> Iterator[MakeDatabase]:
    """Each by itself."""
    yield make_database


@contextlib.contextmanager
def create_all(beside: DatabaseUrl) -> Iterator[Engine]:
    """What many suites do: the models' tables, without what only revisions make."""
    from models import metadata

    with fresh(beside) as engine:
        metadata.create_all(engine)
        yield engine


@contextlib.contextmanager
def upgrade(folder: Path, beside: DatabaseUrl) -> Iterator[Engine]:
    """Alembic in the same process."""
    with fresh(beside) as engine:
        alembic = Config(stdout=io.StringIO())
        alembic.set_main_option("script_location", str(folder / "migrations"))
        address = engine.url.render_as_string(hide_password=False)
        alembic.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
        command.upgrade(alembic, "head")
        yield engine


@contextlib.contextmanager
def fresh(beside: DatabaseUrl) -> Iterator[Engine]:
    """An empty database of its own; dropped."""
    url = (
        DatabaseUrl.parse(f"sqlite:///{beside.path.with_name('fresh.sqlite')}")
        if beside.dialect == "sqlite"
        else beside.with_database("fresh")
    )
    dialect = dialect_of(url)
    dialect.create_database(url)
    engine = create_engine(GovernDatabase(url, "").url)
    try:
        yield engine
    finally:
        engine.dispose()
        dialect.drop_database(url)


def write_project(folder: Path) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "govern.toml").write_text('script_location = "migrations"\n')
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "migrations" / "script.py.mako").touch()
    tables = [f'sa.Table("t{number}", metadata,{COLUMNS})' for number in range(TABLES)]
    head = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
    (folder / "models.py").write_text(head + "\n".join(tables) + "\n")
    each = TABLES // REVISIONS
    for position in range(REVISIONS):
        made = range(position * each, (position + 1) * each)
        ups = "".join(f'    op.create_table("t{number}",{COLUMNS})\n' for number in made)
        downs = "".join(f'    op.drop_table("t{number}")\n' for number in made)
        (versions / f"r{position}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f'revision = "r{position}"\ndown_revision = {f"r{position - 1}" if position else None!r}\n'
            f"def upgrade():\n{ups}\ndef downgrade():\n{downs}"
        )


if __name__ == "__main__":
    main()
