"""A process while it runs: how long it takes, and what it and its database server hold at most meanwhile.

Memory is proportional: what several processes share is counted once (``Pss`` of Linux).
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
from processes import ENVIRONMENT, server_seconds

_EVERY_SECONDS = 0.2
_LAST_WORDS_SECONDS = 20
_SESSIONS_END = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process took."""

    exit_code: int
    is_out_of_time: bool
    seconds: float
    processor_seconds: float
    server_seconds: float
    """Of the processor, by the database server."""
    megabytes: float
    """Of the process and its children at one moment."""
    server_megabytes: float
    threads: int
    files: int
    """Open file descriptors of the process."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a process went."""

    used: Usage
    told: str
    complained: str


class _Most:
    """The highest of what was seen."""

    def __init__(self) -> None:
        self.megabytes = self.server_megabytes = 0.0
        self.threads = self.files = 0

    def look(self, process: psutil.Process, server: psutil.Process | None) -> None:
        with suppress(psutil.Error):
            self.threads = max(self.threads, process.num_threads())
            self.files = max(self.files, process.num_fds())
            self.megabytes = max(self.megabytes, _megabytes(process))
            if server is not None:
                self.server_megabytes = max(self.server_megabytes, _megabytes(server))


def watch(
    command: Sequence[str], folder: Path, *, server: Path | None = None, limit_seconds: float
) -> Course:
    """Runs it to its end. ``server``: the folder of a PostgreSQL server; ``limit_seconds``: it is ended then."""
    postmaster = psutil.Process(_find_postmaster(server)) if server else None
    before, most = server_seconds(server) if server else 0.0, _Most()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**ENVIRONMENT, "NO_COLOR": "1"}, stdout=out, stderr=complaints
        )
        seen, is_out_of_time = psutil.Process(process.pid), False
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            most.look(seen, postmaster)
            passed = time.perf_counter() - started
            if passed > limit_seconds:
                is_out_of_time = True
                late = passed > limit_seconds + _LAST_WORDS_SECONDS
                process.send_signal(signal.SIGKILL if late else signal.SIGINT)
                time.sleep(1)
            time.sleep(_EVERY_SECONDS if passed > 1 else _EVERY_SECONDS / 10)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        time.sleep(_SESSIONS_END)
        used = Usage(
            exit_code=process.returncode,
            is_out_of_time=is_out_of_time,
            seconds=round(seconds, 2),
            processor_seconds=round(ended[2].ru_utime + ended[2].ru_stime, 2),
            server_seconds=round(server_seconds(server) - before, 2) if server else 0.0,
            megabytes=round(most.megabytes),
            server_megabytes=round(most.server_megabytes),
            threads=most.threads,
            files=most.files,
        )
        return Course(used, told=_read(out), complained=_read(complaints))


def _find_postmaster(server: Path) -> int:
    return int(next(server.glob("**/postmaster.pid")).read_text().split()[0])


def _megabytes(process: psutil.Process) -> float:
    found = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            found += one.memory_full_info().pss
    return found / 2**20


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
