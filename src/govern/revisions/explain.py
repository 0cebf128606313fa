"""The child's endings as errors for whoever has to act on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from govern.errors import ConfigurationError, CouldNotCheck, GovernError, Refused, ToolMissing, Unreachable
from govern.revisions.protocol import Destination, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from govern.config import Settings
    from govern.revisions.protocol import ChildError, Stopped

NO_REVISION_RAN = "no revision was run"
_CREATE_EXTENSION = re.compile(
    r"\s*CREATE\s+EXTENSION\s+(IF\s+NOT\s+EXISTS\s+)?\"?(?P<name>[\w-]+)", re.IGNORECASE
)
_NOT_OFFERED = ("0A000", "58P01")  # feature_not_supported; before PostgreSQL 16 undefined_file
_NEXT_LOCKED = "wait and run again, or see who holds it: govern doctor --locks"


class NeedsDatabase(CouldNotCheck):
    """env.py, or the application it belongs to, connects before it can be asked for anything."""


class ForeignEngine(ConfigurationError):
    """env.py is for a database of another engine. ``destination``: the one it would open, where that is a file."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.destination: Destination | None = None
        url = f"{facts['dialect']}://…"  # which may have a password
        if facts.get("file"):
            url = sqlite_url(facts["file"])
            self.destination = Destination(place=url, is_whole=True, variable=None)
        super().__init__(
            f"env.py connects to a {facts['dialect']} database, but the target is {facts['wanted']}",
            why="another engine's database is never touched in its place",
            next=f"say which database env.py is for: --url {url}, or DATABASE_URL; or let env.py connect to "
            f"{facts['wanted']}",
            state=NO_REVISION_RAN,
        )


def lock_refused(holder: str | None, seconds: float) -> Refused:
    """The migration lock was not to be had within ``seconds``."""
    waited = f"; waited {seconds:.0f}s for it" if seconds >= 1 else ""
    return Refused(
        "the migration lock is held by another process",
        why=(holder or "its holder is gone by now") + waited,
        next=_NEXT_LOCKED,
    )


def explain_stop(stopped: Stopped, settings: Settings) -> GovernError:
    """The error for a child that ended itself on purpose."""
    reason, facts = stopped.reason, stopped.facts
    if reason == "lock_timeout":
        return lock_refused(facts["holder"], facts["seconds"])
    explained = (
        _explain_interpreter(reason, facts, settings.python)
        or _explain_env(reason, facts)
        or _explain_models(reason, facts)
        or _explain_revision(reason, facts)
    )
    return explained or NeedsDatabase(
        "env.py cannot be asked without a database", why="it connects even where it runs offline"
    )


def _explain_interpreter(reason: str, facts: Mapping[str, Any], python: Path) -> GovernError | None:
    """What the project's interpreter lacks."""
    match reason:
        case "not_installed":
            return ToolMissing(
                f"the project's interpreter {python} has no {facts['package']}",
                next=f"{python} -m pip install '{facts['package']}>={facts['oldest']}', "
                "or set python in [tool.govern] to the interpreter that has it",
            )
        case "too_old":
            return ToolMissing(
                f"{facts['package']} {facts['version']} is too old for govern",
                why=f"it needs {facts['package']} {facts['oldest']} or later in {python}",
                next=f"{python} -m pip install --upgrade {facts['package']}",
            )
    return None


def _explain_env(reason: str, facts: Mapping[str, Any]) -> GovernError | None:
    """What env.py does that cannot be led to the target database."""
    match reason:
        case "foreign_dialect":
            return ForeignEngine(facts)
        case "several_databases":
            return ConfigurationError(
                f"one run of env.py migrates several databases: {', '.join(facts['names'])}",
                why="each revision has a part for each of them, and govern migrates one database at a time",
                next="give each a section in alembic.ini with a script_location of its own, and adopt each: "
                f"govern init --name {facts['names'][0]}",
                state=NO_REVISION_RAN,
            )
        case "own_connections":
            return ConfigurationError(
                "env.py makes its database connections itself",
                why="an engine made with creator= or pool= cannot be pointed at the target database",
                next="let create_engine connect by URL; connect_args and events stay as they are",
                state=NO_REVISION_RAN,
            )
        case "elsewhere":
            return Refused(
                f"{facts['place'] or 'a library'} opens a database connection of its own",
                why=f"{facts['driver']} was called; on a copy it would reach past the copy to another database",
                next="let it use op.get_bind(), or rehearse nothing of it: --rehearse off",
            )
        case "no_application":
            return ConfigurationError(
                "env.py works in the context of a Flask application, and none was found",
                why=facts["why"],
                next="set FLASK_APP as for the flask command, or let a hook enter the context: "
                'hook = "package.module:function" in [tool.govern]',
                state=NO_REVISION_RAN,
            )
    return None


