"""Orphan checks beside a plain LEFT JOIN for each foreign key and beside VALIDATE CONSTRAINT, in one run, interleaved.

Usage: python benchmarks/orphans.py [--quick] [--children N] [--parents N] [--rounds N] [--round-trip MS]

5,000,000 children of 500,000 parents (--quick: 1,000,000 of 100,000, about a minute), 3 rounds. A foreign key with an
index on the child's column, one whose index holds few values, one without an index, each clean and with orphans; then,
in a database of their own, 500 small ones. Everybody has the server's own settings and a new connection, whose making
is counted. Prints medians in seconds, and the ratio of each to govern's.

The floor of the small ones is a statement for fifty tables that only counts their rows: what opening them costs a new
session, whoever asks. They are asked twice, the second time over a network, of --round-trip (1 ms). Everything is on
an embedded PostgreSQL in a temporary folder.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from measured import Measured, add_file_option

from govern.core.reference import OrphanCount
from govern.database import embedded
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl

SMALL_TABLES = 500
FEW_VALUES = 1_000
ORPHANS = 1_000
LARGE = """
CREATE TABLE parent (id bigint PRIMARY KEY, body text);
INSERT INTO parent SELECT n, md5(n::text) FROM generate_series(1, {parents}) n;
CREATE TABLE child (id bigint PRIMARY KEY, indexed_id bigint, few_id bigint, plain_id bigint, body text);
INSERT INTO child SELECT n, 1 + (random() * ({parents} - 1))::bigint, 1 + n % {few},
  1 + (random() * ({parents} - 1))::bigint, md5(n::text) FROM generate_series(1, {children}) n;
