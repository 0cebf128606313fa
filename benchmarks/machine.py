"""What the figures were measured on and beside: kept next to the lines, told at the head of their page."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from govern.database import embedded
from govern.database.postgresql.dump.clients import choose_for_dump, find_clients

PEERS = Path(__file__).parents[1] / ".peers"
"""Where ``make bench-peers`` installs: each in an environment of its own, the commands in ``bin``."""
INSTALLED = ("alembic", "SQLAlchemy", "psycopg", "migra", "squawk-cli", "pglast")
"""The peers that come with govern's own development, and what they stand on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    day: str
    cores: int
    processor: str
    gigabytes: int
    system: str
    versions: Mapping[str, str]
    """Of Python, of the servers, of the peers."""


def look() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        day=datetime.now(UTC).date().isoformat(),
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        gigabytes=round(pages / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        versions={
            "Python": platform.python_version(),
            "PostgreSQL": choose_for_dump(embedded.MAJOR, find_clients()).version,
            "SQLite": sqlite3.sqlite_version,
            **{name: importlib.metadata.version(name) for name in INSTALLED},
            **dict(_versions_of_peers()),
        },
    )


def read(file: Path) -> Machine | None:
    return Machine(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def write(machine: Machine, file: Path) -> None:
    file.write_text(json.dumps(asdict(machine), indent=2) + "\n", encoding="utf-8")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def _versions_of_peers() -> Iterator[tuple[str, str]]:
    for tool in sorted(PEERS.glob("tools/*/")):
        packages = importlib.metadata.distributions(
            path=[str(path) for path in tool.glob("lib/*/site-packages")]
        )
        yield from ((one.name, one.version) for one in packages if one.name == tool.name)
    for package in PEERS.glob("node_modules/dbmate/package.json"):
        yield "dbmate", json.loads(package.read_text(encoding="utf-8"))["version"]
