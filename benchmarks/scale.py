"""How far it goes: 10,000 tables, 100,000 revisions, 2,000 tenants behind a slow network of which 1 % fails.

Usage: python benchmarks/scale.py [tables] [revisions] [tenants] [--tables N] [--revisions N ...] [--tenants N]
[--databases N] [--workers N ...] [--lines FILE]. All three parts by default. Each command runs once, as a process of
its own; printed are its seconds, its and the server's processor time, the most memory of both, threads and files.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import scale_revisions
import scale_tables
import scale_tenants
from scale_lines import Lines

PARTS = ("tables", "revisions", "tenants")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", metavar="PART", default=PARTS, help=", ".join(PARTS))
    arguments.add_argument("--tables", type=int, default=10_000)
    arguments.add_argument("--revisions", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    arguments.add_argument("--tenants", type=int, default=2_000)
    arguments.add_argument("--databases", type=int, default=200, help="that stand for the tenants")
    arguments.add_argument("--workers", type=int, nargs="+", default=[8, 32, 128])
    arguments.add_argument("--lines", type=Path, metavar="FILE", help="append what was measured there")
    chosen = arguments.parse_args()
    if unknown := set(chosen.parts) - {*PARTS}:
        arguments.error(f"no such part: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its servers end with it
    lines = Lines(chosen.lines)
    if "tables" in chosen.parts:
        scale_tables.measure(lines, tables=chosen.tables)
    if "revisions" in chosen.parts:
        scale_revisions.measure(lines, revisions=chosen.revisions)
    if "tenants" in chosen.parts:
        scale_tenants.measure(
            lines, tenants=chosen.tenants, databases=chosen.databases, workers=chosen.workers
        )


if __name__ == "__main__":
    main()
