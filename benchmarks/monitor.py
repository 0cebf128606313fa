"""What a pass of the monitor over an idle database takes, and what a day of passes does to the monitor itself.

Usage: python benchmarks/monitor.py [--tables N] [--rows N] [--passes N] [--day] [--quick]. A generated schema of 81
tables, made by one revision and migrated to, stands on an embedded PostgreSQL in a temporary folder, with some rows
in every table. The first part prints for each check, and for a whole pass, medians of seconds, and the CPU of the
pass's processes and of the server; and how many statements the server was sent. The first pass proves
everything; those after it meet a database that nobody has changed.

``--day`` runs ``govern monitor run`` for as many passes as a day has, one a second, and prints how its memory,
descriptors and connections grew after the first tenth of them.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from drift import FAST, batches, bin, make_project, schema_sql
from processes import ENVIRONMENT, time_process

from govern.config import load
from govern.core.finding import Severity
from govern.core.monitoring import MonitorStatus
from govern.database import embedded
from govern.database.monitoring import open_record
from govern.database.url import DatabaseUrl
from govern.monitor.checks import CHECKS
from govern.monitor.worker import Worker

PASSES_A_DAY = 288
"""One every five minutes."""
_WARM_UP = 0.1
"""The share of a day's passes after which the monitor has all that it needs."""
REVISION = """
from alembic import op

revision, down_revision = "r1", None
STATEMENTS = {statements!r}


def upgrade():
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade():
    raise NotImplementedError
"""
MANIFEST = """
critical_tables:
  - {name: t0, never_empty: [name]}
  - {name: t1}
"""
FILL = """
INSERT INTO {table} (tenant_id, name, email, amount, is_active, note)
SELECT n, 'name ' || n, 'n' || n || '@example.org', n, true, 'note ' || n FROM generate_series(1, {rows}) AS n
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tables", type=int, default=81)
    arguments.add_argument("--rows", type=int, default=1_000)
    arguments.add_argument("--passes", type=int, default=9)
    arguments.add_argument("--day", action="store_true")
    arguments.add_argument("--quick", action="store_true", help="few passes, also of a day")
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        server = embedded.ensure_running(folder / ".govern", settings=FAST).with_database("postgres")
        project, url = prepare(folder / "project", server, chosen.tables, chosen.rows)
        bench_passes(project, url, folder / ".govern", 3 if chosen.quick else chosen.passes)
        if chosen.day:
            bench_day(project, url, PASSES_A_DAY // 12 if chosen.quick else PASSES_A_DAY)
    finally:
        embedded.stop(folder / ".govern")
        shutil.rmtree(folder, ignore_errors=True)


def prepare(root: Path, server: DatabaseUrl, tables: int, rows: int) -> tuple[Path, DatabaseUrl]:
    """A project whose revision makes the tables, migrated to, with rows and a verified backup."""
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute("CREATE DATABASE live TEMPLATE template0")
    url = server.with_database("live")
    make_project(root, url, tables)
    revision = REVISION.format(statements=[";\n".join(batch) for batch in batches(schema_sql(tables), 500)])
    (root / "migrations/versions/r1.py").write_text(revision)
    (root / "schema").mkdir()
    (root / "schema/governance.yaml").write_text(MANIFEST)
    (root / "govern.toml").write_text('manifest = "schema/governance.yaml"\n')
    run(root, "migrate", "--backup", "off", "--rehearse", "off", "--url", url.text)
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        for number in range(tables):
            connection.execute(FILL.format(table=f"t{number}", rows=rows).encode())
        connection.execute("ANALYZE")
    run(root, "backup", "create", "--url", url.text)
    return root, url


def run(root: Path, *arguments: str) -> None:
    time_process((bin("govern"), *arguments), root)


@dataclass
class Figures:
    """Of one pass after the other."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    server_cpu: list[float] = field(default_factory=list)
    checks: dict[str, list[float]] = field(default_factory=dict)


