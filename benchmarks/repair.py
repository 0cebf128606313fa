"""Detection and repair over the case corpus: ours, and migra alone on the same databases.

Usage: python benchmarks/repair.py [PART OF A CASE'S NAME] [--lines FILE]. Runs each case of tests/cases/drift in both
directions on an embedded PostgreSQL in a temporary folder, a made-up row in every table. "seen": ours reports the
change, migra has statements for it; "runs": the script raises no error; "converges": the catalog snapshots are equal
afterwards.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from measured import Measured, add_file_option

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


@dataclass
class Tried:
    """What one of both has made of all directions so far."""

    seconds: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def told(self, names: tuple[str, ...]) -> dict[str, int]:
        return {"directions": len(self.seconds), **{name: self.counts[name] for name in names}}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("part", nargs="?", default="")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    cases = [
        file.parent for file in sorted(CASES.glob("*/*/expected.json")) if chosen.part in str(file.parent)
    ]
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    ours, migra = Tried(), Tried()
    try:
        url = embedded.ensure_running(folder, settings={"fsync": "off"})
        extensions = find_extensions(url)
        for case in cases:
            if can_stand(case, extensions):
                compare(case, url, ours, migra)
            else:
                print(f"left out, the server cannot have it: {case.relative_to(CASES)}")
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    names = ("seen", "runs", "converges")
    Measured("repair", chosen.lines).tell(
        "single changes, both ways",
        {"govern": ours.seconds, "migra": migra.seconds},
        counts={"govern": ours.told((*names, "of it without loss")), "migra": migra.told(names)},
    )
    print(f"migra crashes {migra.counts['crashes']} times")


def find_extensions(url: DatabaseUrl) -> frozenset[str]:
    """Those that the server can create."""
    with server.connect(url.with_database("postgres"), read_only=True) as connection:
        return frozenset(
            str(name) for (name,) in connection.rows("SELECT name FROM pg_catalog.pg_available_extensions")
        )


def can_stand(case: Path, extensions: frozenset[str]) -> bool:
    """Whether the server has what the case is about."""
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    is_known = expected.get("min_major", 0) <= embedded.MAJOR
    return is_known and expected.get("extension") in {None, *extensions}


def compare(case: Path, url: DatabaseUrl, ours: Tried, migra: Tried) -> None:
    urls = [url.with_database(f"bench_{side}") for side in "ab"]
    for database, file in zip(urls, ("a.sql", "b.sql"), strict=True):
        server.drop_database(database)
        server.create_database(database)
        with server.connect(database) as connection:
            connection.execute((case / file).read_text(encoding="utf-8"))
            seed_rows(connection, find_tables(connection))
    for declared, live in (urls, reversed(urls)):
        with server.connect(declared) as wanted, server.connect(live) as existing:
            try_ours(wanted, existing, ours)
            try_migra(declared, live, read_side(wanted, TABLE), existing, migra)


def try_ours(wanted: Connection, existing: Connection, tried: Tried) -> None:
    started = time.perf_counter()
    declared, live = read_side(wanted, TABLE), read_side(existing, TABLE)
    is_seen = bool(diff(declared.snapshot, live.snapshot))
    trial = try_repair(existing, declared, live, TABLE)
    tried.seconds.append(time.perf_counter() - started)
    converges = trial is not None and not trial.remaining
    tried.counts["seen"] += is_seen
    tried.counts["runs"] += trial is not None
    tried.counts["converges"] += converges
    tried.counts["of it without loss"] += converges and trial is not None and not trial.losses


def try_migra(
    declared: DatabaseUrl, live: DatabaseUrl, target: Side, existing: Connection, tried: Tried
) -> None:
    started = time.perf_counter()
    try:
        statements = migra_diff.propose_statements(live=live, declared=declared, version_table=TABLE)
    except CouldNotCheck:
        tried.counts["crashes"] += 1
        return
    finally:
        tried.seconds.append(time.perf_counter() - started)
    if not statements:
        return
    tried.counts["seen"] += 1
    with existing.transaction():
        existing.execute("SAVEPOINT migra")
        try:
            for statement in statements:
                existing.execute(statement)
            tried.counts["runs"] += 1
            now = catalog.read_snapshot(existing, TABLE)
            tried.counts["converges"] += now.objects == target.snapshot.objects
        except psycopg.Error:
            pass
        existing.execute("ROLLBACK TO SAVEPOINT migra")


if __name__ == "__main__":
    main()