CREATE INDEX ON child (indexed_id);
CREATE INDEX ON child (few_id);
"""
PLAIN = (
    "SELECT c.* FROM {child} c LEFT JOIN {parent} p ON p.id = c.{column} "
    "WHERE c.{column} IS NOT NULL AND p.id IS NULL"
)
LARGE_COLUMNS = {
    "indexed_id": "indexed",
    "few_id": f"indexed, {FEW_VALUES:,} values",
    "plain_id": "not indexed",
}


@dataclass(frozen=True)
class Size:
    children: int
    parents: int
    rounds: int


def main() -> None:
    arguments = read_arguments()
    measured = Measured("orphans", arguments.lines)
    size = Size(arguments.children, arguments.parents, arguments.rounds)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        url = embedded.ensure_running(folder)
        small = url.with_database("small")
        run(url, LARGE.format(children=size.children, parents=size.parents, few=FEW_VALUES), "VACUUM ANALYZE")
        run(url, "CREATE DATABASE small")
        run(small, *small_tables(), "VACUUM ANALYZE")
        print(f"{size.children:,} children, {size.parents:,} parents; {size.rounds} rounds")
        for column, name in LARGE_COLUMNS.items():
            measured.tell(name, compare_large(url, column, size.rounds))
            measured.tell(f"{name}, {ORPHANS:,} orphans", with_orphans(url, column, size.rounds))
        for milliseconds in (0.0, arguments.round_trip):
            with reached_over(small, milliseconds) as reached:
                way = f"{milliseconds:g} ms away" if milliseconds else "over a socket"
                print(f"{SMALL_TABLES} foreign keys of 50 rows each, {way}")
                measured.tell(f"{SMALL_TABLES} small keys, {way}", compare_small(reached, size.rounds))
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--children", type=int)
    parser.add_argument("--parents", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--round-trip", type=float, default=1.0, metavar="MS")
    add_file_option(parser)
    arguments = parser.parse_args()
    arguments.children = arguments.children or (1_000_000 if arguments.quick else 5_000_000)
    arguments.parents = arguments.parents or arguments.children // 10
    return arguments


def small_tables() -> Iterator[str]:
    for number in range(SMALL_TABLES):
        yield f"CREATE TABLE small_{number} (id integer PRIMARY KEY, other_id integer)"
        yield f"INSERT INTO small_{number} SELECT n, n FROM generate_series(1, 50) n"
    for number in range(SMALL_TABLES):
        yield f"ALTER TABLE small_{number} ADD FOREIGN KEY (other_id) REFERENCES {parent_of(number)}"


def parent_of(number: int) -> str:
    return f"small_{(number * 7 + 1) % SMALL_TABLES}"


def compare_large(url: DatabaseUrl, column: str, rounds: int) -> Mapping[str, list[float]]:
    """The key is made anew after each, NOT VALID, so that VALIDATE has the same to do each time."""
    key = f"ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY ({column}) REFERENCES parent NOT VALID"
    plain = PLAIN.format(child="child", parent="parent", column=column)
    run(url, key)
    seconds = interleave(
        {
            "govern": lambda: look(url, orphans=0),
            "plain LEFT JOIN": lambda: run(url, plain),
            "VALIDATE CONSTRAINT": lambda: run(url, "ALTER TABLE child VALIDATE CONSTRAINT k"),
        },
        rounds,
        after_each=lambda: run(url, "ALTER TABLE child DROP CONSTRAINT k", key),
    )
    run(url, "ALTER TABLE child DROP CONSTRAINT k")
    return seconds


def with_orphans(url: DatabaseUrl, column: str, rounds: int) -> Mapping[str, list[float]]:
    """Some children lose their parents; VALIDATE ends at the first of them, and is left out."""
    lose = f"UPDATE child SET {column} = -{column} WHERE id <= {ORPHANS}"
    key = f"ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY ({column}) REFERENCES parent NOT VALID"
    plain = PLAIN.format(child="child", parent="parent", column=column)
    run(url, lose, key, "VACUUM ANALYZE child")
    seconds = interleave(
        {
            "govern": lambda: look(url, orphans=ORPHANS),
            "plain LEFT JOIN": lambda: run(url, plain),
        },
        rounds,
    )
    run(url, "ALTER TABLE child DROP CONSTRAINT k", lose, "VACUUM ANALYZE child")
    return seconds


def compare_small(url: DatabaseUrl, rounds: int) -> Mapping[str, list[float]]:
    each = [
        PLAIN.format(child=f"small_{number}", parent=parent_of(number), column="other_id")
        for number in range(SMALL_TABLES)
    ]
    counts = [f"SELECT count(*) FROM small_{number}" for number in range(SMALL_TABLES)]
    floor = [" UNION ALL ".join(counts[start : start + 50]) for start in range(0, SMALL_TABLES, 50)]
    return interleave(
        {
            "govern": lambda: look(url, orphans=0),
            "plain LEFT JOIN": lambda: run(url, *each),
            "floor: counting": lambda: run(url, *floor),
        },
        rounds * 3,
    )


def run(url: DatabaseUrl, *statements: str) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
            if cursor.description:
                cursor.fetchall()


def look(url: DatabaseUrl, *, orphans: int) -> None:
    """As ``govern integrity`` does, a connection of its own and the reading of the catalog included."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        references = dialect.read_references(connection)
        found = tuple(dialect.find_orphans(connection, references, examples=5, seconds=600))
    for one in found:
        assert isinstance(one, OrphanCount), one
        assert not one.sampled_percent
        assert one.rows == orphans, one
        assert bool(one.examples) == bool(orphans), one


@contextmanager
def reached_over(url: DatabaseUrl, round_trip_ms: float) -> Iterator[DatabaseUrl]:
    """The same server behind a relay that keeps what it is sent for a while; itself without one."""
    if not round_trip_ms:
        yield url
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = psycopg.conninfo.conninfo_to_dict(url.conninfo)
        server = f"{path['host']}/.s.PGSQL.{path['port']}"
        threading.Thread(target=relay, args=(listener, server, round_trip_ms / 2000), daemon=True).start()
        port = listener.getsockname()[1]
        yield DatabaseUrl.parse(
            f"postgresql://{path['user']}@127.0.0.1:{port}/{path['dbname']}?sslmode=disable"
        )


def relay(listener: socket.socket, server: str, delay_seconds: float) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:  # the benchmark is over
            return
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(server))
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=pump, args=(source, sink, delay_seconds), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket, delay_seconds: float) -> None:
    try:
        while data := source.recv(1 << 20):
            time.sleep(delay_seconds)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    if delay_seconds and sink.family == socket.AF_UNIX:
        return  # the other direction closes both
    source.close()
    sink.close()


def interleave(
    candidates: Mapping[str, Callable[[], object]], rounds: int, after_each: Callable[[], None] = lambda: None
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(rounds + 1):
        for name, candidate in candidates.items():
            started = time.perf_counter()
            candidate()
            elapsed = time.perf_counter() - started
            after_each()
            if round_number:  # the first round warms the caches
                seconds[name].append(elapsed)
    return seconds


if __name__ == "__main__":
    main()
