"""Python probes: a function of the project's in a process of its own, which is ended with its time.

A function that returns says yes, one that raises AssertionError says no. Anything else is a crash, never a yes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govern.checks.probes.rules import FAILED
from govern.core.wording import name_seconds

if TYPE_CHECKING:
    from govern.checks.probes.conversation import Conversation
    from govern.source.manifest.probes import Python

_CHILD = Path(__file__).with_name("python_child.py")
_MOST_BYTES = 100_000


class Crashed(Exception):
    """The probe came to no verdict; the text says why."""


async def ask_python(step: Python, talk: Conversation) -> None:
    """Raises Crashed."""
    around = talk.around
    order = {
        "call": step.call,
        "base_url": around.base_url,
        "database_url": around.database_url,
        "values": dict(talk.values),
    }
    verdict = _run(order, around.root, around.python, step.timeout_seconds)
    match verdict.get("verdict"):
        case "passed":
            return
        case "failed":
            talk.note(FAILED, step.call, str(verdict.get("message") or "it says no"))
        case _:
            raise Crashed(f"{step.call}: {verdict.get('message')}")


def _run(order: Mapping[str, Any], folder: Path, python: Path, seconds: float) -> Mapping[str, Any]:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [python, str(_CHILD), str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        try:
            process.communicate(json.dumps(order).encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Crashed(f"{order['call']}: it took longer than {name_seconds(seconds)}") from None
        finally:
            _end(process)
        return _read(reading, process.returncode, str(order["call"]))
    finally:
        os.close(reading)


def _read(descriptor: int, exit_code: int, call: str) -> Mapping[str, Any]:
    os.set_blocking(descriptor, False)
    try:
        said = os.read(descriptor, _MOST_BYTES)
        verdict = json.loads(said)
    except (BlockingIOError, ValueError):
        raise Crashed(f"{call}: its process ended with {exit_code} and said nothing") from None
    return verdict if isinstance(verdict, dict) else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
