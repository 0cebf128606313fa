"""One endpoint of the monitor's API, and what it is called with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from govern.web.monitor.request import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was let in."""

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
    handler: Callable[[Any, Call], Reply]
    """Called with the API that the route is of."""
    is_open: bool = False
    """Whether it is there without a secret, for everybody who can reach the server. One that changes never is."""

    @property
    def changes(self) -> bool:
        return self.method == "POST"

    def match(self, path: str) -> Mapping[str, str] | None:
        """The values of its parameters; None where it is another path."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9-]{1,64})", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Of its path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))
