"""A drift check that finds nothing, beside migra, ``results dbdiff`` and ``alembic check``, in one run, interleaved.

Usage: python benchmarks/drift.py [N ...] [--runs RUNS] [--results PROGRAM]. N are numbers of tables: 40, 500, 2000
and 10000 by default. Two databases with the same generated schema stand on an embedded PostgreSQL in a temporary
folder. ``results`` is timed where its program is given: pip install results, in an environment of its own.
For each size it prints medians of time and peak memory of whole processes, the ratio of each peer to govern, pair
by pair, and what govern spends in process; at the end, how time and memory of a table grow with their number.

What bounds govern is measured beside it, as the limit: a process that imports psycopg and click, asks both databases
the same questions at once and throws the answers away. Up to some hundred tables that is the start of Python and a
new session's first look at the catalogs, above it the server's catalog reads.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from measured import Line, Measured, add_file_option
from processes import Run, time_process

from govern.core.changes import diff
from govern.database import embedded, migra_diff
from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql.catalog import queries
from govern.database.postgresql.dump.clients import choose_for_dump, find_clients
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.source.lock import parse_lock, render_lock

TABLE = VersionTable()


FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_locks_per_transaction": "4096",
}
"""Of the processes that are timed: without bytecode on disk each would compile all that it imports."""
MIGRA_UP_TO = 2000
"""Tables at which migra is timed in process, too: it takes a minute for more."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("tables", nargs="*", type=int, default=[40, 500, 2000, 10000])
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--results", type=Path, metavar="PROGRAM")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("drift", chosen.lines)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
        print_growth(
            {
                tables: bench(folder, server, tables, chosen.runs, chosen.results, measured)
                for tables in chosen.tables
            }
        )
    finally:
        embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def bench(
    folder: Path, server: DatabaseUrl, tables: int, runs: int, results: Path | None, measured: Measured
) -> Line:
    """What govern itself took."""
    live, declared = (make_database(server, f"{name}_{tables}", tables) for name in ("live", "declared"))
    project = make_project(folder / f"project_{tables}", live, tables)
    peer = str(Path(sys.executable).with_name("migra"))
    commands: dict[str, Sequence[str]] = {
        "govern drift --against URL": (
            bin("govern"),
            "drift",
            "--quiet",
            "--url",
            live.text,
            "--against",
            declared.text,
        ),
        "migra": (peer, "--unsafe", sqlalchemy_url(live), sqlalchemy_url(declared)),
        "alembic check": (bin("alembic"), "check"),
        "the limit: our queries alone": (
            sys.executable,
            str(write_limit(project, live)),
            live.conninfo,
            declared.conninfo,
        ),
    }
    commands["pg_dump -s twice, diff"] = (
        "sh",
        "-c",
        PG_DUMP_TWICE,
        str(find_pg_dump()),
        live.text,
        declared.text,
    )
    if results is not None:
        commands["results dbdiff"] = (str(results), "dbdiff", live.text, declared.text)
    print(f"\n{tables:,} tables; whole process, {runs} runs each, interleaved")
    ours, *_ = measured.tell(
        f"{tables:,} tables", compare(commands, project, runs, folder), size=tables
    ).values()
    print("  in process")
    time_in_process(live, declared, tables, runs)
    return ours


