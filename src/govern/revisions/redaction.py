"""Keeps passwords out of everything the child says or prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl


def make_redactor(url: DatabaseUrl | None) -> Callable[[str], str]:
    """A function that puts ``***`` for the URL's passwords, as written and decoded, and for any in a URL."""
    secrets = sorted(_secrets(url), key=len, reverse=True) if url is not None else []

    def redact(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return re.sub(r"(://[^:/@\s]*:)[^/\n]+@", r"\1***@", text)

    return redact


def _secrets(url: DatabaseUrl) -> set[str]:
    parts = urlsplit(url.text)
    query = parse_qs(parts.query)
    written = [parts.password, *query.get("password", ()), *query.get("sslpassword", ())]
    plain = {text for one in written if one for text in (one, unquote(one))}
    # as libpq, SQLAlchemy and forms encode it, and as Python shows it
    encoded = {quote(text, safe=safe) for text in plain for safe in ("", " +", "/")}
    return plain | encoded | {quote_plus(text) for text in plain} | {repr(text)[1:-1] for text in plain}
