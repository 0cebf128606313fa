"""One HTTP request with everything that could go wrong: bounded in time and size, never to another host.

Only http and https, no proxy unless it was asked for, and nothing but the answer decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from govern.checks.probes.rules import (
    BROKEN_ANSWER,
    ENDLESS_BODY,
    REDIRECTED_AWAY,
    SLOW,
    TLS,
    UNREACHABLE,
)
from govern.core.finding import Rule
from govern.core.wording import first_line, name_seconds
from govern.errors import ConfigurationError, ToolMissing
from govern.version import __version__

if TYPE_CHECKING:
    import httpx2

_MOST_BYTES = 5_000_000
_MOST_REDIRECTIONS = 5
_AGENT = f"govern-probe/{__version__}"
_PACKED = ("gzip", "x-gzip", "deflate")
_ANY_HEADER = zlib.MAX_WBITS | 32
"""Of gzip or zlib."""
_PORTS = {"http": 80, "https": 443}


class NoAnswer(Exception):
    """There is no answer that could be looked at; ``rule`` says why."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class NotJson(ValueError):
    """The body is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request, everything filled in."""

    method: str = "GET"
    path: str
    """Below the base URL."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json_body: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    url: str
    seconds: float
    cookies: Mapping[str, str] = field(default_factory=dict)
    """All that the conversation has."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def read_json(self) -> Any:
        """Raises NotJson."""
        try:
            return json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise NotJson(first_line(error)) from error


def _refuse_constant(name: str) -> Any:
    """Python reads what JSON does not have (RFC 8259, 6), and browsers do not."""
    raise NotJson(f"{name} is no JSON")


def import_client() -> Any:
    """Raises ToolMissing."""
    try:
        import httpx2
    except ImportError as error:
        raise ToolMissing(
            "probes need the package httpx2",
            why=f"{error.name} is not installed",
            next="pip install 'govern[probes]'",
        ) from error
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below that they tell URLs and headers
    return httpx2


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The certificates that are trusted. Raises ConfigurationError."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"probes.ca_file {ca_file} cannot be read",
            why=error.strerror or str(error),
            next="name a file with certificates in PEM",
        ) from error


class Caller:
    """Asks one application; keeps its cookies. For one event loop, closed at its end."""

    def __init__(self, base_url: str, *, trusted: ssl.SSLContext, use_proxy: bool) -> None:
        self._httpx = import_client()
        self._base_url = base_url.rstrip("/")
        self._client: httpx2.AsyncClient = self._httpx.AsyncClient(
            verify=trusted,
            trust_env=use_proxy,
            timeout=None,
            headers={"user-agent": _AGENT, "accept-encoding": "identity"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(self, wanted: Wanted, *, timeout_seconds: float, follow: bool) -> Answer:
        """The answer, whatever its status. ``follow`` redirections to the same host. Raises NoAnswer."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(self._build(wanted), started, follow=follow)
        except TimeoutError:
            message = f"there was no whole answer within {name_seconds(timeout_seconds)}"
            raise NoAnswer(SLOW, message) from None
        except (self._httpx.HTTPError, self._httpx.InvalidURL, self._httpx.StreamError) as error:
            raise self._describe(error) from None
        except zlib.error as error:
            raise NoAnswer(BROKEN_ANSWER, f"the answer is broken: it cannot be unpacked: {error}") from None
        except (UnicodeError, ValueError) as error:
            raise NoAnswer(BROKEN_ANSWER, f"it cannot be asked or read: {type(error).__name__}") from None

    def _build(self, wanted: Wanted) -> httpx2.Request:
        return self._client.build_request(
            wanted.method,
            f"{self._base_url}{wanted.path}",
            params=dict(wanted.query) or None,
            headers=dict(wanted.headers),
            json=wanted.json_body,
            data=None if wanted.form is None else dict(wanted.form),
        )

    async def _exchange(self, request: httpx2.Request, started: float, *, follow: bool) -> Answer:
        for _ in range(_MOST_REDIRECTIONS + 1):
            response = await self._client.send(request, stream=True, follow_redirects=False)
            try:
                if not follow or response.next_request is None:
                    return Answer(
                        status=response.status_code,
                        headers={name.lower(): value for name, value in response.headers.items()},
                        body=await _read(response),
                        url=str(response.url),
                        seconds=time.monotonic() - started,
                        cookies={cookie.name: cookie.value or "" for cookie in self._client.cookies.jar},
                    )
                request = _follow(str(response.url), response.next_request)
            finally:
                await response.aclose()
        raise NoAnswer(REDIRECTED_AWAY, f"it redirects more than {_MOST_REDIRECTIONS} times")

    def _describe(self, error: Exception) -> NoAnswer:
        cause = _find_cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswer(TLS, f"the certificate is not trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return NoAnswer(TLS, f"no TLS connection: {cause.reason or type(cause).__name__}")
        if isinstance(error, self._httpx.RemoteProtocolError | self._httpx.DecodingError):
            return NoAnswer(BROKEN_ANSWER, f"the answer is broken: {first_line(error)}")
        if isinstance(error, self._httpx.NetworkError):
            return NoAnswer(UNREACHABLE, f"no answer: {_reason(cause, error)}")
        return NoAnswer(BROKEN_ANSWER, f"it cannot be asked: {type(error).__name__}")


async def _read(response: httpx2.Response) -> bytes:
    """The body, unpacked here: a client that unpacks a few bytes may get as many as there is memory for."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity", *_PACKED):
        raise NoAnswer(BROKEN_ANSWER, f"the body is packed as {packed[:40]!r}, which nobody asked for")
    unpack = zlib.decompressobj(_ANY_HEADER) if packed in _PACKED else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += unpack.decompress(chunk, _MOST_BYTES + 1) if unpack else chunk
        if len(body) > _MOST_BYTES:
            message = f"the body is longer than {_MOST_BYTES // 1_000_000} MB, and was read no further"
            raise NoAnswer(ENDLESS_BODY, message)
    if unpack is not None and body and not unpack.eof:
        raise NoAnswer(BROKEN_ANSWER, f"the answer is broken: its {packed} ends before it is whole")
    return bytes(body)


def _follow(came_from: str, request: httpx2.Request) -> httpx2.Request:
    """The request that a redirection asks for, as long as it stays where it was. Raises NoAnswer."""
    here, there = urlsplit(came_from), urlsplit(str(request.url))
    is_upgrade = (here.scheme, there.scheme) == ("http", "https") and (here.port, there.port) == (None, None)
    is_same = (here.scheme, here.port or _PORTS[here.scheme]) == (
        there.scheme,
        there.port or _PORTS.get(there.scheme),
    )
    if here.hostname != there.hostname or not (is_same or is_upgrade):
        where = f"{there.scheme}://{there.hostname}" + (f":{there.port}" if there.port else "")
        raise NoAnswer(REDIRECTED_AWAY, f"it redirects to {where}, which was not followed")
    return request


def _find_cause(error: BaseException) -> BaseException:
    """What lies at the bottom: the operating system's or TLS's own error."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        if isinstance(error, ssl.SSLError):
            break
        error = deeper
    return error


def _reason(cause: BaseException, error: Exception) -> str:
    """In the operating system's words: asyncio's name its own calls."""
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.errno:
        return os.strerror(cause.errno)
    return first_line(cause) or first_line(error) or type(error).__name__