def compare(
    commands: Mapping[str, Sequence[str]], project: Path, runs: int, server: Path
) -> dict[str, list[Run]]:
    """The first round warms the caches."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            run = time_process(command, project, has_compared, server=server)
            if number > 0:
                found[name].append(run)
    return found


def print_growth(ours: Mapping[int, Line]) -> None:
    """Time and memory of one table more, between each size and the next: level where work grows linearly."""
    print("\ngrowth of a whole govern drift")
    for (fewer, before), (more, after) in itertools.pairwise(sorted(ours.items())):
        milliseconds = (after.seconds - before.seconds) / (more - fewer) * 1000
        kilobytes = ((after.megabytes or 0) - (before.megabytes or 0)) / (more - fewer) * 1024
        print(f"    {fewer:>6,} to {more:>6,} tables  {milliseconds:6.2f} ms  {kilobytes:6.1f} KB a table")


def has_compared(exit_code: int, told: bytes) -> bool:
    """A peer that reports differences has done its work."""
    return b"Traceback" not in told and exit_code <= 2


def time_in_process(live: DatabaseUrl, declared: DatabaseUrl, tables: int, runs: int) -> None:
    dialect = dialect_of(live)
    with (
        dialect.connect(live, read_only=True) as connection,
        dialect.connect(declared, read_only=True) as other,
    ):
        one, two = dialect.read_snapshot(connection, TABLE), dialect.read_snapshot(other, TABLE)
        text = render_lock(one, ())
        work: dict[str, Callable[[], object]] = {
            "catalog queries alone": lambda: run_queries(connection),
            "read_snapshot": lambda: dialect.read_snapshot(connection, TABLE),
            "read_fingerprint": lambda: dialect.read_fingerprint(connection, TABLE),
            "diff": lambda: diff(one, two),
            "render_lock": lambda: render_lock(one, ()),
            "parse_lock": lambda: parse_lock(text, Path("schema.lock")),
        }
        if tables <= MIGRA_UP_TO:
            work["migra, both databases"] = lambda: migra_diff.propose_statements(
                live=live, declared=declared, version_table=TABLE
            )
        for name, run in work.items():
            run()
            values = sorted(_time(run) for _ in range(runs))
            print(f"    {name:<28} {statistics.median(values) * 1000:7.0f} ms")


def run_queries(connection: Connection) -> None:
    """What the server takes, and the driver to receive it: the least that a snapshot can take."""
    with queries.reading(connection):
        for kind in queries.find_kinds(connection, TABLE):
            connection.rows(queries.kind_sql(kind, TABLE, has_rare=False))


PG_DUMP_TWICE = """
for url in "$1" "$2"; do
    "$0" --schema-only --restrict-key=same --file="dumped$((number += 1)).sql" "$url" &
done
wait
diff dumped1.sql dumped2.sql
"""


def find_pg_dump() -> Path:
    return choose_for_dump(embedded.MAJOR, find_clients()).pg_dump


LIMIT = """
import sys, threading
import click, psycopg

def read(conninfo):
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET search_path = ''")
        for query in QUERIES:
            connection.execute(query).fetchall()

