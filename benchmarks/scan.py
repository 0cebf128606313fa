"""``govern scan`` over a large code base: cold, again, and after a change of one file; peers beside it, interleaved.

Usage: python benchmarks/scan.py [--files N] [--statements N] [--tables N] [--runs RUNS] [--project FOLDER]
[--peers FOLDER]. A generated code base, 500 files with 20,000 statements by default (Python, TypeScript, SQL; one
of 25 statements is wrong), stands beside the models of 40 tables, and an embedded PostgreSQL in a temporary folder.
Printed are medians of time and peak memory of whole processes, and statements a second. ``--project`` is scanned,
too: a real project's folder, against the generated schema: what takes time is the same, what is found says nothing.

``--peers`` is the ``bin`` folder of an environment with ``sqlfluff``, ``ast-grep-cli`` and ``semgrep``; squawk and
pglast come with govern. None of them does the same: squawk, sqlfluff and pglast read SQL files, and know neither
programs nor a schema; ast-grep and semgrep find calls in programs, and know neither SQL nor a schema.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from code_base import write_code_base
from drift import FAST, bin, make_database, make_project
from measured import Measured, add_file_option
from processes import ENVIRONMENT, time_process
from processes import Run as Timed

from govern.config import find_cache_folder
from govern.database import embedded

_OF_SQLFLUFF = 10
"""It takes minutes for all: of so many files of SQL it reads one."""
_RULE = """
rules:
  - {id: execute, languages: [python], message: a statement, severity: INFO, pattern: $X.execute(...)}
  - {id: query, languages: [typescript], message: a statement, severity: INFO, pattern: $X.query(...)}
"""
_PGLAST = "import sys, pglast; [pglast.parse_sql(open(path).read()) for path in sys.argv[1:]]"


@dataclass
class Run:
    """A command, what is done before each of its runs, and what these took."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], object] = lambda: None
    what: str = ""
    timed: list[Timed] = field(default_factory=list)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=500)
    arguments.add_argument("--statements", type=int, default=20_000)
    arguments.add_argument("--tables", type=int, default=40)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--project", type=Path, metavar="FOLDER")
    arguments.add_argument("--peers", type=Path, metavar="FOLDER")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("scan", chosen.lines)
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
        live = make_database(server, "live", chosen.tables)
        project = make_project(folder / "project", live, chosen.tables)
        write_code_base(
            project / "app", files=chosen.files, statements=chosen.statements, tables=chosen.tables
        )
        bench(project, "app", chosen.runs, peers=find_peers(project, chosen.peers), measured=measured)
        if chosen.project is not None:
            shutil.copytree(
                chosen.project, project / "real", ignore=shutil.ignore_patterns(".git"), symlinks=True
            )
            bench(project, "real", chosen.runs, peers=[], measured=measured)
    finally:
        embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def bench(project: Path, folder: str, runs: int, peers: list[Run], measured: Measured) -> None:
    memory, code = find_cache_folder(project), project / folder
    assert memory is not None
    command = (bin("govern"), "scan", folder, "--quiet")
    files = sorted(code.rglob("*.py"))
    described = describe(project, folder)
    size = sum(path.stat().st_size for path in code.rglob("*") if path.is_file()) / 1e6
    print(f"\n{folder}: {described}; {size:.1f} MB; whole process, {runs} runs each, interleaved")
    ours = [
        Run("govern scan, cold", command, lambda: shutil.rmtree(memory, ignore_errors=True)),
        Run("govern scan, nothing changed", command),
        Run("govern scan, one file changed", command, lambda: change(files[0])),
    ]
    for number in range(runs + 1):
        for run in (*ours, *peers):
            run.prepare()
            timed = time_process(run.command, project, has_looked)
            if number > 0:  # the first round warms the caches of the machine
                run.timed.append(timed)
    cold = statistics.median(timed.seconds for timed in ours[0].timed)
    print(f"    {int(described.split()[0].replace(',', '')) / cold:,.0f} statements a second")
    named = {f"{run.name}: {run.what}" if run.what else run.name: run.timed for run in (*ours, *peers)}
    measured.tell(described, named)


def describe(project: Path, folder: str) -> str:
    """``20,000 statements in 500 files``."""
    done = subprocess.run(
        [bin("govern"), "scan", folder, "--format", "json"],
        cwd=project,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    entries = json.loads(done.stdout)["entries"]
    return str(next(entry["reason"] for entry in entries if entry["name"] == "scan"))


def change(path: Path) -> None:
    """One statement more."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f'\nsession.execute(text("SELECT name FROM t1 WHERE id = {path.stat().st_size}"))\n')


def find_peers(project: Path, peers: Path | None) -> list[Run]:
    """Each with what it reads; those that are there."""
    of_sql = sorted(str(path.relative_to(project)) for path in (project / "app").rglob("*.sql"))
    part = of_sql[::_OF_SQLFLUFF]
    (project / "rule.yaml").write_text(_RULE, encoding="utf-8")
    found = [
        Run("squawk", (bin("squawk"), *of_sql), what=f"{len(of_sql)} SQL files, rules for migrations"),
        Run("pglast", (sys.executable, "-c", _PGLAST, *of_sql), what=f"{len(of_sql)} SQL files, grammar"),
    ]
    if peers is None:
        return found
    programs: list[tuple[str, Sequence[str], str]] = [
        ("sqlfluff", ("lint", "--dialect", "postgres", *part), f"{len(part)} SQL files, style"),
        (
            "ast-grep",
            ("run", "--lang", "python", "--pattern", "$X.execute($$$)", "app"),
            "Python, places of calls",
        ),
        (
            "semgrep",
            ("scan", "--metrics=off", "--disable-version-check", "--config", "rule.yaml", "app"),
            "Python, TypeScript, places of calls",
        ),
    ]
    for name, given, what in programs:
        if (peers / name).exists():
            found.append(Run(name, (str(peers / name), *given), what=what))
    return found


def has_looked(exit_code: int, told: bytes) -> bool:
    """Whoever finds something has done its work."""
    return exit_code in (0, 1) and b"Traceback" not in told


if __name__ == "__main__":
    main()
