"""A fleet of hundreds of databases, some drifted, some broken: looked at, migrated, killed, and gone on with.

Usage: python benchmarks/fleet.py [--postgresql N] [--sqlite N] [--migrated N] [--workers N] [--without-dask]
[--runs RUNS] [--lines FILE]. 40 databases, 60 files and 20 that are migrated by default.

First, beside a shell that starts a process for each database, two at a time: medians of whole runs, interleaved. Then
a drill. The databases stand on an embedded PostgreSQL in a temporary folder, and in files. 20 of them are drifted in
5 ways, 5 are broken in 5 ways. It is drilled that the report groups them, that threads and a Dask cluster of two
workers find the same, that a migration ends with a canary that fails, and that one that is killed with SIGKILL comes
to its end when it is run again, without a database that was migrated twice. Printed are times, processor time and
memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from drift import bin, sqlalchemy_url
from measured import Measured, add_file_option
from processes import Run, time_process

from govern.database import embedded
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl

GOVERN = str(Path(sys.executable).with_name("govern"))
PLAIN = Path(__file__).parent.parent / "tests" / "cases" / "projects" / "plain"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
SCHEDULER = "tcp://127.0.0.1:28786"
PASSWORDS = "passwords"
QUICK = ("--backup", "off", "--rehearse", "off")
AT_A_TIME = 2
"""Processes that a shell starts; as many as there are cores where this was measured."""
WAYS: Mapping[str, tuple[str, bool]] = {
    "an added column": ("ALTER TABLE notes ADD COLUMN extra integer", True),
    "an added table": ("CREATE TABLE by_hand (id integer)", True),
    "an added index": ("CREATE INDEX by_hand_idx ON notes (body)", True),
    "another type": ("ALTER TABLE notes ALTER COLUMN body TYPE varchar(500)", False),
    "a lost constraint": ("ALTER TABLE users DROP CONSTRAINT users_email_key", False),
}
"""Each with its statement, and whether SQLite knows it."""
THIRD = '''"""an index"""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.create_index("notes_user_id_idx", "notes", ["user_id"])


def downgrade():
    op.drop_index("notes_user_id_idx", "notes")
'''


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--postgresql", type=int, default=40)
    arguments.add_argument("--sqlite", type=int, default=60)
    arguments.add_argument("--migrated", type=int, default=20)
    arguments.add_argument("--workers", type=int, default=8)
    arguments.add_argument("--without-dask", action="store_true")
    arguments.add_argument("--runs", type=int, default=3, help="beside the peers; 0: the drill alone")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        fleet = Fleet(folder, chosen.postgresql, chosen.sqlite, chosen.workers)
        if chosen.runs:
            case = f"drift of {chosen.postgresql} PostgreSQL databases and {chosen.sqlite} files"
            Measured("fleet", chosen.lines).tell(case, compare(fleet, chosen.runs))
        threads = look(fleet)
        if not chosen.without_dask:
            look_with_dask(fleet, threads)
        migrate(fleet, chosen.migrated)
    finally:
        embedded.stop(folder / ".server")
        shutil.rmtree(folder, ignore_errors=True)


class Fleet:
    """The project and its databases."""

    def __init__(self, folder: Path, servers: int, files: int, workers: int) -> None:
        self.root = folder / "project"
        self.workers = workers
        shutil.copytree(PLAIN, self.root, ignore=shutil.ignore_patterns("__pycache__"))
        started = time.perf_counter()
        self.server = embedded.ensure_running(folder / ".server", settings=FAST).with_database("postgres")
        self.databases = {**self._make_servers(servers), **self._make_files(files)}
        self._write()
        say(f"{servers} PostgreSQL databases and {files} files", time.perf_counter() - started)

    def run(self, *words: str, expected: Sequence[int] = (0,)) -> dict[str, Any]:
        """The report of a fleet command; how long it took is printed."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            self.command(*words), cwd=self.root, capture_output=True, text=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        require(
            done.returncode in expected,
            f"{words}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr}",
        )
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        say(" ".join(words), time.perf_counter() - started, cpu, after.ru_maxrss / 1024)
        document: dict[str, Any] = json.loads(done.stdout)
        require("targets" in document, f"{words}: {document['problem']}")
        return document

    def command(self, *words: str) -> list[str]:
        return [
            GOVERN, "fleet", *words, "--targets", "targets.yaml", "--workers", str(self.workers),
            "--quiet", "--format", "json",
        ]  # fmt: skip

    def execute(self, name: str, statement: str) -> None:
        url = self.databases[name]
        if url.dialect == "sqlite":
            with contextlib.closing(sqlite3.connect(url.path, isolation_level=None)) as connection:
                connection.execute(statement)
            return
        with psycopg.connect(url.conninfo, autocommit=True) as session:
            session.execute(statement.encode())

    def govern(self, url: DatabaseUrl, *words: str) -> None:
        subprocess.run(
            [GOVERN, *words, "--quiet"],
            cwd=self.root,
            env={**os.environ, "DATABASE_URL": url.text},
            check=True,
            capture_output=True,
        )

    def _make_servers(self, count: int) -> dict[str, DatabaseUrl]:
        template = self.server.with_database("template_of_all")
        names = [f"t{number:03}" for number in range(count)]
        with psycopg.connect(self.server.conninfo, autocommit=True) as session:
            session.execute("CREATE DATABASE template_of_all")
            self.govern(template, "migrate", *QUICK)
            for name in names:
                session.execute(
                    f"CREATE DATABASE {name} TEMPLATE template_of_all STRATEGY file_copy".encode()
                )
        return {name: self.server.with_database(name) for name in names}

    def _make_files(self, count: int) -> dict[str, DatabaseUrl]:
        first = self.root / "files" / "f000.sqlite"
        first.parent.mkdir()
        self.govern(DatabaseUrl.parse(f"sqlite:///{first}"), "migrate", *QUICK)
        for number in range(1, count):
            shutil.copy(first, first.with_name(f"f{number:03}.sqlite"))
        files = {f"files/{path.stem}": path for path in sorted(first.parent.glob("*.sqlite"))}
        return {name: DatabaseUrl.parse(f"sqlite:///{path}") for name, path in files.items()}

    def _write(self) -> None:
        lines = ["targets:"]
        for number, (name, url) in enumerate(self.databases.items()):
            if url.dialect == "postgresql":
                labels = {"region": ("eu", "us", "ap")[number % 3]}
                lines.append(f"  - {json.dumps({'name': name, 'url': url.text, 'labels': labels})}")
        lines += ["globs:", '  - {files: "files/*.sqlite", labels: {region: edge}}', ""]
        (self.root / "targets.yaml").write_text("\n".join(lines), encoding="utf-8")


