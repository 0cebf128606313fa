"""A request and an answer, whatever framework carries them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

PREFIX = "/api/database-health"
LONGEST_BODY = 4_096
"""A form with a name, a secret or the name of a table; nothing else is sent."""
_MOST_FIELDS = 20
_LONGEST_NUMBER = 20
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    """Below the prefix of who answers, and with a slash at its beginning."""
    base: str = PREFIX
    """What stands before it in a browser's address: where who answers is mounted. Empty for a server's root."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    """Empty where it is too large."""
    body_bytes: int = 0
    """As many as came or were announced; more than ``LONGEST_BODY`` are not read."""
    is_encrypted: bool = False
    """Whether it came over https, as far as the server knows."""
    client: str = ""
    """Who asks, as far as the server knows: for the log alone."""

    @classmethod
    def below(cls, path: str, *, prefix: str = PREFIX, root: str = "", **facts: Any) -> Request:
        """One with the path as the server has it, with or without the prefix; ``root``: what was cut off before."""
        base = root
        if is_below(path, prefix):
            base, path = root + prefix, path.removeprefix(prefix)
        steps = [quote(step) for step in base.split("/") if step]
        return cls(path=path or "/", base="".join(f"/{step}" for step in steps), **facts)

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of the body; none of a body that is no form."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return {}
        return _read_fields(self.body.decode("utf-8", "replace"))

    @property
    def parameters(self) -> Mapping[str, str]:
        """Of the query."""
        return _read_fields(self.query)

    def cookies(self, name: str) -> Iterator[str]:
        """All of this name: somebody may have set another one for a path above."""
        for pair in self.headers.get("cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                yield value


def is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def measure(announced: str) -> int | None:
    """The size in bytes that a header announces; None where it is no number."""
    is_number = announced.isascii() and announced.isdecimal() and len(announced) < _LONGEST_NUMBER
    return int(announced) if is_number else None


def _read_fields(text: str) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:  # more of them than anybody needs
        return {}


@dataclass(frozen=True, slots=True)
class Content:
    """A body that is no JSON."""

    body: bytes
    media_type: str
    policy: str
    """What a browser may do with it: the Content-Security-Policy."""
    cached: str = "no-store"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; never to be framed or read by another origin."""

    status: int
    document: Mapping[str, Any] | Content
    more_headers: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> Content:
        if isinstance(self.document, Content):
            return self.document
        # HTML in a table's name stays harmless, also to whoever takes it for a page
        text = json.dumps(self.document, ensure_ascii=False)
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        return Content(text.encode(), "application/json", "default-src 'none'; frame-ancestors 'none'")

    @property
    def body(self) -> bytes:
        return self.content.body

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """In lower case, as ASGI wants them."""
        content = self.content
        return (
            ("content-type", content.media_type),
            ("content-length", str(len(content.body))),
            ("cache-control", content.cached),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", content.policy),
            # with "no-referrer" a browser sends "Origin: null" with a form, also to its own origin
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            *self.more_headers,
        )


def say(status: int, message: str, *more_headers: tuple[str, str]) -> Reply:
    """An answer that is one sentence."""
    return Reply(status, {"message": message}, more_headers)
