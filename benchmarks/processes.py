"""Times whole processes, as a shell would start them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def ended_well(exit_code: int, _told: bytes) -> bool:
    """Whether a process that has nothing to find has done its work."""
    return exit_code == 0


def time_process(
    command: Sequence[str], project: Path, has_worked: Callable[[int, bytes], bool] = ended_well
) -> tuple[float, int]:
    """Seconds, and the peak memory, in KB, of the largest of the process and those that it waited for.

    ``has_worked`` is asked with the exit code and what was said on stderr; raises RuntimeError where it says no.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, "NO_COLOR": "1"},
    )
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - started
    if not has_worked(process.returncode, told):
        raise RuntimeError(f"{command[0]}: {told.decode()[-2000:]}")
    return elapsed, usage.ru_maxrss
