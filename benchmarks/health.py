"""What ``govern serve`` answers while its database hangs, and under 200 requests a second.

Usage: python benchmarks/health.py [--paused SECONDS] [--rate N] [--load N] [--lines FILE]. A small governed database
stands on an embedded PostgreSQL in a temporary folder. First /health and /health/ping are asked 50 times a second
each, before, while and after every process of the server is stopped (SIGSTOP). Then /health is asked 200 times a
second. Printed are times of answers in milliseconds, their statuses, the most connections to the server at a time,
and how long it took from the server's going on to the first 200.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from drift import bin
from measured import Measured, add_file_option

from govern.database import embedded
from govern.database.url import DatabaseUrl

PROJECT = Path(__file__).parent.parent / "tests" / "cases" / "projects" / "plain"
OURS = """
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'govern' AND backend_type = 'client backend'
"""
MANIFEST = "critical_tables:\n  - {name: users, min_rows: 1}\n  - {name: notes}\n"


@dataclass(frozen=True, slots=True)
class Sample:
    path: str
    at: float
    seconds: float
    status: int


@dataclass(slots=True)
class Peaks:
    """The most of each at a time."""

    connections: int = 0
    threads: int = 0

    def __str__(self) -> str:
        return f"at most {self.connections} connections to the server and {self.threads} threads at a time"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--paused", type=float, default=20, help="seconds that the server is stopped for")
    arguments.add_argument("--rate", type=int, default=50, help="requests a second of each path meanwhile")
    arguments.add_argument("--load", type=int, default=200, help="requests a second of /health afterwards")
    add_file_option(arguments)
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="govern-bench-"))
    folder.chmod(0o711)  # the server may run as another user
    try:
        url = embedded.ensure_running(folder, settings={"fsync": "off"}).with_database("postgres")
        project = _govern(folder / "project", url)
        with _serving(project, url, folder / "health") as server:
            measured = Measured("health", chosen.lines)
            asyncio.run(
                _measure_pause(folder, url, server, measured, seconds=chosen.paused, rate=chosen.rate)
            )
            asyncio.run(_measure_load(folder, url, server, rate=chosen.load))
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder)


def _govern(project: Path, url: DatabaseUrl) -> Path:
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "schema").mkdir()
    (project / "schema" / "governance.yaml").write_text(MANIFEST)
    for command in ("lock", "migrate"):
        subprocess.run(
            [bin("govern"), command, "--quiet"],
            cwd=project,
            env=_environment(url),
            check=True,
            capture_output=True,
        )
    return project


def _environment(url: DatabaseUrl) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url.text}


@contextlib.contextmanager
def _serving(project: Path, url: DatabaseUrl, place: Path) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        [bin("govern"), "serve", "--unix", place],
        cwd=project,
        env=_environment(url),
        stdout=subprocess.DEVNULL,
    )
    while not place.exists():
        time.sleep(0.05)
    yield psutil.Process(process.pid)
    process.terminate()
    process.wait(10)


async def _measure_pause(
    folder: Path, url: DatabaseUrl, server: psutil.Process, measured: Measured, *, seconds: float, rate: int
) -> None:
    samples: list[Sample] = []
    peaks = Peaks()
    ending = asyncio.Event()
    asking = [
        asyncio.create_task(_ask(folder / "health", path, rate, samples, ending))
        for path in ("/health", "/health/ping")
    ]
    watching = asyncio.create_task(_watch(url, server, peaks, ending))
    await asyncio.sleep(5)
    with _stopped(folder):
        began = time.monotonic()
        await asyncio.sleep(seconds)
        ended = time.monotonic()
    await asyncio.sleep(5)
    ending.set()
    await asyncio.gather(*asking, watching)
    spans = {"before": (0.0, began), "while it hangs": (began, ended), "after": (ended, ended + 60)}
    for name, (first, last) in spans.items():
        _tell(measured, name, [one for one in samples if first <= one.at < last])
    back = min(
        one.at + one.seconds
        for one in samples
        if one.path == "/health" and one.status == 200 and one.at > ended
    )
    wrong = [  # what was seen before is shown for a second
        one
        for one in samples
        if one.path == "/health" and one.status == 200 and began + 1.1 < one.at + one.seconds < ended
    ]
    print(f"200 again {back - ended:.2f} s after the server went on; 200 while it was paused: {len(wrong)}")
    print(peaks)


async def _measure_load(
    folder: Path, url: DatabaseUrl, server: psutil.Process, *, rate: int, seconds: float = 10
) -> None:
    samples: list[Sample] = []
    peaks = Peaks()
    ending = asyncio.Event()
    asking = asyncio.create_task(_ask(folder / "health", "/health", rate, samples, ending))
    watching = asyncio.create_task(_watch(url, server, peaks, ending))
    await asyncio.sleep(1)  # who asks first after a while waits for a look; this is about all the others
    samples.clear()
    before = sum(server.cpu_times()[:2])
    await asyncio.sleep(seconds)
    ending.set()
    await asyncio.gather(asking, watching)
    cpu = (sum(server.cpu_times()[:2]) - before) / seconds
    _print(f"{rate} /s /health", samples)
    print(f"processor of govern serve: {cpu:.1%}; {peaks}")


async def _ask(place: Path, path: str, rate: int, samples: list[Sample], ending: asyncio.Event) -> None:
    """At a steady rate, whether the earlier ones were answered or not; each over a connection of its own."""
    asked: set[asyncio.Task[None]] = set()
    started = time.monotonic()
    while not ending.is_set():
        asked.add(asyncio.create_task(_ask_once(place, path, samples)))
        await asyncio.sleep(max(0.0, started + len(asked) / rate - time.monotonic()))
    await asyncio.gather(*asked)


async def _ask_once(place: Path, path: str, samples: list[Sample]) -> None:
    started = time.monotonic()
    reader, writer = await asyncio.open_unix_connection(place)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    samples.append(Sample(path, started, time.monotonic() - started, int(answer.split(b" ", 2)[1])))


async def _watch(url: DatabaseUrl, server: psutil.Process, peaks: Peaks, ending: asyncio.Event) -> None:
    """While the server hangs it can be asked nothing: each look is a thread, and has one connection at most."""
    async with await psycopg.AsyncConnection.connect(url.conninfo, autocommit=True) as session:
        while not ending.is_set():
            peaks.threads = max(peaks.threads, server.num_threads())
            counting = asyncio.create_task(_count_connections(session))
            while not counting.done():
                await asyncio.wait((counting,), timeout=0.02)
                peaks.threads = max(peaks.threads, server.num_threads())
            peaks.connections = max(peaks.connections, counting.result())
            await asyncio.sleep(0.02)


async def _count_connections(session: psycopg.AsyncConnection[Any]) -> int:
    cursor = await session.execute(OURS)
    [count] = await cursor.fetchone() or (0,)
    return int(count)


@contextlib.contextmanager
def _stopped(folder: Path) -> Iterator[None]:
    """Every process of the server hangs for as long as the block lasts; the postmaster first: it makes others."""
    status = embedded.status(folder)
    assert status is not None
    assert status.pid is not None
    postmaster = psutil.Process(status.pid)
    postmaster.send_signal(signal.SIGSTOP)
    stopped = [postmaster, *postmaster.children(recursive=True)]
    for process in stopped[1:]:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(stopped):
            process.send_signal(signal.SIGCONT)


def _tell(measured: Measured, case: str, samples: Sequence[Sample]) -> None:
    """Who asks both at one rate gets as many answers of both, but for one at the edges."""
    programs = {"govern serve: /health": "/health", "the floor: /health/ping": "/health/ping"}
    answers = {name: [one for one in samples if one.path == path] for name, path in programs.items()}
    fewest = min(map(len, answers.values()))
    for name, some in answers.items():
        _print(f"{case}, {name}", some)
    measured.tell(
        case,
        {name: [one.seconds for one in some[:fewest]] for name, some in answers.items()},
        counts={
            name: {"answers": len(some), "within 1 s": sum(one.seconds < 1 for one in some)}
            for name, some in answers.items()
        },
    )


def _print(name: str, samples: Sequence[Sample]) -> None:
    times = sorted(one.seconds * 1000 for one in samples)
    if not times:
        print(f"{name:<22} nobody asked")
        return
    statuses = ", ".join(
        f"{count} x {status}" for status, count in sorted(Counter(one.status for one in samples).items())
    )
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(
        f"{name:<22} p50 {statistics.median(times):7.1f}   p99 {p99:7.1f}   max {times[-1]:7.1f} ms   {statuses}"
    )


if __name__ == "__main__":
    main()
