"""Start-up validation beside ``alembic current --check-heads`` and a bare connection, in one run, interleaved.

Usage: python benchmarks/startup.py [RUNS]. Migrates the sample schema (38 tables) on an embedded PostgreSQL in a
temporary folder, then times each candidate as a whole process, and govern's check within a running process.
Prints medians and, for each pair of runs, the ratio to the peer.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from govern import validate_on_startup
from govern.database import embedded

ROOT = Path(__file__).resolve().parent.parent
BARE = (
    "import os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    connection.execute('SELECT version_num FROM alembic_version').fetchall()\n"
)
VALIDATE = (
    "import os\nfrom govern import validate_on_startup\nvalidate_on_startup(os.environ['DATABASE_URL'])\n"
)
WARM_RUNS = 50


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    try:
        url = embedded.ensure_running(folder).text
        os.environ["DATABASE_URL"] = url
        project = make_project(folder, url)
        subprocess.run([bin("govern"), "migrate", "--quiet"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        compare(project, runs)
        warm(url)
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def make_project(folder: Path, url: str) -> Path:
    """alembic.ini with the URL in it, as plain Alembic needs it."""
    ini = folder / "alembic.ini"
    sqlalchemy_url = url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
    ini.write_text(
        f"[alembic]\nscript_location = {ROOT / 'migrations'}\nprepend_sys_path = {ROOT}\n"
        f"sqlalchemy.url = {sqlalchemy_url}\n"
        "[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n[logger_root]\nhandlers =\n"
    )
    return ini


def compare(ini: Path, runs: int) -> None:
    candidates: dict[str, Sequence[str | Path]] = {
        "alembic current --check-heads": [bin("alembic"), "-c", ini, "current", "--check-heads"],
        "bare psycopg, version row": [sys.executable, "-c", BARE],
        "govern.validate_on_startup": [sys.executable, "-c", VALIDATE],
    }
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(runs + 1):
        for name, command in candidates.items():
            elapsed = time_process(command)
            if round_number > 0:  # the first round warms the caches
                seconds[name].append(elapsed)
    ours = seconds["govern.validate_on_startup"]
    print(f"whole process, {runs} runs each, interleaved; ratio = govern / candidate, pair by pair")
    for name, values in seconds.items():
        ratio = statistics.median(mine / other for mine, other in zip(ours, values, strict=True))
        print(f"  {name:<32} median {statistics.median(values):.3f} s   ratio {ratio:.2f}")


def warm(url: str) -> None:
    validate_on_startup(url)
    values = []
    for _ in range(WARM_RUNS):
        started = time.perf_counter()
        validate_on_startup(url)
        values.append((time.perf_counter() - started) * 1000)
    print(f"in a running process: median {statistics.median(values):.1f} ms over {WARM_RUNS} checks")


def time_process(command: Sequence[str | Path]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def bin(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    main()
