"""The child process itself: starting it, its pipes, and its end. Nothing is decided from its exit status."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from govern.config import environment_of_others
from govern.errors import ConfigurationError, ToolMissing
from govern.revisions.nursery import CHILD, Forked, fork_child

LONGEST_OUTPUT = 65_536
"""Bytes kept of what env.py prints: the last ones."""
EXIT_SECONDS = 5.0
"""How long a child that has said how it went may take to exit; a thread of the project's may never end."""
INTERRUPT_SECONDS = 10.0
"""How long an interrupted child may take to cancel its statement and roll back."""


class Child:
    """A running child: requests and orders go in, lines of events come out."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, orders: int, events: int) -> None:
        self._process = process
        self._orders = orders
        self._events = events
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def send(self, order: str) -> None:
        """Sends one line. A child that is gone does not read it: that shows where its events end."""
        data = order.encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._orders, data) :]

    def lines(self) -> Iterator[str]:
        """Its events, one JSON line each, until it closes them or is gone."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._events, selectors.EVENT_READ)
            while True:
                # a fork of the project's may keep the pipe open after the child's own end
                if not selector.select(timeout=0.5):
                    if self._process.poll() is not None:
                        return
                    continue
                chunk = os.read(self._events, 65536)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")

    @property
    def output(self) -> str:
        """The end of what it printed to stdout and stderr, from a line's beginning on."""
        self._reader.join(timeout=0.5)
        text = bytes(self._output).decode(errors="replace")
        return text if len(self._output) < LONGEST_OUTPUT else text.partition("\n")[2]

    def end(self) -> str:
        """Waits for its exit, kills what does not; returns how it exited, for people."""
        try:
            self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
        code = self._process.returncode or 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def interrupt(self) -> None:
        """Ends its orders, at which it cancels its statement and rolls back; kills it if it does not."""
        self._close_orders()
        try:
            self._process.wait(INTERRUPT_SECONDS)
        finally:
            self._kill()

    def close(self) -> None:
        self._kill()
        self._close_orders()
        os.close(self._events)
        self._reader.join(timeout=0.5)

    def _kill(self) -> None:
        """Kills it and whatever it started: it leads a session of its own."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _close_orders(self) -> None:
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1

    def _read_output(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        with self._process.stdout as stream:
            while chunk := os.read(stream.fileno(), 65536):
                self._output += chunk
                del self._output[:-LONGEST_OUTPUT]


@contextmanager
def start_child(
    python: Path, root: Path, request: Mapping[str, Any], *, inherit: tuple[int, ...] = ()
) -> Iterator[Child]:
    """A child of the interpreter ``python`` working in ``root``; interrupted if the block raises.

    ``inherit``: descriptors that it keeps open as long as it lives.

    The request, which may hold a password, goes through a pipe: other users see arguments and environment.
    Raises ToolMissing where there is no such interpreter.
    """
    orders_in, orders = os.pipe()
    events, events_out = os.pipe()
    try:
        process = _start(python, root, orders_in, events_out, inherit)
    except BaseException:
        os.close(orders)
        os.close(events)
        raise
    finally:
        os.close(orders_in)
        os.close(events_out)
    child = Child(process, orders, events)
    try:
        child.send(json.dumps(request))
        yield child
    except BaseException:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.interrupt()
        raise
    finally:
        child.close()


def _start(
    python: Path, root: Path, orders: int, events: int, inherit: tuple[int, ...]
) -> subprocess.Popen[bytes] | Forked:
    if not root.is_dir():
        raise ConfigurationError(f"the project's folder {root} does not exist")
    try:
        return fork_child(python, root, (orders, events, *inherit)) or subprocess.Popen(
            [str(python), str(CHILD), str(orders), str(events)],
            cwd=root,
            env=environment_of_others(),
            pass_fds=(orders, events, *inherit),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we tell the child
        )
    except OSError as error:
        raise ToolMissing(
            f"the project's interpreter {python} cannot be started",
            why=error.strerror or str(error),
            next="set python in [tool.govern] to the interpreter that has the project's Alembic",
        ) from error
