"""The pipes to the process that started this one."""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable
from typing import Any


class Stop(BaseException):
    """Ends env.py from inside. No Exception: an env.py may catch those and try again."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


class Parent:
    """Events go there as JSON lines, orders come from there as lines; the first order is the request.

    The end of the orders means that the parent gave up, or died: what is going on is interrupted.
    """

    def __init__(self, orders: int, events: int) -> None:
        for descriptor in (orders, events):
            os.set_inheritable(descriptor, False)
        self._orders = orders
        self._events = events
        self._read = b""
        self._pid = os.getpid()
        self._writing = threading.Lock()
        self._answers: queue.Queue[str] = queue.Queue()
        self._is_asking = False
        self._is_finished = False

    def read_request(self) -> Any:
        return json.loads(self._read_line() or "{}")

    def listen(self, *, interrupt: Callable[[], None], cut: Callable[[], None]) -> None:
        """Reads orders from now on. Calls from another thread ``cut``, if that is the order, and ``interrupt`` if
        they end too early."""
        threading.Thread(target=self._listen, args=(interrupt, cut), daemon=True).start()

    def wait_for_orders(self) -> Any:
        """Blocks until the parent says to proceed, and how; None: not to. Its end is a no."""
        self._is_asking = True
        try:
            verb, _, orders = self._answers.get().partition(" ")
            return json.loads(orders) if verb == "proceed" else None
        finally:
            self._is_asking = False

    def emit(self, event: str, **facts: Any) -> None:
        if os.getpid() != self._pid:  # a fork of the project's does not speak for us
            return
        line = json.dumps(dict(facts, event=event), default=str) + "\n"
        with self._writing:
            rest = line.encode()
            while rest:
                rest = rest[os.write(self._events, rest) :]

    def finish(self, event: str, **facts: Any) -> None:
        """The last event; the end of the orders means nothing from here on."""
        self._is_finished = True
        self.emit(event, **facts)

    def _listen(self, interrupt: Callable[[], None], cut: Callable[[], None]) -> None:
        while line := self._read_line():
            if line == "cut":
                cut()
            else:
                self._answers.put(line)
        self._answers.put("abort")
        if not self._is_asking and not self._is_finished:
            interrupt()

    def _read_line(self) -> str:
        # by hand: a thread blocked inside a buffered reader can crash the interpreter's shutdown
        while b"\n" not in self._read:
            chunk = os.read(self._orders, 65536)
            if not chunk:
                return ""
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()
