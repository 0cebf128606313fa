"""Database URLs as SQLAlchemy and libpq write them, read without importing SQLAlchemy (its import costs more
than a startup check may take)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from govern.errors import ConfigurationError

DialectName = Literal["postgresql", "sqlite"]

_SCHEMES: dict[str, DialectName] = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite"}
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
"""What an identifier may be without quotes."""
_READABLE = "/:,"
"""What stays as it is in a query."""
_SECRET_PARAMETERS = frozenset({"password", "sslpassword"})


def _refuse_unescaped(text: str) -> None:
    """A ``/ ? # [`` that stands bare in a password ends it early: the rest would be shown as host or path."""
    try:
        parts = urlsplit(text)
        at_is_lost = "@" not in parts.netloc and "@" in parts.path + parts.query
    except ValueError:
        parts, at_is_lost = None, True
    if at_is_lost or (parts is not None and parts.fragment):
        raise ConfigurationError(
            "the database URL cannot be taken apart",
            why="a character of the user name or password has a meaning of its own in URLs",
            next="percent-encode it: / is %2F, ? is %3F, # is %23, [ is %5B, @ is %40",
        )


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One database's address. ``str()`` and ``repr()`` never show its password; ``text`` has it."""

    text: str
    """As given, with the password."""
    dialect: DialectName
    schema: str | None = None
    """The one schema of a PostgreSQL database that is meant; sessions look for names there first. None: all of it."""

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Raises ConfigurationError for anything but a PostgreSQL or SQLite URL."""
        scheme = text.partition(":")[0].partition("+")[0].lower()
        if _SCHEMES.get(scheme) == "postgresql":
            _refuse_unescaped(text)
        if scheme not in _SCHEMES or "://" not in text:
            raise ConfigurationError(
                "the database URL is not one govern can use",
                why=f"it begins with {scheme[:20]!r}" if "://" in text else "it has no '://'",
                next="give postgresql://user@host/database or sqlite:///path/to/file.db",
            )
        return cls(text=text, dialect=_SCHEMES[scheme])

    def __str__(self) -> str:
        return self.redacted

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.redacted!r})"

    @property
    def redacted(self) -> str:
        """The URL with ``***`` in place of every password."""
        parts = urlsplit(self.text)
        credentials, at, host = parts.netloc.rpartition("@")
        if ":" in credentials:
            credentials = credentials.partition(":")[0] + ":***"
        query = "&".join(
            f"{name}=***" if name in _SECRET_PARAMETERS else f"{name}={quote(value, safe=_READABLE)}"
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        )
        # urlunsplit would write sqlite:/path for an empty host
        return f"{parts.scheme}://{credentials}{at}{host}{parts.path}" + (f"?{query}" if query else "")

    @property
    def database(self) -> str:
        """PostgreSQL: the database's name; SQLite: the path as written."""
        return unquote(urlsplit(self.text).path.removeprefix("/"))

    @property
    def path(self) -> Path:
        """The file of a SQLite database. ``sqlite:///a.db`` is relative, ``sqlite:////a.db`` absolute."""
        if not self.database or self.database == ":memory:":
            raise ConfigurationError(
                "an in-memory SQLite database cannot be governed",
                why="every process would see its own, empty one",
                next="give a file: sqlite:///path/to/file.db",
            )
        return Path(self.database)

    @property
    def conninfo(self) -> str:
        """The URL as libpq reads it: without SQLAlchemy's ``+driver``."""
        parts = urlsplit(self.text)
        # asyncpg spells sslmode "ssl"; nothing else differs for the parameters people use
        query = urlencode(
            [("sslmode" if name == "ssl" else name, value) for name, value in parse_qsl(parts.query)],
            quote_via=quote,
        )
        # urlunsplit would write postgresql:/app for an empty host
        return f"postgresql://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")

    def with_database(self, name: str) -> DatabaseUrl:
        """The same server, another database."""
        parts = urlsplit(self.text)
        path = "/" + quote(name, safe="")
        query = f"?{parts.query}" if parts.query else ""
        return DatabaseUrl(f"{parts.scheme}://{parts.netloc}{path}{query}", self.dialect, self.schema)

    def with_schema(self, schema: str | None) -> DatabaseUrl:
        """One schema of this database: what sessions name without a schema is looked for there, then in ``public``.

        Said by libpq's ``options`` (manual, 32.1.2), for whoever opens the URL; it comes after what is there already.
        """
        if schema is None:
            return self
        parts = urlsplit(self.text)
        quoted = schema if _PLAIN_NAME.fullmatch(schema) else '"' + schema.replace('"', '""') + '"'
        # the server takes options apart at spaces; a backslash keeps a sign as it is
        escaped = re.sub(r"([\\\s])", r"\\\1", f"-csearch_path={quoted},public")
        given = parse_qsl(parts.query, keep_blank_values=True)
        others = [pair for pair in given if pair[0] != "options"]
        options = [value for name, value in given if name == "options"]
        query = urlencode(
            [*others, ("options", " ".join((*options, escaped)))], quote_via=quote, safe=_READABLE
        )
        text = f"{parts.scheme}://{parts.netloc}{parts.path}?{query}"
        return DatabaseUrl(text, self.dialect, schema)
