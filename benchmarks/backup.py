"""A verified backup beside the bare tools: dumps, restores, checksum queries and file copies, in one run, interleaved.

Usage: python benchmarks/backup.py [--size SIZE] [--runs RUNS] [--only postgresql|sqlite]. SIZE 1 (the default) is 2 GB
of PostgreSQL, on an embedded server in a temporary folder, and 1 GB of SQLite; 0.1 a tenth of each. What is timed is
whole processes; the processor's time is the server's, too. Medians, how many times govern's each takes, run by run,
and peak memory.

A verified backup is a dump, a restore into a scratch database, and the checksums of both: what these take bare and one
after the other is its own parts. The peers restore what govern has dumped.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from measured import Measured, add_file_option
from processes import ENVIRONMENT, Run, time_process
from psycopg import sql

from govern.database import embedded
from govern.database.connection import Connection
from govern.database.postgresql import contents
from govern.database.postgresql.dump import ARCHIVE
from govern.database.postgresql.dump.clients import choose_for_dump, find_clients
from govern.database.postgresql.dump.packing import choose_compression
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "8GB"}
OURS = "govern backup create, verified"
PARTS = "its own parts, bare"
JOBS = 2
CREATE = (str(Path(sys.executable).with_name("govern")), "backup", "create", "--quiet")

ROWS = {"events": 8_000_000, "users": 1_000_000, "documents": 700_000}
TABLES = """
CREATE TABLE events (id bigint PRIMARY KEY, user_id integer NOT NULL, kind varchar(20) NOT NULL,
                     at timestamptz NOT NULL, amount numeric(12, 2), payload text);
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL, name text, created_at timestamptz, is_active boolean,
                    score double precision);
CREATE TABLE documents (id bigint PRIMARY KEY, user_id integer, body jsonb, tags text[], raw bytea);
"""
FILL = {
    "events": "SELECT n, (n::bigint * 7919 % 100000)::integer, (ARRAY['login', 'click', 'buy', 'view'])[1 + n % 4],"
    " '2026-01-01'::timestamptz + n * interval '1 second', n % 100000 / 100.0,"
    " md5(n::text) || ' ' || md5((n * 3)::text)",
    "users": "SELECT md5(n::text)::uuid, 'user' || n || '@example.org', 'Name ' || n, now(), n % 3 = 0, n * 0.37",
    "documents": "SELECT n, n % 1000, jsonb_build_object('title', 'Title ' || n, 'words', (SELECT string_agg("
    "md5((n + i)::text), ' ') FROM generate_series(1, 12) AS i)), ARRAY['a', 'b', n::text],"
    " decode(md5(n::text), 'hex')",
}
TABLE_BYTES = """
SELECT pg_size_pretty(sum(pg_table_size(oid))) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
INDEXES = "CREATE INDEX ON events (user_id); CREATE INDEX ON users (email)"

SQLITE_ROWS = 3_700_000
SQLITE = """
CREATE TABLE events (id INTEGER PRIMARY KEY, user_id INTEGER, kind TEXT, at TEXT, amount REAL, payload TEXT);
INSERT INTO events
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
SELECT i, i * 7919 % 100000, 'click', '2026-01-01T00:00:00Z', i * 0.37,
       hex(randomblob(64)) || hex(randomblob(32)) FROM n;
CREATE INDEX events_user ON events (user_id);
"""

