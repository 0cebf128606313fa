"""One endpoint of the monitor's API or page, and what it is called with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from govern.web.monitor.request import Reply, Request, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was let in."""

    request: Request
    actor: str
    """Empty where nobody was asked who they are."""
    values: Mapping[str, str]
    """Of the path's parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint."""

    method: str
    path: str
    summary: str
    handler: Callable[[Any, Any], Reply]
    """Called with the API or the page that the route is of, and the call."""
    is_open: bool = False
    """Whether it is there without a secret, for everybody who can reach the server. One that changes never is."""
    is_public: bool = False
    """Whether nobody is asked who they are: how else could they say it?"""
    is_of_session: bool = False
    """Whether it logs somebody in or out, and changes nothing else."""
    leads_to_change: bool = False
    """Whether it is a question that makes no sense where nothing can be changed."""

    @property
    def changes(self) -> bool:
        """Whether it changes something of the database, or asks the monitor to."""
        return self.method == "POST" and not self.is_of_session

    def match(self, path: str) -> Mapping[str, str] | None:
        """The values of its parameters; None where it is another path."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9._-]{1,64})", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Of its path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


def choose_routes(routes: Iterable[Route], *, is_open: bool, is_read_only: bool) -> tuple[Route, ...]:
    """Those that are there. ``is_open``: for everybody, because there is no secret."""
    return tuple(
        route
        for route in routes
        if not (is_open and not route.is_open)
        and not (is_read_only and (route.changes or route.leads_to_change))
    )


def find_route(routes: Iterable[Route], request: Request) -> tuple[Route, Mapping[str, str]] | Reply:
    """The route that is asked for, with the values of its parameters; or that there is none."""
    method = "GET" if request.method == "HEAD" else request.method
    methods = set()
    for route in routes:
        if (values := route.match(request.path)) is not None:
            if route.method == method:
                return route, values
            methods.add(route.method)
    if not methods:
        return say(404, "there is nothing at this path")
    return say(405, f"{' or '.join(sorted(methods))} only", ("allow", ", ".join(sorted(methods))))
