"""An interpreter that imports Alembic once and forks a child for each request: ``govern.revisions.nursery`` asks."""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import os
import signal
import socket
import struct
from pathlib import Path
from typing import Any, cast

_IMPORTED = ("alembic.command", "alembic.context", "alembic.op", "sqlalchemy.orm")
_NUMBER = struct.Struct("!i")
_MOST_DESCRIPTORS = 16


def become_child(requests: int) -> tuple[int, int]:
    """Returns in each child alone, with its orders and events; the interpreter exits here once nobody asks any more."""
    for name in _IMPORTED:
        with contextlib.suppress(Exception):  # the child says what is missing, or too old
            importlib.import_module(name)
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        os._exit(0)  # what the environment starts with Python has threads, which a fork would lack
    gc.freeze()  # what no child collects stays shared among them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    with socket.socket(fileno=requests) as asking:
        while True:
            keeper, *received = _receive(asking)
            if os.fork() == 0:
                break
            for descriptor in (keeper, *received):
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return _leave_keeper(keeper, received)


def _receive(asking: socket.socket) -> list[int]:
    """The descriptors of the next request. Exits where there is none."""
    received = array.array("i")
    said, ancillary, _, _ = asking.recvmsg(1, socket.CMSG_LEN(_MOST_DESCRIPTORS * received.itemsize))
    if not said:
        os._exit(0)
    for _, _, data in ancillary:
        received.frombytes(data)
    return received.tolist()


def _leave_keeper(keeper: int, received: list[int]) -> tuple[int, int]:
    """Forks once more: this process tells how the child ends, and keeps its pid from others while somebody listens."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.write(keeper, _NUMBER.pack(os.getpid()))  # from now on it may be killed
        os.close(keeper)
        output, orders, events = received[:3]
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        return orders, events
    for descriptor in received:
        os.close(descriptor)
    with socket.socket(fileno=keeper) as listener, contextlib.suppress(OSError):
        ended = cast(Any, os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT))
        has_exited = ended.si_code == os.CLD_EXITED  # else it is the number of a signal
        listener.sendall(_NUMBER.pack(ended.si_status if has_exited else -ended.si_status))
        listener.recv(1)
    os.waitpid(pid, 0)
    os._exit(0)