threads = [threading.Thread(target=read, args=(conninfo,)) for conninfo in sys.argv[1:]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def write_limit(project: Path, live: DatabaseUrl) -> Path:
    """A program that asks both databases govern's questions at once, and does nothing with the answers."""
    dialect = dialect_of(live)
    with dialect.connect(live, read_only=True) as connection, queries.reading(connection):
        asked = [
            queries.kind_sql(kind, TABLE, has_rare=False) for kind in queries.find_kinds(connection, TABLE)
        ]
    path = project / "limit.py"
    path.write_text(f"QUERIES = {asked!r}\n{LIMIT}", encoding="utf-8")
    return path


def _time(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def make_database(server: DatabaseUrl, name: str, tables: int) -> DatabaseUrl:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    url = server.with_database(name)
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        for statements in batches(schema_sql(tables), 500):
            connection.execute(";\n".join(statements).encode())
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('r1')")
        connection.execute("ANALYZE")
    return url


def batches(items: Iterator[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch


COLUMNS = (
    ("tenant_id", "integer", "sa.Integer"),
    ("name", "varchar(200)", "sa.String(200)"),
    ("email", "varchar(320)", "sa.String(320)"),
    ("status", "varchar(20)", "sa.String(20)"),
    ("amount", "numeric(12,2)", "sa.Numeric(12, 2)"),
    ("payload", "jsonb", "postgresql.JSONB"),
    ("is_active", "boolean", "sa.Boolean"),
    ("created_at", "timestamptz", "sa.DateTime(timezone=True)"),
    ("note", "text", "sa.Text"),
)


def parents(number: int) -> list[int]:
    """The tables a table refers to: two or three that came before it."""
    return sorted({number // 2, number // 3, number - 1} - {number}) if number > 3 else []


def schema_sql(tables: int) -> Iterator[str]:
    """About 12 columns a table, 2–3 foreign keys, 3 indexes, 1–2 checks, comments; some of every other kind."""
    for number in range(tables):
        name = f"t{number}"
        references = "".join(f", ref_{to} integer REFERENCES t{to} (id)" for to in parents(number))
        columns = ", ".join(f"{column} {kind}" for column, kind, _ in COLUMNS)
        if number % 20 == 0:
            yield f"CREATE TYPE e{number} AS ENUM ('new', 'open', 'closed')"
        yield (
            f"CREATE TABLE {name} (id serial PRIMARY KEY, {columns}{references},"
            f" CONSTRAINT {name}_amount CHECK (amount >= 0),"
            f" CONSTRAINT {name}_status CHECK (status IN ('new', 'open', 'closed')))"
        )
        yield f"ALTER TABLE {name} ALTER created_at SET DEFAULT now(), ALTER status SET DEFAULT 'new'"
        yield f"CREATE INDEX {name}_name ON {name} (name)"
        yield f"CREATE UNIQUE INDEX {name}_email ON {name} (tenant_id, email)"
        yield f"CREATE INDEX {name}_active ON {name} (created_at) WHERE is_active"
        yield f"COMMENT ON TABLE {name} IS 'The table number {number}'"
        yield f"COMMENT ON COLUMN {name}.amount IS 'In cents of {number}'"
        if number % 25 == 0:
            yield (
                f"CREATE FUNCTION touch_{number}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN NEW.created_at = now(); RETURN NEW; END $$"
            )
            yield f"CREATE TRIGGER touch BEFORE UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION touch_{number}()"
        if number % 20 == 0:
            yield f"CREATE VIEW v{number} AS SELECT id, name, amount FROM {name} WHERE is_active AND amount > {number}"


def make_project(root: Path, live: DatabaseUrl, tables: int) -> Path:
    """What ``alembic check`` needs: models of the same tables, one revision, an ini with the URL."""
    (root / "migrations/versions").mkdir(parents=True)
    url = sqlalchemy_url(live).replace("%", "%%")
    (root / "alembic.ini").write_text(
        f"[alembic]\nscript_location = migrations\nprepend_sys_path = .\nsqlalchemy.url = {url}\n"
    )
    (root / "migrations/env.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import context\nfrom models import metadata\n"
        "engine = sa.create_engine(context.config.get_main_option('sqlalchemy.url'))\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection, target_metadata=metadata)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    (root / "migrations/versions/r1.py").write_text(
        "revision = 'r1'\ndown_revision = None\ndef upgrade(): pass\ndef downgrade(): pass\n"
    )
    (root / "models.py").write_text("\n".join(models(tables)))
    return root


def models(tables: int) -> Iterator[str]:
    yield "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\nmetadata = sa.MetaData()"
    for number in range(tables):
        name = f"t{number}"
        columns = "".join(
            f", sa.Column('{column}', {kind}"
            + (f", comment='In cents of {number}')" if column == "amount" else ")")
            for column, _, kind in COLUMNS
        )
        references = "".join(
            f", sa.Column('ref_{to}', sa.Integer, sa.ForeignKey('t{to}.id'))" for to in parents(number)
        )
        yield (
            f"t = sa.Table('{name}', metadata, sa.Column('id', sa.Integer, primary_key=True){columns}{references},"
            f" comment='The table number {number}')"
        )
        yield f"sa.Index('{name}_name', t.c.name)"
        yield f"sa.Index('{name}_email', t.c.tenant_id, t.c.email, unique=True)"
        yield f"sa.Index('{name}_active', t.c.created_at, postgresql_where=t.c.is_active)"


def sqlalchemy_url(url: DatabaseUrl) -> str:
    return url.text.replace("postgresql://", "postgresql+psycopg://")


def bin(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    main()
