"""Runs a PostgreSQL client program against one database, without its password on the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO

from govern.database.postgresql.server import DEFAULTS
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError

_TAIL_BYTES = 2000
_GRACE_SECONDS = 5.0


class ProgramFailed(Exception):
    """A client program ended with an error. ``words`` is the end of what it wrote, without secrets."""

    def __init__(self, program: str, returncode: int, words: str) -> None:
        super().__init__(f"{program} ended with {returncode}")
        self.program = program
        self.returncode = returncode
        self.words = words or _explain(returncode)


class Interrupted(Exception):
    """What went on beside a program was broken off, because that had failed."""


def quote_pattern(name: str) -> str:
    """A name as the patterns of pg_dump have it: what is quoted means itself (manual, psql, Patterns)."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def run_program(program: Path, arguments: Sequence[str], url: DatabaseUrl) -> Iterator[IO[bytes]]:
    """Runs ``program --dbname=… arguments`` for the length of the block, which reads its standard output.

    The program is ended if the block raises. Raises ProgramFailed at the end of the block if it failed.
    """
    conninfo, secrets = _split_secrets(url)
    with run_tool(program, ["--no-password", f"--dbname={conninfo}", *arguments], secrets) as output:
        yield output


@contextmanager
def run_program_group(
    program: Path,
    arguments: Sequence[str],
    url: DatabaseUrl,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs one that writes files and has processes of its own; waits for its end at the end of the block.

    All of them are ended if the block raises, and also if this process is killed meanwhile. Raises ProgramFailed if
    it failed, also in the place of Interrupted. ``settings`` are for its sessions on the server.
    """
    conninfo, secrets = _split_secrets(url, settings)
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            [str(program), "--no-password", f"--dbname={conninfo}", *arguments],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env={**os.environ, **secrets},
            umask=0o077,
            process_group=0,
        ) as process,
    ):
        try:
            with _ended_with_us(process.pid):
                with suppress(Interrupted):
                    yield process
                process.wait()
        except BaseException:
            _end_group(process)
            raise
        if process.returncode != 0:
            raise ProgramFailed(program.name, process.returncode, _read_tail(words, tuple(secrets.values())))


_WATCH = 'read -r line || kill -s KILL -- "-$1"'


@contextmanager
def _ended_with_us(group: int) -> Iterator[None]:
    """A shell that waits for a line, and kills the process group where it gets to the end instead: we were killed."""
    with subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "sh", str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # not to be killed along with us
    ) as watch:
        try:
            yield
        finally:
            watch.communicate(b"\n")


@contextmanager
def run_tool(
    program: Path,
    arguments: Sequence[str],
    secrets: Mapping[str, str] = MappingProxyType({}),
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[IO[bytes]]:
    """The same for what needs no database. ``secrets`` are variables of its environment."""
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            [str(program), *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=words,
            # inherited as it is; a passfile in its place would outlive a kill -9
            env={**os.environ, **secrets},
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101  it is a pipe
        try:
            yield process.stdout
            returncode = process.wait()
        except BaseException:
            _end(process)
            raise
        if returncode != 0:
            raise ProgramFailed(program.name, returncode, _read_tail(words, tuple(secrets.values())))


def _split_secrets(
    url: DatabaseUrl, settings: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, dict[str, str]]:
    """The connection string without the password, and the environment that has it."""
    from psycopg import conninfo

    parameters = conninfo.conninfo_to_dict(url.conninfo)
    if "sslpassword" in parameters:
        raise ConfigurationError(
            "the database URL has an sslpassword, which pg_dump can only be given on its command line",
            why="everybody on the machine could read it there",
            next="use a client key without a passphrase, readable by its owner alone",
        )
    password = parameters.pop("password", None)
    if settings:
        options = (
            str(parameters.get("options", "")),
            *(f"-c {name}={value}" for name, value in settings.items()),
        )
        parameters["options"] = " ".join(options).strip()
    return conninfo.make_conninfo("", **{**DEFAULTS, **parameters}), {
        "PGPASSWORD": str(password)
    } if password else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return


def _read_tail(words: IO[bytes], secrets: tuple[str, ...]) -> str:
    words.seek(max(0, words.seek(0, os.SEEK_END) - _TAIL_BYTES))
    text = words.read().decode(errors="replace").strip()
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _explain(returncode: int) -> str:
    return f"it was ended by signal {-returncode}" if returncode < 0 else f"it ended with {returncode}"