def bench_passes(project: Path, url: DatabaseUrl, state: Path, passes: int) -> None:
    worker = Worker(load(start=project, url=url.text))
    status = embedded.status(state)
    assert status is not None
    server = psutil.Process(status.pid)
    first, later = Figures(), Figures()
    for number in range(passes + 1):
        time_pass(worker, server, later if number else first)
    print(f"a pass over {len(CHECKS)} checks; the first, and medians of {passes} later ones")
    for name in CHECKS:
        print(
            f"    {name:<12} {first.checks[name][0]:6.2f} s  {statistics.median(later.checks[name]):6.2f} s"
        )
    for name in ("seconds", "cpu", "server_cpu"):
        one, several = getattr(first, name)[0], statistics.median(getattr(later, name))
        print(f"    {name:<12} {one:6.2f} s  {several:6.2f} s")
    print(f"    statements of a later pass: {count_statements(worker, url, state)}")


def time_pass(worker: Worker, server: psutil.Process, figures: Figures) -> None:
    """The server's processes that have ended are counted with the one that they came from."""
    before, children, started = server.cpu_times(), cpu_of_children(), time.perf_counter()
    for seen in worker.look(tuple(CHECKS)):
        if not seen.is_decided or any(one.severity > Severity.INFO for one in seen.entry.findings):
            raise RuntimeError(f"{seen.entry.name}: {seen.entry.reason} {seen.entry.findings[:3]}")
        figures.checks.setdefault(seen.entry.name, []).append(seen.seconds)
    figures.seconds.append(time.perf_counter() - started)
    figures.cpu.append(cpu_of_children() - children)
    after = server.cpu_times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    figures.server_cpu.append(spent)


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def count_statements(worker: Worker, url: DatabaseUrl, state: Path) -> int:
    """As the server writes them down for one pass."""
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(1)
        log = state / "pg" / "log" if (state / "pg" / "log").exists() else next(state.glob("**/log"))
        size = log.stat().st_size
        list(worker.look(tuple(CHECKS)))
        text = log.read_bytes()[size:].decode()
        connection.execute("ALTER SYSTEM RESET log_statement")
        connection.execute("SELECT pg_reload_conf()")
    return text.count("LOG:  statement: ") + text.count("LOG:  execute ")


def bench_day(project: Path, url: DatabaseUrl, passes: int) -> None:
    command = (bin("govern"), "monitor", "run", "--interval", "1", "--url", url.text)
    process = subprocess.Popen(
        command, cwd=project, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        samples = [sample(psutil.Process(process.pid), url, number) for number in range(1, passes + 1)]
    finally:
        process.terminate()
        process.wait(60)
    warm = samples[int(len(samples) * _WARM_UP) :]
    print(f"a day of {passes} passes, the first {_WARM_UP:.0%} of them left out")
    for position, name in enumerate(("memory, MB", "descriptors", "connections")):
        tell_growth(name, [one[position] for one in warm])


def tell_growth(name: str, values: Sequence[float]) -> None:
    """Of the median of the last tenth over that of the first."""
    tenth = max(1, len(values) // 10)
    begin, end = statistics.median(values[:tenth]), statistics.median(values[-tenth:])
    print(f"    {name:<12} {begin:7.1f} → {end:7.1f}  {end / begin - 1:+.1%}  at most {max(values):.1f}")


def sample(process: psutil.Process, url: DatabaseUrl, passes: int) -> tuple[float, float, float]:
    """Once so many passes were made: megabytes, descriptors, and sessions in the server."""
    while count_passes(url) < passes:
        if not process.is_running():
            raise RuntimeError("the monitor has ended")
        time.sleep(0.2)
    with psycopg.connect(url.conninfo) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return process.memory_info().rss / 1e6, process.num_fds(), row[0] if row else 0


def count_passes(url: DatabaseUrl) -> int:
    with open_record(url, read_only=True) as record:
        document = record.read_documents().get("status")
    return MonitorStatus.from_json(document).passes if document else 0


if __name__ == "__main__":
    sys.exit(main())
