"""Restores dumps that somebody else made, into a scratch database: without owners and privileges, all or nothing.

The server executes what a dump says, as for whoever restores it by hand; this machine executes nothing of it.
"""

from __future__ import annotations

import gzip
import io
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from govern.core.discovery import FoundDump
from govern.database.connection import Connection
from govern.database.postgresql import server
from govern.database.postgresql.dump.archive import Archive
from govern.database.postgresql.dump.clients import (
    HEAD_BYTES,
    choose_for_restore,
    find_clients,
    parse_archive_version,
)
from govern.database.postgresql.dump.foreign import CLUSTER, SCRIPT, TAR, is_compressed, open_text
from govern.database.postgresql.dump.programs import ProgramFailed, run_program, run_tool
from govern.database.scratch import scratch_folder
from govern.database.url import DatabaseUrl
from govern.errors import Refused, ToolMissing

_TAR_BLOCK_BYTES = 512
_COPY = re.compile(r"COPY .+ FROM stdin;$")
_OF_PG_DUMP = ("\\restrict ", "\\unrestrict ")
"""What pg_dump itself writes for psql, since 2025."""
_OF_AN_OWNER = re.compile(
    r"ALTER [A-Z ]+ .+ OWNER TO .+;$|(?:GRANT|REVOKE) .+;$|ALTER DEFAULT PRIVILEGES .+;$"
)
_TIMEOUT_OF_17 = "SET transaction_timeout = 0;"


def restore_foreign(dump: FoundDump, url: DatabaseUrl) -> None:
    """Restores the dump into an existing, empty database: all of it or nothing.

    Raises Refused with the program's words, or for what is not executed; ToolMissing, Unreachable, OSError.
    """
    with scratch_folder("adopt") as folder, _refusing(dump):
        if dump.kind in (SCRIPT, CLUSTER):
            with open_text(dump.path) as text:
                _run_script(dump, text, url)
        else:
            _restore_archive(dump, _unpack(dump.path, folder), url)


def _restore_archive(dump: FoundDump, path: Path, url: DatabaseUrl) -> None:
    version = _read_version(dump.kind, path)
    if version is None:
        raise _refusal(dump, "it is no archive of pg_dump")
    clients = find_clients()
    try:
        client = choose_for_restore(_read_major(url), version, clients)
    except ToolMissing:
        if not clients:
            raise
        # no client that reads the archive speaks to so old a server: but it makes a script of it
        arguments = ["--no-owner", "--no-privileges", "--file=-", str(path)]
        with (
            run_tool(clients[-1].pg_restore, arguments) as output,
            io.TextIOWrapper(output, encoding="utf-8", errors="surrogateescape", newline="\n") as text,
        ):
            _run_script(dump, text, url)
        return
    arguments = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(path)]
    with run_program(client.pg_restore, arguments, url) as output:
        output.read()


def _run_script(dump: FoundDump, text: IO[str], url: DatabaseUrl) -> None:
    """Sends the statements, and the data after each COPY, to the server: without psql, nobody obeys a ``\\!``."""
    is_before_17 = _read_major(url) < 17
    with server.connect(url) as connection, connection.transaction():
        lines = _Lines(dump, text)
        statements: list[str] = []
        for line in lines:
            if _COPY.match(line):
                _send(connection, statements)
                _copy(connection, line, lines)
            elif not (is_before_17 and line == _TIMEOUT_OF_17):
                statements.append(line)
        _send(connection, statements)


def _send(connection: Connection, statements: list[str]) -> None:
    """Several at once, as they stand; a text without parameters is taken as it is."""
    text = "\n".join(statements)
    statements.clear()
    if any(line and not line.startswith("--") for line in text.splitlines()):
        connection.execute(_encode(text))


def _copy(connection: Connection, statement: str, lines: _Lines) -> None:
    driver: Any = connection.driver
    with driver.cursor() as cursor, cursor.copy(_encode(statement)) as copy:
        for line in lines.take_data():
            copy.write(_encode(f"{line}\n"))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class _Lines:
    """The lines of a script, but for owners and privileges. Raises Refused for a command to psql."""

    def __init__(self, dump: FoundDump, text: IO[str]) -> None:
        self._dump = dump
        self._numbered = enumerate((line.rstrip("\r\n") for line in text), start=1)

    def __iter__(self) -> Iterator[str]:
        is_after_blank = True
        for number, line in self._numbered:
            if line.startswith("\\"):
                self._require_harmless(number, line)
            elif not (is_after_blank and _OF_AN_OWNER.match(line)):
                yield line
            is_after_blank = not line

    def take_data(self) -> Iterator[str]:
        """The lines up to the one that ends the data."""
        for _, line in self._numbered:
            if line == "\\.":
                return
            yield line
        raise _refusal(self._dump, "it ends in the midst of data: it is cut off")

    def _require_harmless(self, number: int, line: str) -> None:
        if not line.startswith(_OF_PG_DUMP):
            why = f"line {number:,} is for psql, which this is not, and which could run any program: {line[:60]}"
            raise _refusal(self._dump, why)


def _unpack(path: Path, folder: Path) -> Path:
    """The archive itself, where it was compressed once more."""
    if not is_compressed(path):
        return path
    unpacked = folder / "archive"
    with gzip.open(path, "rb") as packed, unpacked.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return unpacked


def _read_version(kind: str, path: Path) -> int | None:
    if kind != TAR:
        return parse_archive_version(Archive(path).read_head())
    with path.open("rb") as file:  # the table of contents is the first file in it
        file.seek(_TAR_BLOCK_BYTES)
        return parse_archive_version(file.read(HEAD_BYTES))


def _read_major(url: DatabaseUrl) -> int:
    with server.connect(url, read_only=True) as connection:
        return int(str(connection.value("SHOW server_version_num"))) // 10000


@contextmanager
def _refusing(dump: FoundDump) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _refusal(dump, str(error).strip().partition("\n")[0]) from error
    except ProgramFailed as error:
        raise _refusal(dump, error.words) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refusal(dump, f"it is no whole gzip file: {error}") from error


def _refusal(dump: FoundDump, why: str) -> Refused:
    return Refused(
        f"{dump.path} cannot be adopted",
        why=why,
        next="see what else there is: govern backup list --search DIR",
        state="it was to be restored into a scratch database alone; the target was not touched",
    )
