"""The child that does the work of a pass: it is told what to do, says what it learned, and takes its memory with it.

Started by ``worker`` as ``python -m govern.monitor.child DESCRIPTOR``: the order comes on stdin, answers go to the
descriptor. Both ends are this program, of one version.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from govern.config import Settings
from govern.monitor.asking import ask_application
from govern.monitor.checks import Repaired, Seen, look, repair, take_back
from govern.monitor.task import Ask, Asked, Look, Repair, TakeBack, Task

LENGTH = struct.Struct("!I")


def main() -> None:
    answers = os.fdopen(int(sys.argv[1]), "wb")
    settings, tasks = read_message(sys.stdin.buffer)
    if all(isinstance(task, Look | Ask) for task in tasks):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    for task in tasks:
        _do(task, settings, partial(write_message, answers))
    answers.close()


def read_message(stream: BinaryIO) -> tuple[Settings, tuple[Task, ...]]:
    (length,) = LENGTH.unpack(stream.read(LENGTH.size))
    order: tuple[Settings, tuple[Task, ...]] = pickle.loads(stream.read(length))  # noqa: S301 - our own parent's
    return order


def write_message(stream: BinaryIO, message: object) -> None:
    data = pickle.dumps(message)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def _do(task: Task, settings: Settings, tell: Callable[[Seen | Repaired | Asked], None]) -> None:
    match task:
        case Look():
            tell(look(task.check, settings, task.known))
        case Repair():
            tell(repair(task.issue, task.most_rows, settings))
        case TakeBack():
            tell(take_back(task.run, settings))
        case Ask():
            ask_application(settings, task.sequences, tell)
            tell(Asked())


def _end_with_parent() -> None:
    """Nobody waits for what a killed monitor wanted to know. A fix is brought to its end."""
    while os.read(
        sys.stdin.fileno(), 4096
    ):  # not through the buffer, whose lock the interpreter wants at its end
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