# --- beside a shell ---------------------------------------------------------------------------------------


def compare(fleet: Fleet, runs: int) -> Mapping[str, Sequence[Run]]:
    """While nothing is drifted or broken."""
    urls = "".join(f"{url.text}\n" for url in fleet.databases.values())
    (fleet.root / "urls").write_text(urls, encoding="utf-8")
    write_inis(fleet)
    each = f"xargs -P {AT_A_TIME} -I{{}}"
    commands: dict[str, Sequence[str]] = {
        f"govern fleet drift, {fleet.workers} workers": fleet.command("drift"),
        "a shell: govern drift for each": ("sh", "-c", f"{each} {GOVERN} drift --quiet --url {{}} < urls"),
        # it calls govern's own tables in a file a difference, exits with 255, and xargs would end with it
        "a shell: alembic check for each": (
            "sh",
            "-c",
            f"ls *.url.ini | {each} sh -c '{bin('alembic')} -c {{}} check || true'",
        ),
    }
    fleet.run("drift")  # the declared side comes into being once
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            run = time_process(command, fleet.root, has_looked, server=fleet.root.parent / ".server")
            found[name].append(run)
    return found


def write_inis(fleet: Fleet) -> None:
    """Alembic's configuration for each database: the project's, with another URL."""
    text = (fleet.root / "alembic.ini").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("sqlalchemy.url")]
    for number, url in enumerate(fleet.databases.values()):
        address = f"sqlalchemy.url = {sqlalchemy_url(url).replace('%', '%%')}"
        lines = [
            line for kept_line in kept for line in (kept_line, address)[: 1 + (kept_line == "[alembic]")]
        ]
        (fleet.root / f"{number:03}.url.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")


def has_looked(exit_code: int, told: bytes) -> bool:
    return exit_code == 0 and b"Traceback" not in told


# --- looking ----------------------------------------------------------------------------------------------


