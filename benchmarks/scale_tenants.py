"""Thousands of tenants behind a slow network of which a part is broken: looked at, migrated, stopped, gone on with."""

from __future__ import annotations

import json
import random
import re
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from drift import bin
from fleet import FAST, PLAIN, QUICK, THIRD, require
from network import FAILURES, NOBODY_LISTENS, Network, Tenant
from scale_lines import Lines
from watched import Course, watch

from govern.database import embedded
from govern.database.url import DatabaseUrl

PART = "tenants"
SEED = 10
FAILING_SHARE = 0.01
NEAR, FAR = 0.001, 0.050
"""Seconds of a round trip."""
SERVERS = 100
"""That the tenants say they are on: how many are asked of one at once is limited, too."""
CROWD = "t00[0-3]*"
"""The names of 400."""
MIGRATED = 60
LIMIT_SECONDS = 900
ROOMY, USUAL = {"max_connections": "1000"}, {"max_connections": "100"}
_NUMBERED = re.compile(r"t\d{5}")


def measure(lines: Lines, *, tenants: int, databases: int, workers: Sequence[int]) -> None:
    network = Network(draw_tenants(tenants, databases))
    with _folder() as folder:
        fleet = Fleet(folder, network)
        try:
            fleet.make_databases()
            with network.running():
                fleet.write_targets()
                print(
                    f"\n{tenants:,} tenants; {databases} databases stand for them; {fleet.describe_failing()}"
                )
                for number in workers:
                    fleet.look(lines, "check", number)
                fleet.look(lines, "drift", workers[len(workers) // 2])
                fleet.look_crowded(lines, max(workers))
                fleet.migrate(lines, max(workers))
        finally:
            embedded.stop(folder / ".server")


@contextmanager
def _folder() -> Iterator[Path]:
    """In memory where there is room: hundreds of databases are made."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and shutil.disk_usage(memory).free > 8 * 2**30 else None
    with tempfile.TemporaryDirectory(prefix="govern-bench-", dir=place) as name:
        Path(name).chmod(0o711)  # the server may run as another user
        yield Path(name)


def draw_tenants(tenants: int, databases: int) -> Mapping[str, Tenant]:
    """The same ones each time: how far away they are, and which fail."""
    chance = random.Random(SEED)
    names = [f"t{number:05}" for number in range(tenants)]
    failing = chance.sample(names, max(len(FAILURES), round(FAILING_SHARE * tenants)))
    failures = {name: FAILURES[number % len(FAILURES)] for number, name in enumerate(failing)}
    return {
        name: Tenant(
            database=f"d{number % databases:04}",
            round_trip_seconds=chance.uniform(NEAR, FAR),
            failure=failures.get(name, ""),
        )
        for number, name in enumerate(names)
    }


class Fleet:
    """The project, its server, and the network between the two."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        self.root = folder / "project"
        self.network = network
        shutil.copytree(PLAIN, self.root, ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def failing(self) -> set[str]:
        return {name for name, tenant in self.network.tenants.items() if tenant.failure}

    def describe_failing(self) -> str:
        failing = Counter(tenant.failure for tenant in self.network.tenants.values() if tenant.failure)
        return ", ".join(f"{count} {failure}" for failure, count in sorted(failing.items()))

    def make_databases(self) -> None:
        """Copies of one that was migrated."""
        server = self._start(ROOMY)
        self.network.server = Path(parse_qs(urlsplit(server.text).query)["host"][0]) / ".s.PGSQL.5432"
        template = server.with_database("template_of_all")
        with psycopg.connect(server.conninfo, autocommit=True) as session:
            session.execute("CREATE DATABASE template_of_all")
            words = (bin("govern"), "migrate", *QUICK, "--quiet", "--url", template.text)
            made = watch(words, self.root, limit_seconds=LIMIT_SECONDS)
            require(made.used.exit_code == 0, made.complained)
            for name in sorted({tenant.database for tenant in self.network.tenants.values()}):
                session.execute(
                    f"CREATE DATABASE {name} TEMPLATE template_of_all STRATEGY file_copy".encode()
                )

    def _start(self, settings: Mapping[str, str]) -> DatabaseUrl:
        embedded.stop(self.folder / ".server")
        return embedded.ensure_running(self.folder / ".server", settings={**FAST, **settings}).with_database(
            "postgres"
        )

    def write_targets(self) -> None:
        migrated = self._choose_migrated()
        targets = [
            {
                "name": name,
                "url": f"postgresql://postgres@127.0.0.1:{self._port_of(tenant)}/{name}?sslmode=disable",
                "server": f"server-{number % SERVERS}",
                "labels": {"migrated": "yes" if name in migrated else "no"},
            }
            for number, (name, tenant) in enumerate(self.network.tenants.items())
        ]
        text = "\n".join(("targets:", *(f"  - {json.dumps(target)}" for target in targets), ""))
        (self.root / "targets.yaml").write_text(text, encoding="utf-8")

    def _port_of(self, tenant: Tenant) -> int:
        return NOBODY_LISTENS if tenant.failure == "refuses" else self.network.port

    def _choose_migrated(self) -> set[str]:
        """One of each failure among them, before most of the others; no two have one database."""
        chosen: dict[str, str] = {}
        broken = sorted(self.failing, key=lambda name: FAILURES.index(self.network.tenants[name].failure))
        kinds = {self.network.tenants[name].failure: name for name in broken}
        for name in (*kinds.values(), *reversed(self.network.tenants)):
            tenant = self.network.tenants[name]
            if len(chosen) < MIGRATED and (not tenant.failure or name in kinds.values()):
                chosen.setdefault(tenant.database, name)
        return {*chosen.values()}

    # --- measured ---------------------------------------------------------------------------------------------

    def look(self, lines: Lines, command: str, workers: int, *, case: str = "", select: str = "*") -> None:
        course, report = self._run(command, "--select", f"name={select}", workers=workers)
        told = {row["name"]: row["exit_code"] for row in report["targets"]}
        misjudged = {name for name, code in told.items() if (code != 0) != (name in self.failing)}
        self._note(lines, case or f"fleet {command}", workers, course, report, misjudged=len(misjudged))

    def look_crowded(self, lines: Lines, workers: int) -> None:
        """A fifth of them on a server that takes no more connections than PostgreSQL's default."""
        self._start(USUAL)
        self.look(lines, "drift", workers, case="fleet drift of 400, 100 connections", select=CROWD)
        self._start(ROOMY)

    def migrate(self, lines: Lines, workers: int) -> None:
        """Stopped by what fails; then on with the others; then healed, and on with what failed."""
        (self.root / "migrations" / "versions" / "r3_index.py").write_text(THIRD, encoding="utf-8")
        words = ("migrate", *QUICK, "--select", "migrated=yes", "--stop-after")
        self._migrate(lines, "fleet migrate --stop-after 2", (*words, "2"), 8)
        self._migrate(lines, "again, --stop-after 100%", (*words, "100%"), workers)
        self.network.heal()
        self._migrate(lines, "again, once the network is well", (*words, "100%"), workers)

    def _migrate(self, lines: Lines, case: str, words: Sequence[str], workers: int) -> None:
        course, report = self._run(*words, workers=workers)
        visited = self.network.traffic.sessions.keys() & self.network.tenants.keys()
        self._note(lines, case, workers, course, report, visited=len(visited))

    def _run(self, *words: str, workers: int) -> tuple[Course, Mapping[str, Any]]:
        self.network.traffic.reset()
        command = (
            bin("govern"), "fleet", *words, "--targets", "targets.yaml", "--workers", str(workers),
            "--per-server", str(workers), "--format", "json",
        )  # fmt: skip
        course = watch(command, self.root, server=self.folder, limit_seconds=LIMIT_SECONDS)
        empty: Mapping[str, Any] = {"targets": [], "problems": []}
        return course, json.loads(course.told) if course.told.strip() else empty

    def _note(
        self,
        lines: Lines,
        case: str,
        workers: int,
        course: Course,
        report: Mapping[str, Any],
        **facts: int,
    ) -> None:
        """``model_seconds``: what it would take if round trips were all that takes time."""
        traffic, tenants = self.network.traffic, self.network.tenants
        healthy = [name for name in traffic.round_trips if name in tenants and not tenants[name].failure]
        waited = sum(traffic.round_trips[name] * tenants[name].round_trip_seconds for name in healthy)
        ended = Counter(row["exit_code"] for row in report["targets"])
        problems = Counter[str]()
        for problem in report.get("problems", ()):
            problems[_NUMBERED.sub("…", problem["what"])] += len(problem["targets"])
        lines.note(
            PART,
            case,
            workers,
            course,
            round_trips=statistics.median(traffic.round_trips[name] for name in healthy) if healthy else 0,
            sessions=statistics.median(traffic.sessions[name] for name in healthy) if healthy else 0,
            connections=traffic.most_open,
            model_seconds=round(waited / workers, 2),
            clean=ended[0],
            failed=sum(ended[code] for code in (1, 3, 4, 5)),
            not_visited=ended[None],
            **facts,
            fleet={"tenants": len(tenants), "databases": len({one.database for one in tenants.values()})},
            problems=dict(problems.most_common(8)),
        )
