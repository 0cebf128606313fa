"""What is said of a command that was misused, interrupted or crashed: always the same four sentences."""

from __future__ import annotations

import platform
import re
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import click

from govern.core.report import EXIT_INTERRUPTED, EXIT_UNDECIDED, EXIT_USAGE, Problem
from govern.errors import NOTHING_CHANGED
from govern.version import __version__

_URL_PASSWORD = re.compile(r"(\w://[^\s:/@]*:)\S*@")
_PASSWORD_PARAMETER = re.compile(r"(password=)[^\s&]+", re.IGNORECASE)
_SHORTEST_SECRET = 4
_NOT_KNOWN = "not known: the command may have changed something before"

Changes = Literal["nothing", "files", "backups", "database", "elsewhere"]
"""What a command may change: ``database`` in a run of the ledger, ``elsewhere`` without one."""

_STATES: Mapping[Changes, str] = {
    "nothing": NOTHING_CHANGED,
    "files": "no database was changed; of the project's files some may be written",
    "backups": "the database was only read; a backup that is listed is whole",
    "database": _NOT_KNOWN,
    "elsewhere": _NOT_KNOWN,
}
_AFTERWARDS: Mapping[Changes, str] = {
    "nothing": "run it again",
    "files": "see what was written: git status",
    "backups": "see which backups there are: govern backup list",
    "database": "see what was done: govern history",
    "elsewhere": "run it again",
}


def usage_problem(error: click.ClickException, *, next: str | None) -> Problem:
    """A command line that cannot be understood; ``next``: what was probably meant."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "govern"
    said = error.message if isinstance(error, click.NoSuchOption) else error.format_message()
    return Problem(
        what=redact(_lower_first(said.rstrip("."))),
        why="",
        next=next or f"{path} --help",
        state=NOTHING_CHANGED,
        exit_code=EXIT_USAGE,
    )


def interruption_problem(error: KeyboardInterrupt, *, command: str, changes: Changes) -> Problem:
    """Ctrl-C or a signal. Whoever was interrupted says the state of things with ``error.add_note``."""
    notes = getattr(error, "__notes__", ())
    return Problem(
        what=f"govern {command}".rstrip() + " was interrupted",
        why=str(error) or "Ctrl-C",
        next=_AFTERWARDS[changes],
        state="; ".join(notes) or _STATES[changes],
        exit_code=EXIT_INTERRUPTED,
    )


def crash_problem(error: BaseException, *, command: str, changes: Changes, secrets: Iterable[str]) -> Problem:
    """An error nobody foresaw: a bug, never the exit code of a finding."""
    told = redact(" ".join(str(error).split()), secrets)
    kind = type(error).__name__
    return Problem(
        what=f"govern {command}".rstrip() + f" crashed: {kind}" + (f": {told}" if told else ""),
        why=f"a bug in govern {__version__} (Python {platform.python_version()}), raised in {_origin(error)}",
        next="run it again with -v and report what it prints",
        state=_STATES[changes],
        exit_code=EXIT_UNDECIDED,
    )


def format_traceback(error: BaseException, *, secrets: Iterable[str]) -> str:
    """The traceback for a bug report, without passwords."""
    return redact("".join(traceback.format_exception(error)), secrets)


def redact(text: str, urls: Iterable[str] = ()) -> str:
    """The text without the passwords of ``urls``, nor of anything in it that looks like a URL with one."""
    for password in _passwords(urls):
        text = text.replace(password, "***")
    return _PASSWORD_PARAMETER.sub(r"\1***", _URL_PASSWORD.sub(r"\1***@", text))


def _passwords(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        try:
            quoted = urlsplit(url).password or ""
        except ValueError:
            continue
        # a shorter one would tear holes in innocent words
        yield from (password for password in (quoted, unquote(quoted)) if len(password) >= _SHORTEST_SECRET)


def _origin(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