Command = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A process to time, and what is to be made anew before it, untimed."""

    command: Command
    prepare: Callable[[], None] = lambda: None
    is_part: int = 0
    """How many times over it is in what govern does."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", type=float, default=1.0)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", choices=["postgresql", "sqlite"])
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("backup", chosen.lines)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        if chosen.only != "sqlite":
            bench_postgresql(folder, chosen.size, chosen.runs, measured)
        if chosen.only != "postgresql":
            bench_sqlite(folder, chosen.size, chosen.runs, measured)
    finally:
        if chosen.only != "sqlite":
            embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def bench_postgresql(folder: Path, size: float, runs: int, measured: Measured) -> None:
    server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
    live, copy = server.with_database("live"), server.with_database("copy")
    recreate(server, "live")
    fill(live, size)
    client = choose_for_dump(embedded.MAJOR, find_clients())
    project = make_project(folder / "project", live)
    dumped = folder / "dumped"

    bare, archive = folder / "bare", project / "archive"
    dump = (str(client.pg_dump), f"--dbname={live.conninfo}", f"--file={bare}")
    several = ("--format=directory", f"--jobs={JOBS}", "--no-sync")
    compression, is_packed_by_us = choose_compression(client, folder, round(2e9 * size))
    same = "gzip:1" if is_packed_by_us else compression
    restore = (str(client.pg_restore), f"--dbname={copy.conninfo}", "--exit-on-error")
    digest = write_digest(folder, live)
    timed = {
        OURS: Timed(
            command=CREATE,
            prepare=partial(remove, project / "backups"),
        ),
        "pg_dump -Fc": Timed(command=(*dump, "--format=custom"), prepare=partial(remove, bare)),
        f"pg_dump -Fd -j2 {same}": Timed(
            command=(*dump, *several, f"--compress={same}"), prepare=partial(remove, bare), is_part=1
        ),
        "pg_dump -Fd -j2, not compressed": Timed(
            command=(*dump, *several, "--compress=0"), prepare=partial(remove, bare)
        ),
        "pg_restore -j2": Timed(
            command=(*restore, f"--jobs={JOBS}", str(archive)),
            prepare=partial(recreate, server, "copy"),
            is_part=1,
        ),
        "checksum queries, two at a time": Timed(
            command=(sys.executable, str(digest), live.conninfo), is_part=2
        ),
        "cp of the backup": Timed(
            command=("cp", "-r", str(archive), str(dumped)), prepare=partial(remove, dumped)
        ),
    }
    subprocess.run(CREATE, cwd=project, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    (made,) = (project / "backups").glob("2*")
    shutil.move(made / "data" / ARCHIVE, archive)
    with psycopg.connect(live.conninfo) as connection:
        found = connection.execute(TABLE_BYTES).fetchone()
    print(f"\nPostgreSQL, tables of {found and found[0]}, {runs} runs each, interleaved")
    measured.tell(f"PostgreSQL, {2 * size:g} GB", compare(timed, project, runs, server=folder / ".govern"))
    for path in (bare, dumped, archive, project / "backups"):
        remove(path)
    for name in ("live", "copy"):
        drop(server, name)


def bench_sqlite(folder: Path, size: float, runs: int, measured: Measured) -> None:
    file, copy = folder / "live.db", folder / "copy.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SQLITE.format(rows=round(SQLITE_ROWS * size)))
    url = DatabaseUrl.parse(f"sqlite:///{file}")
    project = make_project(folder / "sqlite_project", url)

    def python(code: str) -> Command:
        return (sys.executable, "-c", f"import sqlite3, hashlib; {code}")

    opened = f"c = sqlite3.connect({str(file)!r})"
    timed = {
        OURS: Timed(
            command=CREATE,
            prepare=partial(remove, project / "backups"),
        ),
        "cp": Timed(command=("cp", str(file), str(copy)), prepare=partial(remove, copy)),
        "backup API": Timed(
            command=python(f"{opened}; c.backup(sqlite3.connect({str(copy)!r}))"),
            prepare=partial(remove, copy),
            is_part=1,
        ),
        "VACUUM INTO": Timed(
            command=python(f"{opened}; c.execute('VACUUM INTO ?', [{str(copy)!r}])"),
            prepare=partial(remove, copy),
        ),
        "quick_check": Timed(
            command=python(f"{opened}; assert c.execute('PRAGMA quick_check').fetchone() == ('ok',)"),
            is_part=1,
        ),
        "SHA-256": Timed(
            command=python(f"hashlib.file_digest(open({str(file)!r}, 'rb'), 'sha256')"), is_part=1
        ),
    }
    print(f"\nSQLite, {file.stat().st_size / 1e9:.2f} GB, {runs} runs each, interleaved")
    measured.tell(f"SQLite, {size:g} GB", compare(timed, project, runs))


def compare(
    timed: Mapping[str, Timed], project: Path, runs: int, *, server: Path | None = None
) -> Mapping[str, Sequence[Run]]:
    found: dict[str, list[Run]] = {name: [] for name in (*timed, PARTS)}
    for _ in range(runs):
        for name, one in timed.items():
            one.prepare()
            found[name].append(time_process(one.command, project, server=server))
        found[PARTS].append(add_parts([(one.is_part, found[name][-1]) for name, one in timed.items()]))
    return found


def add_parts(parts: Sequence[tuple[int, Run]]) -> Run:
    """One after the other; the memory is the largest one's."""
    return Run(
        seconds=sum(times * run.seconds for times, run in parts),
        processor_seconds=sum(times * run.processor_seconds for times, run in parts),
        kilobytes=max(run.kilobytes for times, run in parts if times),
    )


DIGEST = """
import sys, threading
import psycopg

def run(queries):
    with psycopg.connect(sys.argv[1]) as connection:
        while queries:
            connection.execute(queries.pop(0)).fetchall()

waiting = list(QUERIES)
threads = [threading.Thread(target=run, args=(waiting,)) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def write_digest(folder: Path, live: DatabaseUrl) -> Path:
    """A program that asks for the checksum of every table, as govern does, and does nothing with the answers."""
    with psycopg.connect(live.conninfo, autocommit=True) as driver:
        tables = contents._find_tables(Connection(driver), VersionTable(), contents._LARGEST_FIRST)
        queries = [contents._digest_by_column(table).as_string(driver) for table in tables]
    path = folder / "digest.py"
    path.write_text(f"QUERIES = {queries!r}\n{DIGEST}", encoding="utf-8")
    return path


def fill(live: DatabaseUrl, size: float) -> None:
    with psycopg.connect(live.conninfo, autocommit=True) as connection:
        connection.execute(TABLES.encode())
        for table, query in FILL.items():
            rows = round(ROWS[table] * size)
            connection.execute(f"INSERT INTO {table} {query} FROM generate_series(1, {rows}) AS n".encode())
        connection.execute(INDEXES.encode())
        connection.execute("VACUUM ANALYZE")


def recreate(server: DatabaseUrl, name: str) -> None:
    drop(server, name)
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))


def drop(server: DatabaseUrl, name: str) -> None:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_project(root: Path, url: DatabaseUrl) -> Path:
    (root / "migrations/versions").mkdir(parents=True)
    (root / "migrations/env.py").touch()
    (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
    (root / "govern.toml").write_text(f'url = "{url.text}"\nbackup_jobs = {JOBS}\n', encoding="utf-8")
    return root


if __name__ == "__main__":
    main()
