"""All benchmarks, one after the other: ``make bench``.

Usage: python benchmarks/suite.py [NAME ...] [--small] [--lines FILE]. NAMEs are scripts beside this one, such as
``drift backup``; without any, all of them are run and FILE is made anew. One that fails keeps no other from its turn,
and is named at the end, with exit code 1. Programs that ``make bench-peers`` has installed take part; absent ones are
named. ``--small`` measures what CI compares in ``collapse.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import machine

FOLDER = Path(__file__).parent
PROGRAMS = machine.PEERS / "bin"


@dataclass(frozen=True, slots=True)
class Turn:
    script: str
    words: Sequence[str] = ()
    peers: Mapping[str, str] = field(default_factory=dict)
    """The program, by the option that takes it; the folder of all of them where no program is named."""


SUITE = (
    Turn("chain"),
    Turn("drift", ("40", "81", "500", "2000"), {"--results": "results"}),
    Turn("drift", ("10000", "--runs", "2"), {"--results": "results"}),  # there peers take a minute each
    Turn("startup"),
    Turn("overhead", (), {"--dbmate": "dbmate"}),
    Turn("backup"),
    Turn("orphans"),
    Turn("scan", ("--runs", "2"), {"--peers": ""}),  # semgrep takes two minutes
    Turn("repair"),
    Turn("blocking"),
    Turn("pytest_plugin"),
    Turn("fleet"),
    Turn("health"),
    Turn("diagram"),
)
SMALL = (
    Turn("chain", ("500", "--runs", "3")),
    Turn("drift", ("81", "--runs", "3")),
    Turn("startup", ("81", "--runs", "3")),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME")
    arguments.add_argument("--small", action="store_true")
    arguments.add_argument("--lines", type=Path, metavar="FILE", default=FOLDER / "measured.jsonl")
    chosen = arguments.parse_args()
    turns = SMALL if chosen.small else SUITE
    if unknown := set(chosen.names) - {turn.script for turn in turns}:
        sys.exit(f"no benchmark: {', '.join(sorted(unknown))}")
    if not chosen.names:
        chosen.lines.unlink(missing_ok=True)
    machine.write(machine.look(), chosen.lines.with_suffix(".machine.json"))
    run([turn for turn in turns if not chosen.names or turn.script in chosen.names], chosen.lines)


def run(turns: Sequence[Turn], lines: Path) -> None:
    """Exits with 1 where one has failed."""
    failed = []
    for turn in turns:
        command = (
            sys.executable,
            FOLDER / f"{turn.script}.py",
            *turn.words,
            *find_peers(turn),
            "--lines",
            lines,
        )
        print(f"\n=== {turn.script} {' '.join(turn.words)}", flush=True)
        started = time.monotonic()
        if subprocess.run(command, check=False).returncode:
            failed.append(turn.script)
        print(f"=== {turn.script}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def find_peers(turn: Turn) -> Iterator[str | Path]:
    """Options for those that are there."""
    for option, name in turn.peers.items():
        if (PROGRAMS / name).exists():
            yield from (option, PROGRAMS / name)
        else:
            print(f"absent, make bench-peers installs it: {name or 'all peers'}", flush=True)


if __name__ == "__main__":
    main()
