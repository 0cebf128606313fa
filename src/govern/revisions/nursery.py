"""One interpreter of the project's that has imported Alembic; each child that a command needs is a fork of it.

To import Alembic takes a child longer than most of what it is asked. A fork is a process of its own, as one that was
started is: the project's code is imported there, and not before. On Linux alone: libraries of other systems may not
survive a fork.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from govern.config import environment_of_others

CHILD = Path(__file__).parent / "child"
_NUMBER = struct.Struct("!i")
"""What a fork's keeper tells: its pid, and how it exited."""
_EXIT_SECONDS = 5.0


class Forked:
    """A child, as far as ``subprocess.Popen`` would be asked of it."""

    def __init__(self, pid: int, keeper: socket.socket, output: int) -> None:
        self.pid = pid
        self.stdout = os.fdopen(output, "rb", buffering=0)
        self.returncode: int | None = None
        self._keeper = keeper

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._keeper], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired. Its pid is nobody else's until then."""
        if self.returncode is None:
            if not select.select([self._keeper], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(CHILD), timeout or 0.0)
            with self._keeper:
                status = self._keeper.recv(_NUMBER.size)
            self.returncode = _NUMBER.unpack(status)[0] if status else -9  # the keeper was killed, too
        return self.returncode


class Nursery:
    """Starts the interpreter when the first child is asked for, and lets it go in the end."""

    def __init__(self) -> None:
        self._interpreter: _Interpreter | None = None

    def fork(self, python: Path, root: Path, descriptors: tuple[int, ...]) -> Forked | None:
        """A child that has these descriptors in this order; None where one has to be started.

        Raises OSError where there is no such interpreter.
        """
        wanted = (python, root, environment_of_others())
        if self._interpreter is None:
            self._interpreter = _Interpreter(*wanted)
        if self._interpreter.started_for != wanted:
            return None
        return self._interpreter.fork(descriptors)

    def close(self) -> None:
        if self._interpreter is not None:
            self._interpreter.close()


class _Interpreter:
    def __init__(self, python: Path, root: Path, environment: Mapping[str, str]) -> None:
        self.started_for = (python, root, environment)
        self._requests, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [str(python), str(CHILD), str(theirs.fileno())],
                    cwd=root,
                    env=environment,
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C reaches govern alone
                )
        except OSError:
            self._requests.close()
            raise

    def fork(self, descriptors: tuple[int, ...]) -> Forked | None:
        """None where the interpreter is gone."""
        keeper, theirs = socket.socketpair()
        output, written = os.pipe()
        try:
            with theirs:
                socket.send_fds(self._requests, [b"\n"], [theirs.fileno(), written, *descriptors])
            answer = keeper.recv(_NUMBER.size)
        except OSError:
            answer = b""
        finally:
            os.close(written)
        if answer:
            return Forked(_NUMBER.unpack(answer)[0], keeper, output)
        keeper.close()
        os.close(output)
        return None

    def close(self) -> None:
        self._requests.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_current: ContextVar[Nursery | None] = ContextVar("nursery", default=None)


@contextmanager
def importing_alembic_once() -> Iterator[None]:
    """The children that are started in the block, by the thread that entered it, are forks of one interpreter."""
    if sys.platform != "linux" or _current.get() is not None:
        yield
        return
    nursery = Nursery()
    outer = _current.set(nursery)
    try:
        yield
    finally:
        _current.reset(outer)
        nursery.close()


def fork_child(python: Path, root: Path, descriptors: tuple[int, ...]) -> Forked | None:
    """As ``Nursery.fork``; None outside of such a block."""
    nursery = _current.get()
    return nursery.fork(python, root, descriptors) if nursery is not None else None