def look(fleet: Fleet) -> dict[str, Any]:
    """Clean first; then drifted and broken."""
    require(not fleet.run("drift")["groups"], "a clean fleet has no findings")
    drifted = drift_apart(fleet)
    broken = break_some(fleet)
    found = fleet.run("drift", expected=(3,))
    ended = {target["name"]: target["exit_code"] for target in found["targets"]}
    require({name for name, code in ended.items() if code == 1} == drifted, "each drifted one is found")
    require({name for name, code in ended.items() if code == 3} == broken, "each broken one is told")
    for group in found["groups"]:
        print(f"  {group['count']:3} of {group['of']}  {group['subject']}")
    for problem in found["problems"]:
        print(f"    1 of {len(ended)}  {problem['what']} ({', '.join(problem['targets'])})")
    require(sum(group["count"] for group in found["groups"]) == 20, "20 are drifted")
    fleet.run("check", expected=(3,))
    fleet.run("status", expected=(3,))
    return found


def drift_apart(fleet: Fleet) -> set[str]:
    """Four each of five ways; where SQLite knows it, two of them are files."""
    servers, files = (
        [name for name, url in fleet.databases.items() if url.dialect == engine][10:]
        for engine in ("postgresql", "sqlite")
    )
    drifted: set[str] = set()
    for statement, is_known in WAYS.values():
        chosen = [servers.pop(), servers.pop(), *((files if is_known else servers).pop() for _ in range(2))]
        for name in chosen:
            fleet.execute(name, statement)
        drifted.update(chosen)
    return drifted


def break_some(fleet: Fleet) -> set[str]:
    """Nobody there, a wrong password, no database at all, no right to connect, a revision that nobody knows."""
    t0, t1, t2, t3 = (f"t{number:03}" for number in range(5, 9))
    noise = "files/f005"
    fleet.databases[noise].path.write_bytes(b"no database " * 1000)
    fleet.execute(t3, "UPDATE alembic_version SET version_num = 'nowhere'")
    with psycopg.connect(fleet.server.conninfo, autocommit=True) as session:
        session.execute(f"CREATE ROLE {PASSWORDS}".encode())
        session.execute(f"CREATE ROLE tenant LOGIN PASSWORD 'right' IN ROLE {PASSWORDS}".encode())
        session.execute(f"REVOKE CONNECT ON DATABASE {t2} FROM PUBLIC".encode())
        (file,) = session.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(file)
        rules.write_text(f"local all +{PASSWORDS} scram-sha-256\n{rules.read_text()}")
        session.execute("SELECT pg_reload_conf()")
    query = fleet.databases[t1].text.partition("?")[2]
    secrets = {
        t0: "postgresql://tenant:right@127.0.0.1:1/x",
        t1: f"postgresql://tenant:wrong@/{t1}?{query}",
        t2: f"postgresql://tenant:right@/{t2}?{query}",
    }
    file = fleet.root / "targets.yaml"
    text = file.read_text(encoding="utf-8")
    for name, url in secrets.items():
        (fleet.root / f"{name}.url").write_text(url, encoding="utf-8")
        listed = f'"url": {json.dumps(fleet.databases[name].text)}'
        require(listed in text, f"{name} is listed")
        text = text.replace(listed, f'"url_file": "{name}.url"')
    file.write_text(text, encoding="utf-8")
    return {t0, t1, t2, t3, noise}


def look_with_dask(fleet: Fleet, threads: Mapping[str, Any]) -> None:
    with dask_cluster(fleet.root):
        found = fleet.run("drift", "--scheduler", SCHEDULER, expected=(3,))
    one, other = _comparable(threads), _comparable(found)
    for key in one:
        require(one[key] == other[key], f"threads and Dask find the same {key}:\n{one[key]}\n{other[key]}")
    print("  threads and a Dask cluster of two workers found the same")


