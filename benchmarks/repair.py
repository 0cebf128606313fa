"""Detection and repair over the case corpus: ours, and migra alone on the same databases.

Usage: python benchmarks/repair.py [PART OF A CASE'S NAME]. Runs each case of tests/cases/drift in both directions on
an embedded PostgreSQL in a temporary folder, a made-up row in every table. "seen": ours reports the change, migra has
statements for it; "runs": the script raises no error; "converges": the catalog snapshots are equal afterwards.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg

from govern.core.changes import diff
from govern.database import embedded, migra_diff
from govern.database.connection import Connection
from govern.database.postgresql import catalog, server
from govern.database.postgresql.repair.seeds import find_tables, seed_rows
from govern.database.postgresql.repair.trial import try_repair
from govern.database.postgresql.repair.wanted import Side, read_side
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases" / "drift"
TABLE = VersionTable()


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    cases = [file.parent for file in sorted(CASES.glob("*/*/expected.json")) if wanted in str(file.parent)]
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    count: Counter[str] = Counter()
    try:
        url = embedded.ensure_running(folder, settings={"fsync": "off"})
        for case in cases:
            compare(case, url, count)
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    show(count)


def compare(case: Path, url: DatabaseUrl, count: Counter[str]) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    if expected.get("min_major", 0) > embedded.MAJOR:
        return
    urls = [url.with_database(f"bench_{side}") for side in "ab"]
    for database, file in zip(urls, ("a.sql", "b.sql"), strict=True):
        server.drop_database(database)
        server.create_database(database)
        with server.connect(database) as connection:
            connection.execute((case / file).read_text(encoding="utf-8"))
            seed_rows(connection, find_tables(connection))
    for declared, live in (urls, reversed(urls)):
        with server.connect(declared) as wanted, server.connect(live) as existing:
            count["directions"] += 1
            try_ours(wanted, existing, count)
            try_migra(declared, live, read_side(wanted, TABLE), existing, count)


def try_ours(wanted: Connection, existing: Connection, count: Counter[str]) -> None:
    started = time.perf_counter()
    declared, live = read_side(wanted, TABLE), read_side(existing, TABLE)
    count["ours: seen"] += bool(diff(declared.snapshot, live.snapshot))
    trial = try_repair(existing, declared, live, TABLE)
    count["ours: milliseconds"] += round((time.perf_counter() - started) * 1000)
    count["ours: runs"] += trial is not None
    count["ours: converges"] += trial is not None and not trial.remaining
    count["ours: converges without loss"] += trial is not None and not trial.remaining and not trial.losses


def try_migra(
    declared: DatabaseUrl, live: DatabaseUrl, target: Side, existing: Connection, count: Counter[str]
) -> None:
    started = time.perf_counter()
    try:
        statements = migra_diff.propose_statements(live=live, declared=declared, version_table=TABLE)
    except CouldNotCheck:
        count["migra: crashes"] += 1
        return
    finally:
        count["migra: milliseconds"] += round((time.perf_counter() - started) * 1000)
    if not statements:
        return
    count["migra: seen"] += 1
    with existing.transaction():
        existing.execute("SAVEPOINT migra")
        try:
            for statement in statements:
                existing.execute(statement)
            count["migra: runs"] += 1
            now = catalog.read_snapshot(existing, TABLE)
            count["migra: converges"] += now.objects == target.snapshot.objects
        except psycopg.Error:
            pass
        existing.execute("ROLLBACK TO SAVEPOINT migra")


def show(count: Counter[str]) -> None:
    total = count.pop("directions")
    print(f"{total} directions")
    for name, number in sorted(count.items()):
        if name.endswith("milliseconds"):
            print(f"  {name:<32} {number / total:8.0f} a direction")
        else:
            print(f"  {name:<32} {number:8}   {number / total:.1%}")


if __name__ == "__main__":
    main()
