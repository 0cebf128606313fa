"""An error as the parent needs it: its words, where in the project it arose, and what was running."""

from __future__ import annotations

import linecache
import os.path
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session

_LONGEST_TRACEBACK = 60  # lines
_CONSEQUENCES = ("PendingRollbackError",)  # they hide the error that made the transaction fail
_WRAPPED = re.compile(r"<class '(?:\w+\.)*(?P<kind>\w+)'>: ")
_CUT = ("OperationalError", "InterfaceError")


def describe_error(error: BaseException, session: Session) -> dict[str, Any]:
    telling = next((one for one in _chain(error) if type(one).__name__ not in _CONSEQUENCES), error)
    original = (
        getattr(telling, "orig", None) or telling
    )  # the driver's, without SQLAlchemy's SQL and parameters
    file, line = _find_project_line(error)
    kind, message = _name_error(original)
    return {
        "type": kind,
        "message": message,
        "sqlstate": sqlstate_of(error),
        "is_cut": is_cut(original, session.request.get("dialect", "")),
        "phase": _find_phase(error, session),
        "revision": session.journal.revision,
        "statement": session.journal.statement,
        "file": file,
        "line": line,
        "code": linecache.getline(file, line).strip() if file and line else "",
        "traceback": _format_traceback(error),
    }


def _name_error(error: BaseException) -> tuple[str, str]:
    """Its class and text; of asyncpg's, which SQLAlchemy writes into the text, the one that the driver raised."""
    text = str(error).strip()
    found = _WRAPPED.match(text)
    return (found["kind"], text[found.end() :]) if found else (type(error).__name__, text)


def sqlstate_of(error: BaseException) -> str | None:
    """The server's code for it, of the first error in the chain that has one."""
    for one in _chain(error):
        original = getattr(one, "orig", None) or one
        code = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
        facts = original.args[0] if original.args else None
        code = code or (facts.get("C") if isinstance(facts, dict) else None)  # pg8000's
        if code:
            return str(code)
    return None


def is_cut(error: BaseException, family: str) -> bool:
    """Whether the server or the network ended the connection: class 08 or 57P; or no word of the server at all.

    PostgreSQL's drivers raise these two errors without a code where there is no answer; sqlite3 for anything.
    """
    code = sqlstate_of(error)
    if code is not None:
        return code.startswith(("08", "57P"))
    return family == "postgresql" and type(error).__name__ in _CUT


def find_cause(error: BaseException, kind: type[BaseException]) -> Any:
    """The first error of that kind among the error and what led to it; None if there is none."""
    return next((one for one in _chain(error) if isinstance(one, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, as a traceback shows them, last first."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _find_phase(error: BaseException, session: Session) -> str:
    redirection = getattr(session, "redirection", None)
    if redirection is not None and any(one is redirection.connect_error for one in _chain(error)):
        return "connect"
    return "revision" if session.journal.has_started else "environment"


def _find_project_line(error: BaseException) -> tuple[str | None, int | None]:
    """The innermost line of the project's own code, as a path relative to the working directory."""
    for one in _chain(error):
        places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(one.__traceback__)]
        if isinstance(one, SyntaxError) and one.filename:
            places.append((one.filename, one.lineno))
        for file, line in reversed(places):
            if is_of_project(Path(file).absolute()):
                return os.path.relpath(file), line
    return None, None


def is_of_project(path: Path) -> bool:
    """Whether it is a file below the working directory, but not of an environment that lies there."""
    environment = Path(sys.prefix).absolute()
    is_installed = "site-packages" in path.parts or environment in path.parents
    is_ours = Path(__file__).absolute().parent in path.parents
    is_below = Path.cwd() in path.parents
    return is_below and not is_ours and not is_installed and path.is_file()


def _format_traceback(error: BaseException) -> list[str]:
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    # parameters are rows of somebody's data
    lines = [line for line in text.splitlines() if not line.startswith("[parameters:")]
    return lines[-_LONGEST_TRACEBACK:]
