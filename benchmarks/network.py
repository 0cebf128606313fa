"""A network between govern and one PostgreSQL server: as far away, and as broken, as each tenant's own would be.

A TCP proxy on loopback. The startup packet of a session names its tenant: that decides how long each packet is under
way, which of the server's databases it reaches, and how it fails. What passes is counted.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

Failure = Literal["", "refuses", "resets", "never answers", "falls silent"]
FAILURES: tuple[Failure, ...] = ("refuses", "resets", "never answers", "falls silent")
NOBODY_LISTENS = 1
"""The port of those that refuse: what does not listen needs no proxy."""
_FAILS_AFTER = 3
"""Round trips of a session that breaks in its midst."""
_ENCRYPTION_REQUESTS = frozenset({80877103, 80877104})
_GOODBYE = b"X\0\0\0\4"
"""Nobody waits for an answer to it."""
_CHUNK = 1 << 16
_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant as the network knows it."""

    database: str
    """That stands for it on the server."""
    round_trip_seconds: float = 0.0
    failure: Failure = ""


@dataclass(slots=True)
class Traffic:
    """What passed since it was last reset, by tenant."""

    sessions: Counter[str] = field(default_factory=Counter)
    round_trips: Counter[str] = field(default_factory=Counter)
    """That of TCP's own handshake counted."""
    open: int = 0
    most_open: int = 0

    def reset(self) -> None:
        self.sessions.clear()
        self.round_trips.clear()
        self.most_open = self.open


class Network:
    """Runs on a thread of its own for as long as ``running`` lasts."""

    def __init__(self, tenants: Mapping[str, Tenant]) -> None:
        """A database that is no tenant's, as a scratch database, is next door."""
        self.tenants = dict(tenants)
        self.traffic = Traffic()
        self.server = Path()
        """Its Unix socket."""
        self.port = 0
        self._sessions: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        loop = asyncio.new_event_loop()
        listener = loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024))
        self.port = listener.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, name="network")
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            listener.close()
            loop.run_until_complete(self._end_sessions())
            loop.close()

    def heal(self) -> None:
        """Whoever failed does so no more."""
        self.tenants = {name: replace(tenant, failure="") for name, tenant in self.tenants.items()}

    async def _end_sessions(self) -> None:
        for task in self._sessions:
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve((reader, writer))
        finally:
            self._sessions.discard(task)
            writer.transport.abort()

    async def _serve(self, client: _Ends) -> None:
        packet = await _read_startup(client)
        name = _find_database(packet)
        tenant = self.tenants.get(name) or Tenant(database=name)
        self.traffic.sessions[name] += 1
        self.traffic.round_trips[name] += 1
        await asyncio.sleep(tenant.round_trip_seconds)
        if tenant.failure == "never answers":
            await _swallow(client[0])
            return
        server = await asyncio.open_unix_connection(str(self.server))
        self.traffic.open += 1
        self.traffic.most_open = max(self.traffic.open, self.traffic.most_open)
        try:
            await _Session(self.traffic, name, tenant).carry(
                client, server, _lead_to(packet, tenant.database)
            )
        finally:
            self.traffic.open -= 1
            server[1].transport.abort()


class _Session:
    """One client's way to the server and back."""

    def __init__(self, traffic: Traffic, name: str, tenant: Tenant) -> None:
        self._traffic = traffic
        self._name = name
        self._tenant = tenant
        self._turns = 0
        self._server_spoke = True

    async def carry(self, client: _Ends, server: _Ends, startup: bytes) -> None:
        """Until one of the two has ended, or the session breaks."""
        there, back = (asyncio.Queue[tuple[float, bytes]]() for _ in range(2))
        self._send(there, startup, is_client=True)
        tasks = [
            asyncio.ensure_future(one)
            for one in (
                self._receive(client[0], there, is_client=True),
                self._receive(server[0], back, is_client=False),
                _deliver(there, server[1]),
                _deliver(back, client[1]),
            )
        ]
        try:
            await asyncio.wait(tasks[2:], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(
        self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]], *, is_client: bool
    ) -> None:
        data = b"-"
        while data:
            with suppress(ConnectionError):
                data = await reader.read(_CHUNK)
            self._send(queue, data, is_client=is_client)

    def _send(self, queue: asyncio.Queue[tuple[float, bytes]], data: bytes, *, is_client: bool) -> None:
        """A client that speaks after the server did begins a round trip."""
        if is_client and data not in (b"", _GOODBYE) and self._server_spoke:
            self._turns += 1
            self._traffic.round_trips[self._name] += 1
        self._server_spoke = not is_client
        if data and self._turns > _FAILS_AFTER:
            if self._tenant.failure == "falls silent":
                return
            if self._tenant.failure == "resets":
                data = b""
        due = asyncio.get_running_loop().time() + self._tenant.round_trip_seconds / 2
        queue.put_nowait((due, data))


async def _deliver(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await queue.get()
        await asyncio.sleep(max(0.0, due - loop.time()))
        if not data:
            return
        writer.write(data)
        await writer.drain()


async def _read_startup(client: _Ends) -> bytes:
    """The packet that names the database; encryption is declined before it (manual, 54.2)."""
    while True:
        head = await client[0].readexactly(8)
        size, code = struct.unpack("!ii", head)
        if code not in _ENCRYPTION_REQUESTS:
            return head + await client[0].readexactly(size - 8)
        client[1].write(b"N")


def _find_database(packet: bytes) -> str:
    """Empty for a request to cancel a statement, which has no such thing."""
    words = packet[8:].split(b"\0")
    return words[words.index(b"database") + 1].decode() if b"database" in words[::2] else ""


def _lead_to(packet: bytes, database: str) -> bytes:
    """The same packet for another database."""
    if not database:
        return packet
    words = packet[8:].split(b"\0")
    words[words[::2].index(b"database") * 2 + 1] = database.encode()
    body = packet[4:8] + b"\0".join(words)
    return struct.pack("!i", len(body) + 4) + body


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass
