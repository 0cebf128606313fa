"""Who may ask, from where, how much and how often. Decides nothing about databases."""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from govern.errors import ConfigurationError
from govern.web.monitor.request import LONGEST_BODY, Reply, Request, say

TOKEN_VARIABLE = "GOVERN_MONITOR_TOKEN"  # noqa: S105 - the name of the variable
CSRF_HEADER = "x-govern-request"
"""With any value. A page of another origin cannot send it without asking first, and nobody answers it."""
_SHORTEST_TOKEN = 16
_MOST_CHANGES = 10
_MOST_FAILURES = 20
"""A minute, of all clients together."""

Authenticate = Callable[[Request], str | None]
"""The host application's own: returns the name of who asks, or None for who may not."""


class Secret:
    """One that is only compared, and from which keys are made; it is never shown."""

    def __init__(self, text: str) -> None:
        self._key = text.encode()

    def is_equal_to(self, given: str) -> bool:
        """In a time that says nothing of how much of it is right."""
        return hmac.compare_digest(self.derive("equal", given), self.derive("equal", self._key.decode()))

    def derive(self, purpose: str, text: str) -> bytes:
        """What nobody can make of the text without the secret; another for each purpose."""
        return hmac.digest(hmac.digest(self._key, purpose.encode(), "sha256"), text.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Access:
    """How to know who asks."""

    authenticate: Authenticate
    is_ambient: bool = True
    """Whether a browser sends along, unasked, what says who it is: a cookie. Then a header is asked for as well."""
    secret: Secret | None = field(default=None, repr=False)
    """Signs what forms carry. One of the host application's, the same in all of its processes."""


def bearer(token: str) -> Access:
    """Whoever knows the secret. Raises ConfigurationError for one that can be guessed."""
    if len(token) < _SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{TOKEN_VARIABLE} is too short",
            why=f"it has fewer than {_SHORTEST_TOKEN} characters: somebody could guess it",
            next="make another: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    secret = Secret(token)

    def authenticate(request: Request) -> str | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_right = secret.is_equal_to(given.strip()) and scheme.lower() == "bearer"
        return "api" if is_right else None

    return Access(authenticate, is_ambient=False, secret=secret)


class Allowance:
    """So many a minute; what is not used up comes back evenly."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._left = self._most
        self._clock = clock
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there was one left."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Door:
    """Lets requests in, or says why not.

    ``hosts``: the names by which this server may be called; None: the application around it sees to that. An address
    in numbers is always right: no name of somebody else's leads to it. ``origins``: addresses by which browsers know
    this server, ``https://ops.example``, where a proxy before it calls it by another name.
    """

    def __init__(
        self,
        access: Access | None,
        *,
        hosts: frozenset[str] | None,
        origins: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.access = access
        self._hosts = hosts
        self._origins = origins
        self._changes = Allowance(_MOST_CHANGES, clock=clock)
        self._failures = Allowance(_MOST_FAILURES, clock=clock)

    def find_foreign(self, request: Request, *, allows_links: bool = False) -> Reply | None:
        """What is not for this server, or comes from another one's page, or is too much.

        ``allows_links``: to follow a link from elsewhere is no more than to type its address.
        """
        host = request.headers.get("host", "")
        if self._hosts is not None and not _is_ours(host, self._hosts):
            return say(403, "this server is not called by that name; next: govern serve --allow-host NAME")
        origin = request.headers.get("origin")
        if origin is not None and not self._is_own_origin(origin, host):
            return say(403, "a page of another origin may not ask")
        is_link = allows_links and _is_link(request)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_link:
            return say(403, "a page of another origin may not ask")
        if request.body_bytes > LONGEST_BODY:
            return say(413, f"a request has {LONGEST_BODY} bytes at most", ("connection", "close"))
        return None

    def _is_own_origin(self, origin: str, host: str) -> bool:
        return origin.lower() in self._origins or _place_of(origin) == host.lower()

    def identify(self, request: Request, *, changes: bool) -> str | Reply:
        """The name of who asks, or why they may not. Needs an access."""
        assert self.access is not None  # noqa: S101 - without one there are no routes that need it
        actor = self.access.authenticate(request)
        if actor is None:
            return self.refuse_stranger()
        if changes and self.access.is_ambient and CSRF_HEADER not in request.headers:
            return say(403, f"the header {CSRF_HEADER} is missing: a page of another origin cannot send it")
        return (self.refuse_change() if changes else None) or actor

    def refuse_stranger(self) -> Reply:
        """Somebody has not said who they are, or not rightly; that is counted."""
        if not self._failures.take():
            return say(429, "too many have failed; try again in a minute", ("retry-after", "60"))
        return say(401, "who are you?", ("www-authenticate", 'Bearer realm="govern"'))

    def refuse_change(self) -> Reply | None:
        """Where there have been too many; one that is let through is counted."""
        if self._changes.take():
            return None
        return say(429, f"{_MOST_CHANGES} changes a minute are enough", ("retry-after", "10"))


def _place_of(origin: str) -> str | None:
    """Host and port; None of what is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _is_link(request: Request) -> bool:
    """Whether a person goes there in a window of their own. See https://www.w3.org/TR/fetch-metadata/."""
    asked = (request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest"))
    return request.method in ("GET", "HEAD") and asked == ("navigate", "document")


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.netloc != host or "@" in host:
        return False
    if name in hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