def _explain_models(reason: str, facts: Mapping[str, Any]) -> GovernError | None:
    """What the configuration names, and is not there."""
    match reason:
        case "no_metadata":
            return ConfigurationError(
                "the project's models were not found",
                why="no models are configured and env.py gives no target_metadata to context.configure",
                next='set models = "package.module:metadata"; or sql = "FOLDER", SQL files that make the tables',
            )
        case "hook":
            return ConfigurationError(
                f"hook = {facts['hook']!r} does not prepare Alembic",
                why=facts["why"],
                next="let package.module:function return three things: a Config, metadata, a context manager; or None",
            )
        case "models":
            return ConfigurationError(
                f"models = {facts['models']!r} is not a metadata",
                why=facts["why"],
                next='write it as models = "package.module:metadata" in [tool.govern]',
            )
    return None


def _explain_revision(reason: str, facts: Mapping[str, Any]) -> GovernError | None:
    """What a revision would do, or can no longer do."""
    match reason:
        case "cascade":
            return Refused(
                f"to rebuild {facts['table']} would delete or empty rows of {facts['child']}",
                why="foreign keys are on, and SQLite deletes the rows of a table that is dropped, with what refers to "
                "them: batch mode drops it after copying it",
                next='let the revision begin with op.execute("PRAGMA foreign_keys = OFF")',
                state="the revision was rolled back",
            )
        case "not_resumable":
            return Refused(
                f"revision {facts['revision']} is half applied, and does not do again what it did then",
                why=f"statement {facts['position']} was: {facts['then']}; now it is: {facts['now']}",
                next="let it begin with the same statements as then; what comes after them may be corrected",
                state=NO_REVISION_RAN,
            )
        case "unwalkable":
            return CouldNotCheck(
                "the revisions cannot be applied one by one",
                why=facts["why"],
                next="let env.py configure a connection that is in no transaction, and run the migrations online",
            )
    return None


def explain_error(error: ChildError, target: str, output: str) -> GovernError:
    """The error for what raised before any revision ran. ``output``: what env.py had printed."""
    if error.type == "ChildDied":
        return CouldNotCheck(
            error.message, why=_last_lines(output), next="run alembic by hand: alembic current"
        )
    if error.is_cut and error.phase != "connect":
        return Unreachable(
            f"the connection to {target} broke off",
            why=describe_failure(error),
            next="see why the server ended the connection, then run again",
            state=NO_REVISION_RAN,
        )
    if error.phase == "connect":
        return Unreachable(
            f"the project's own driver cannot connect to {target}",
            why=f"{error.type}: {error.message}",
            next="see what is reachable: govern doctor",
            state=NO_REVISION_RAN,
        )
    said = _last_lines(output) if error.type == "SystemExit" else ""
    return ConfigurationError(
        f"{error.place}: {_words(error)}" if error.place else f"Alembic cannot run: {_words(error)}",
        why="; ".join(part for part in (error.code, said) if part),
        next=_what_to_correct(error),
        state=NO_REVISION_RAN,
    )


def _what_to_correct(error: ChildError) -> str:
    if error.place is None:
        return "see the revisions: govern chain"
    if error.type in ("ImportError", "ModuleNotFoundError"):
        return f"correct {error.place}, or install what it lacks into the project's environment"
    return f"correct {error.place}"


def describe_failure(error: ChildError) -> str:
    """What failed, and in which statement, as one line: the database's first words say what."""
    message = error.message.strip().partition("\n")[0]
    statement = f" — in: {error.statement}" if error.statement else ""
    return f"{error.type}: {message}{statement}"


def missing_extension(statement: str | None, sqlstate: str | None) -> str | None:
    """The extension that a statement wants and the server does not offer: none of the statement's own faults."""
    found = _CREATE_EXTENSION.match(statement or "")
    return found["name"] if found and sqlstate in _NOT_OFFERED else None


def next_without_extension(name: str) -> str:
    """What to do about it."""
    return (
        f"install the extension {name} where the server runs (PostgreSQL's own come with its contrib package)"
    )


def explain_silence(how: str, output: str, settings: Settings) -> ToolMissing:
    """The child never said a word: its interpreter is none, or cannot run."""
    return ToolMissing(
        f"the project's interpreter {settings.python} does not run Python 3.8 or later",
        why=_last_lines(output) or f"it ended with {how}",
        next="set python in [tool.govern] to the interpreter that has the project's Alembic",
    )


def _words(error: ChildError) -> str:
    if error.type == "SystemExit":
        return f"sys.exit({error.message}) was called"
    return f"{error.type}: {error.message}" if error.message else error.type


def _last_lines(output: str, count: int = 3) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "it printed last: " + " / ".join(lines[-count:]) if lines else ""