def _comparable(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a report says whoever did the work: how long it took is left out, and the command that would go on."""
    same = ("status", "entries", "groups", "problems", "schemas", "revisions")
    return {
        **{key: found[key] for key in same},
        "problem": {key: value for key, value in found["problem"].items() if key != "next"},
        "targets": [
            {key: value for key, value in target.items() if key != "duration_ms"}
            for target in found["targets"]
        ],
    }


@contextmanager
def dask_cluster(folder: Path) -> Iterator[None]:
    """A scheduler and two workers, each a process of its own."""
    dask = str(Path(sys.executable).with_name("dask"))
    port = SCHEDULER.rpartition(":")[2]
    commands = (
        [dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show"],
        [
            dask,
            "worker",
            SCHEDULER,
            "--nworkers",
            "2",
            "--nthreads",
            "4",
            "--host",
            "127.0.0.1",
            "--no-dashboard",
        ],
    )
    processes = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=60)


# --- migrating --------------------------------------------------------------------------------------------


def migrate(fleet: Fleet, count: int) -> None:
    """A canary that fails; then a run that is killed, and gone on with."""
    half = min(count // 2, 90)
    chosen = [f"t{number:03}" for number in range(10, 10 + half)]
    chosen += [f"files/f{number:03}" for number in range(10, 10 + count - half)]
    healthy = [name for name in chosen if name in fleet.databases and is_at(fleet.databases[name], "r2")]
    (fleet.root / "migrations" / "versions" / "r3_index.py").write_text(THIRD, encoding="utf-8")
    models = fleet.root / "app" / "models.py"
    text = models.read_text(encoding="utf-8")
    models.write_text(
        text.replace('ForeignKey("users.id")', 'ForeignKey("users.id"), index=True'), encoding="utf-8"
    )
    words = ["migrate", *QUICK, "--wave-by", "region", "--stop-after", "100%", "--canary", "name=t01[0-2]"]
    for name in healthy:
        words += ["--select", f"name={name}"]
    fleet.execute(healthy[1], "CREATE INDEX notes_user_id_idx ON notes (user_id)")
    stopped = fleet.run(*words, expected=(4, 5))
    begun = [target["name"] for target in stopped["targets"] if target["exit_code"] is not None]
    require(len(begun) == 3, "the canaries alone were begun")
    print(f"  {stopped['fleet']['ended']}: {stopped['problem']['state']}")
    fleet.execute(healthy[1], "DROP INDEX notes_user_id_idx")

    killed = subprocess.Popen(
        fleet.command(*words), cwd=fleet.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    state = fleet.root / ".govern" / "fleet" / f"{stopped['fleet']['run']}.jsonl"
    wait_until(lambda: state.read_text().count('"event": "ended"') >= 3 + len(healthy) // 3)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done_before = state.read_text().count('"event": "ended"')
    print(f"  killed when {done_before} were done")
    done = fleet.run(*words)
    require(done["fleet"]["run"] == stopped["fleet"]["run"], "it is one run")
    require({target["exit_code"] for target in done["targets"]} == {0}, "all came to their end")
    events = [json.loads(line) for line in state.read_text().splitlines()]
    ended = Counter(
        event["target"] for event in events if event["event"] == "ended" and event["exit_code"] == 0
    )
    require(set(ended.values()) == {1}, "no target came to its end twice")
    # of one that was killed between its commit and its ledger's last line nobody wrote how it ended
    counted = {name: count_migrations(fleet.databases[name]) for name in healthy}
    require(set(counted.values()) <= {0, 1}, f"no database was migrated twice: {counted}")
    unwritten = {name for name, count in counted.items() if count == 0}
    require(all(is_at(fleet.databases[name], "r3") for name in healthy), "all are at r3")
    print(
        f"  {len(healthy)} databases at r3; {len(unwritten)} of them by what was under way when it was killed"
    )
    fleet.run(*words, "--new")
    chosen_alone = [word for name in healthy for word in ("--select", f"name={name}")]
    checked = fleet.run("check", *chosen_alone, expected=(0, 1))
    refused = {target["name"] for target in checked["targets"] if target["exit_code"]}
    require(refused <= unwritten, "applications may start on all whose ledger says so")


def is_at(url: DatabaseUrl, revision: str) -> bool:
    with dialect_of(url).connect(url, read_only=True) as connection:
        table = "alembic_version"
        return bool(connection.value(f"SELECT version_num FROM {table}") == revision)


def count_migrations(url: DatabaseUrl) -> int:
    """Runs of the ledger that applied the third revision."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        runs = dialect.read_runs(connection, 20)
    return sum("r3" in [one.revision for one in run.revisions] and run.result == "applied" for run in runs)


def wait_until(is_so: Callable[[], bool], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        require(time.monotonic() < deadline, "it takes too long")
        time.sleep(0.05)


def require(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"not so: {what}")


def say(what: str, seconds: float, cpu: float | None = None, megabytes: float | None = None) -> None:
    told = what if len(what) <= 60 else what[:59] + "…"
    more = f"  {cpu:7.2f} s of processor" if cpu is not None else ""
    memory = f"  {megabytes:5.0f} MB at most" if megabytes is not None else ""
    print(f"{told:<60} {seconds:7.2f} s{more}{memory}", flush=True)


if __name__ == "__main__":
    main()
