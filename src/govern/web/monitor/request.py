"""A request and an answer, whatever framework carries them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "/api/database-health"
LONGEST_BODY = 4_096
"""No route needs a body; somebody may send an empty object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    """Below ``PREFIX``, and with a slash at its beginning."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body_bytes: int = 0
    """As many as came or were announced; more than ``LONGEST_BODY`` are not read."""
    client: str = ""
    """Who asks, as far as the server knows: for the log alone."""

    @classmethod
    def below(cls, path: str, **facts: Any) -> Request:
        """One with the path as the server has it, with or without the prefix."""
        return cls(path=path.removeprefix(PREFIX) or "/", **facts)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; never to be cached, framed or read by another origin."""

    status: int
    document: Mapping[str, Any]
    more_headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        # HTML in a table's name stays harmless, also to whoever takes it for a page
        text = json.dumps(self.document, ensure_ascii=False)
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """In lower case, as ASGI wants them."""
        return (
            ("content-type", "application/json"),
            ("content-length", str(len(self.body))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            *self.more_headers,
        )


def say(status: int, message: str, *more_headers: tuple[str, str]) -> Reply:
    """An answer that is one sentence."""
    return Reply(status, {"message": message}, more_headers)
