"""Orphan checks beside a plain LEFT JOIN for each foreign key and beside VALIDATE CONSTRAINT, in one run, interleaved.

Usage: python benchmarks/orphans.py [CHILDREN [PARENTS [ROUNDS]]] (5,000,000, a tenth, 3). One large foreign key with an
index on the child's column and one without, then 500 small ones. Everything on an embedded PostgreSQL in a temporary
folder. Prints medians in seconds, and the ratio of each to govern's.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from govern.core.reference import OrphanCount, Reference
from govern.database import embedded
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl

SMALL_TABLES = 500
LARGE = """
CREATE TABLE parent (id bigint PRIMARY KEY, body text);
INSERT INTO parent SELECT n, md5(n::text) FROM generate_series(1, {parents}) n;
CREATE TABLE child (id bigint PRIMARY KEY, indexed_id bigint, plain_id bigint, body text);
INSERT INTO child SELECT n, 1 + (random() * ({parents} - 1))::bigint, 1 + (random() * ({parents} - 1))::bigint,
  md5(n::text) FROM generate_series(1, {children}) n;
CREATE INDEX ON child (indexed_id);
"""
PLAIN = (
    "SELECT c.* FROM {child} c LEFT JOIN {parent} p ON p.id = c.{column} "
    "WHERE c.{column} IS NOT NULL AND p.id IS NULL"
)


def main() -> None:
    children = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    parents = int(sys.argv[2]) if len(sys.argv) > 2 else children // 10
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        url = embedded.ensure_running(folder)
        with psycopg.connect(url.conninfo, autocommit=True) as connection:
            fill(connection, children, parents)
            print(f"{children:,} children, {parents:,} parents; {rounds} rounds")
            for column in ("indexed_id", "plain_id"):
                report(column, compare_large(connection, url, column, rounds))
            print(f"{SMALL_TABLES} foreign keys of 50 rows each")
            report("all of them", compare_small(url, rounds))
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def fill(connection: psycopg.Connection, children: int, parents: int) -> None:
    connection.execute(LARGE.format(children=children, parents=parents).encode())
    for number in range(SMALL_TABLES):
        connection.execute(f"CREATE TABLE small_{number} (id integer PRIMARY KEY, other_id integer)".encode())
        connection.execute(f"INSERT INTO small_{number} SELECT n, n FROM generate_series(1, 50) n".encode())
    for number in range(SMALL_TABLES):
        other = (number * 7 + 1) % SMALL_TABLES
        connection.execute(
            f"ALTER TABLE small_{number} ADD FOREIGN KEY (other_id) REFERENCES small_{other}".encode()
        )
    connection.execute(b"VACUUM ANALYZE")


def compare_large(
    connection: psycopg.Connection, url: DatabaseUrl, column: str, rounds: int
) -> Mapping[str, list[float]]:
    key = f"ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY ({column}) REFERENCES parent NOT VALID"
    drop = b"ALTER TABLE child DROP CONSTRAINT k"
    connection.execute(key.encode())
    plain = PLAIN.format(child="child", parent="parent", column=column).encode()

    def validate() -> None:
        connection.execute(b"ALTER TABLE child VALIDATE CONSTRAINT k")

    def forget() -> None:
        connection.execute(drop)
        connection.execute(key.encode())

    seconds = interleave(
        {
            "govern": lambda: look(url, lambda reference: reference.child[1] == "child"),
            "plain LEFT JOIN": lambda: connection.execute(plain).fetchall(),
            "VALIDATE CONSTRAINT": validate,
        },
        rounds,
        after_each=forget,
    )
    connection.execute(drop)
    return seconds


def compare_small(url: DatabaseUrl, rounds: int) -> Mapping[str, list[float]]:
    def one_by_one() -> None:
        with psycopg.connect(url.conninfo, autocommit=True) as connection:
            ask_each(connection)

    def ask_each(connection: psycopg.Connection) -> None:
        for number in range(SMALL_TABLES):
            child, parent = f"small_{number}", f"small_{(number * 7 + 1) % SMALL_TABLES}"
            connection.execute(
                PLAIN.format(child=child, parent=parent, column="other_id").encode()
            ).fetchall()

    return interleave(
        {
            "govern": lambda: look(url, lambda reference: reference.child[1] != "child"),
            "plain LEFT JOIN": one_by_one,
        },
        rounds,
    )


def look(url: DatabaseUrl, is_meant: Callable[[Reference], bool]) -> None:
    """As ``govern integrity`` does, a connection of its own and the reading of the catalog included."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        references = [one for one in dialect.read_references(connection) if is_meant(one)]
        found = tuple(dialect.find_orphans(connection, references, examples=5, seconds=600))
    assert all(isinstance(one, OrphanCount) and not one.rows and not one.sampled_percent for one in found)


def interleave(
    candidates: Mapping[str, Callable[[], object]], rounds: int, after_each: Callable[[], None] = lambda: None
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(rounds + 1):
        for name, run in candidates.items():
            started = time.perf_counter()
            run()
            elapsed = time.perf_counter() - started
            after_each()
            if round_number:  # the first round warms the caches
                seconds[name].append(elapsed)
    return seconds


def report(what: str, seconds: Mapping[str, list[float]]) -> None:
    ours = statistics.median(seconds["govern"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"  {what:<12} {name:<20} {median:7.3f} s   {median / ours:5.2f} × govern")


if __name__ == "__main__":
    main()
