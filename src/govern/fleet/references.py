"""Where a target's URL comes from. A reference may travel, be logged and written down; what it leads to may not.

It is resolved where the work is done, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from govern.config import find_secret
from govern.core.wording import first_line
from govern.database.engines import dialect_of
from govern.database.target import make_absolute
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck
from govern.fleet.program import run_program

_COMMAND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Written:
    """A URL that holds no secret."""

    text: str


@dataclass(frozen=True, slots=True)
class InVariable:
    """An environment variable, or the file that ``…_FILE`` names."""

    name: str


@dataclass(frozen=True, slots=True)
class InFile:
    """The content of a file, as secrets are mounted into containers."""

    path: str


@dataclass(frozen=True, slots=True)
class FromCommand:
    """What a program prints, as a vault's client does."""

    arguments: tuple[str, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class OnServer:
    """A database on the server of another reference, by that one's credentials."""

    server: Reference
    database: str
    host: str | None = None
    port: str | None = None


@dataclass(frozen=True, slots=True)
class InCatalogue:
    """The column ``url`` of a tenant's row in a catalogue database."""

    catalogue: Reference
    sql: str
    name: str


Reference = Written | InVariable | InFile | FromCommand | OnServer | InCatalogue


def resolve(reference: Reference) -> DatabaseUrl:
    """The URL, secrets included. Raises ConfigurationError and CouldNotCheck, which name the reference alone."""
    match reference:
        case Written(text):
            return make_absolute(DatabaseUrl.parse(text))
        case InVariable(name):
            return _parse(find_secret(name), f"the environment variable {name}", f"export {name}=…")
        case InFile(path):
            return _parse(_read(Path(path)), f"the file {path}", f"write the URL into {path}")
        case FromCommand(arguments, folder):
            name = arguments[0]
            printed = run_program(
                arguments,
                Path(folder),
                seconds=_COMMAND_SECONDS,
                name=name,
                failed=f"{name} did not print the URL",
            )
            return _parse(printed, f"what {name} printed", "run it by hand")
        case OnServer(server, database, host, port):
            return _move(resolve(server), database, host, port)
        case InCatalogue(catalogue, sql, name):
            rows = (row for row in read_catalogue(resolve(catalogue), sql) if str(row.get("name")) == name)
            url = next((row["url"] for row in rows), None)
            return _parse(url, f"the column url of {name} in the catalogue", "correct the catalogue's row")


def describe(reference: Reference) -> str:
    """``$ACME_URL``, ``/run/secrets/acme``: for people, without a secret."""
    match reference:
        case Written(text):
            return DatabaseUrl.parse(text).redacted
        case InVariable(name):
            return f"${name}"
        case InFile(path):
            return path
        case FromCommand(arguments, _):
            return f"$({' '.join(arguments)})"
        case OnServer(server, database, host, _):
            return f"{database} on {host or describe(server)}"
        case InCatalogue(_, _, name):
            return f"{name} in the catalogue"


def find_server(url: DatabaseUrl) -> str:
    """What targets share that must not all be asked at once: ``db-3:5432``; a SQLite file shares nothing."""
    if url.dialect == "sqlite":
        return ""
    parts = urlsplit(url.text)
    options = dict(parse_qsl(parts.query))
    host = options.get("host") or parts.hostname or "localhost"
    return f"{host}:{options.get('port') or parts.port or 5432}"


def read_catalogue(url: DatabaseUrl, sql: str) -> list[Mapping[str, Any]]:
    """The query's rows by its columns' names. Raises ConfigurationError for a query that does not run."""
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        try:
            names = connection.name_columns(sql)
            return [dict(zip(names, row, strict=True)) for row in connection.rows(sql)]
        except dialect.errors() as error:
            raise ConfigurationError(
                "the catalogue's query does not run",
                why=first_line(error),
                next="correct the sql of that entry under queries",
            ) from error


def _parse(text: object, place: str, remedy: str) -> DatabaseUrl:
    """Never says what the text is: it may be a password alone."""
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"{place} has no URL", why="it is empty, or not there", next=remedy)
    try:
        return make_absolute(DatabaseUrl.parse(text.strip()))
    except ConfigurationError as error:
        raise ConfigurationError(f"{place} has no URL govern can use", next=error.next) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CouldNotCheck(
            f"the file {path} cannot be read",
            why=getattr(error, "strerror", None) or "it is no text in UTF-8",
            next="correct url_file, or the file's mode",
        ) from error


def _move(url: DatabaseUrl, database: str, host: str | None, port: str | None) -> DatabaseUrl:
    moved = url.with_database(database)
    if host is None and port is None:
        return moved
    parts = urlsplit(moved.text)
    credentials, at, _ = parts.netloc.rpartition("@")
    place = f"{quote(host or parts.hostname or '', safe=':[]')}"
    number = port or parts.port
    netloc = f"{credentials}{at}{place}" + (f":{number}" if number else "")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # ?host= and ?port= outweigh what stands before the path
    options |= {name: new for name, new in (("host", host), ("port", port)) if new and name in options}
    query = f"?{urlencode(options, quote_via=quote, safe='/')}" if options else ""
    return DatabaseUrl.parse(f"{parts.scheme}://{netloc}{parts.path}{query}")
