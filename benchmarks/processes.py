"""Times whole processes, as a shell would start them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Of the processes that are timed: without bytecode on disk each would compile all that it imports."""


_SESSIONS_END = 0.1
"""Seconds after which a server has noticed that a client is gone."""


class Run(NamedTuple):
    """One run of one program."""

    seconds: float
    processor_seconds: float
    """Of the process and those that it waited for, and of the server where that was asked for."""
    kilobytes: int
    """The peak memory of the largest of them."""


def ended_well(exit_code: int, _told: bytes) -> bool:
    """Whether a process that has nothing to find has done its work."""
    return exit_code == 0


def time_process(
    command: Sequence[str],
    project: Path,
    has_worked: Callable[[int, bytes], bool] = ended_well,
    *,
    server: Path | None = None,
) -> Run:
    """Runs the command once.

    ``has_worked`` is asked with the exit code and what was said on stderr; raises RuntimeError where it says no.
    ``server``: the folder of a database server whose processor time counts, too.
    """
    before = server_seconds(server) if server is not None else 0.0
    starter = _starter()
    assert starter.stdin is not None
    assert starter.stdout is not None
    environment = {**ENVIRONMENT, "NO_COLOR": "1"}
    request = {"command": [*command], "folder": str(project), "environment": environment}
    starter.stdin.write(f"{json.dumps(request)}\n")
    starter.stdin.flush()
    answer = json.loads(starter.stdout.readline())
    told = answer.pop("told")
    if not has_worked(answer.pop("exit_code"), told.encode()):
        raise RuntimeError(f"{command[0]}: {told[-2000:]}")
    run = Run(**answer)
    if server is None:
        return run
    time.sleep(_SESSIONS_END)
    spent = server_seconds(server) - before
    return run._replace(processor_seconds=run.processor_seconds + spent)


def server_seconds(folder: Path) -> float:
    """What a PostgreSQL server and its sessions that have ended have used of the processor."""
    pid = next(folder.glob("**/postmaster.pid")).read_text().split()[0]
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


@functools.cache
def _starter() -> subprocess.Popen[str]:
    """Ends with this process, which holds its standard input."""
    program = Path(__file__).with_name("starter.py")
    return subprocess.Popen(
        (sys.executable, "-I", "-S", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
