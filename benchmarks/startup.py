"""Start-up validation beside a bare connection, ``alembic current --check-heads`` and ``alembic check``, interleaved.

Usage: python benchmarks/startup.py [N ...] [--runs RUNS]. N are numbers of tables: 40, 81 and 500 by default. Each
database has a generated schema, a schema.lock and a validated run, and nothing was changed since, on an embedded
PostgreSQL in a temporary folder. For each size it prints medians of whole processes and, pair by pair, how many times
govern's each takes; then what a check takes within a running process: by URL, by an engine whose pool
has a connection, and where something was touched, so that the fingerprint has to decide.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import sqlalchemy
from drift import FAST, bin, make_database, make_project, sqlalchemy_url
from measured import Measured, add_file_option
from processes import Run, time_process

from govern import validate_on_startup
from govern.core import run as ledger
from govern.database import embedded
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.source.lock import parse_lock, render_lock

TABLE = VersionTable()
BARE = (
    "import sys, psycopg\n"
    "with psycopg.connect(sys.argv[1]) as connection:\n"
    "    connection.execute('SELECT version_num FROM alembic_version').fetchall()\n"
)
VALIDATE = "import sys\nfrom govern import validate_on_startup\nvalidate_on_startup(sys.argv[1])\n"
WARM_RUNS = 30
CHECK_UP_TO = 2000
"""Tables at which ``alembic check`` is timed, too: it takes a minute and a half for ten thousand."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("tables", nargs="*", type=int, default=[40, 81, 500])
    arguments.add_argument("--runs", type=int, default=11)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("startup", chosen.lines)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
        for tables in chosen.tables:
            bench(folder / f"project_{tables}", server, tables, chosen.runs, measured)
    finally:
        embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def bench(root: Path, server: DatabaseUrl, tables: int, runs: int, measured: Measured) -> None:
    url = make_database(server, f"live_{tables}", tables)
    project = make_project(root, url, tables)
    validate_once(url, project)
    bare = "bare psycopg, version row"
    commands: dict[str, Sequence[str]] = {
        "govern.validate_on_startup": (sys.executable, "-c", VALIDATE, url.text),
        bare: (sys.executable, "-c", BARE, url.conninfo),
        "alembic current --check-heads": (bin("alembic"), "current", "--check-heads"),
    }
    if tables <= CHECK_UP_TO:
        commands["alembic check"] = (bin("alembic"), "check")
    print(f"\n{tables:,} tables; whole process, {runs} runs each, interleaved")
    measured.tell(f"{tables:,} tables", compare(commands, project, runs), size=tables)
    warm_runs = WARM_RUNS if tables <= CHECK_UP_TO else runs
    print(f"  in a running process, medians of {warm_runs}, interleaved")
    untouched, touched = time_in_process(url, project, warm_runs)
    measured.tell(f"{tables:,} tables, in a running process", untouched)
    measured.tell(f"{tables:,} tables, in a running process, touched", touched)


def validate_once(url: DatabaseUrl, project: Path) -> None:
    """Writes the lock and what a migration leaves in the ledger."""
    dialect = dialect_of(url)
    with dialect.connect(url) as connection:
        started = ledger.Run(id="0", command="migrate", actor="benchmark", started_at=datetime.now(UTC))
        dialect.record_run(connection, started)
        text = render_lock(dialect.read_snapshot(connection, TABLE), ("r1",))
        validated = ledger.Run(
            id="1",
            command="migrate",
            actor="benchmark",
            started_at=datetime.now(UTC),
            result="applied",
            to_revision=("r1",),
            lock_digest=parse_lock(text, project, at_once=False).digest,
            watermark=dialect.read_watermark(connection, TABLE),
            fingerprint=dialect.read_fingerprint(connection, TABLE),
        )
        dialect.record_run(connection, validated)
    (project / "schema").mkdir()
    (project / "schema/schema.lock").write_text(text)
    (project / "govern.toml").touch()


def compare(commands: Mapping[str, Sequence[str]], project: Path, runs: int) -> Mapping[str, Sequence[Run]]:
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            run = time_process(command, project, has_looked, server=project.parent)
            if number > 0:  # the first round warms the caches
                found[name].append(run)
    return found


def has_looked(exit_code: int, told: bytes) -> bool:
    """``alembic check`` calls the SQL of triggers and views no difference, and may call something else one."""
    return b"Traceback" not in told and exit_code in (0, 255)


def time_in_process(url: DatabaseUrl, project: Path, runs: int) -> Sequence[Mapping[str, Sequence[float]]]:
    here = Path.cwd()
    os.chdir(project)
    engine = sqlalchemy.create_engine(sqlalchemy_url(url))
    try:
        untouched = interleave(
            {
                "govern, by URL": lambda: validate_on_startup(url.text),
                "bare psycopg, version row": lambda: read_version(url),
                "govern, by a warm engine": lambda: validate_on_startup(engine),
            },
            runs,
        )
        with psycopg.connect(url.conninfo) as session:
            session.execute("TRUNCATE t0 CASCADE")
        touched = interleave(
            {
                "after a TRUNCATE, by URL": lambda: validate_on_startup(url.text),
                "the server's fingerprint alone": lambda: read_fingerprint(url),
            },
            runs,
        )
        return untouched, touched
    finally:
        engine.dispose()
        os.chdir(here)


def read_fingerprint(url: DatabaseUrl) -> None:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        dialect.read_fingerprint(connection, TABLE)


def read_version(url: DatabaseUrl) -> None:
    with psycopg.connect(url.conninfo) as session:
        session.execute("SELECT version_num FROM alembic_version").fetchall()


def interleave(work: Mapping[str, Callable[[], object]], runs: int) -> Mapping[str, Sequence[float]]:
    """Seconds of each run."""
    values: dict[str, list[float]] = {name: [] for name in work}
    for number in range(runs + 1):
        for name, do in work.items():
            started = time.perf_counter()
            do()
            if number > 0:  # the first round warms the caches
                values[name].append(time.perf_counter() - started)
    return values


if __name__ == "__main__":
    main()
