"""What the child process that runs Alembic says, as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

Direction = Literal["upgrade", "downgrade", "stamp"]
Phase = Literal["connect", "environment", "revision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The project's interpreter runs; its versions."""

    python: str
    alembic: str
    sqlalchemy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody else has the migration lock; said at once and then every five seconds."""

    seconds: float
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """The migrating connection has the lock, and waits to be told to proceed."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A lock was not to be had in time: what it was for was taken back, and is tried again after a pause."""

    revision: str | None
    tries: int
    seconds: float
    """Since the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """An answer of the server does not come; said again and again until it does."""

    seconds: float
    """Since it was asked."""
    sessions: Sequence[Sequence[float]]
    """The child's on the server, each the number of its process and its age in seconds; empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement was executed. ``revision`` is None outside revisions, and for the version table's own."""

    sql: str
    seconds: float
    revision: str | None
    observed: Mapping[str, Any] | None = None
    """What it did to the database, where that was asked for; see ``child/observation.py``."""
    is_skipped: bool = False
    """An earlier try has committed it: it was not executed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionStarted:
    revision: str
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDone:
    """A revision's code and its version row were executed; whether they were committed is read back."""

    revision: str
    direction: Direction
    seconds: float
    statements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """On a walk: what was done so far is committed, and waits to be looked at."""

    revision: str
    point: Literal["before", "after", "applied"]
    """Before its upgrade, or after its downgrade, which should be alike; or once it is applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBackFailed:
    """On a walk: a revision's downgrade does not work, or its upgrade not after it. It was taken back."""

    direction: Literal["upgrade", "downgrade"]
    error: ChildError


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that explains a surprising outcome."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The child came to its end; what a command answers."""

    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The child ended itself on purpose: ``lock_timeout``, ``foreign_dialect``, ``not_installed``, …"""

    reason: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildError:
    """Something raised in the child, or the child died."""

    type: str
    """Class name of the driver's error where there is one, else of the exception; ``ChildDied``."""
    message: str
    phase: Phase
    """While connecting, while env.py ran, or once a revision had begun."""
    sqlstate: str | None = None
    is_cut: bool = False
    """Whether it is none of the statement's, but of a connection that broke."""
    revision: str | None = None
    """The revision that was running."""
    statement: str | None = None
    """The statement that was running."""
    file: str | None = None
    """The project's own file in which it arose, relative to the root."""
    line: int | None = None
    code: str = ""
    """That line."""
    traceback: tuple[str, ...] = ()
    """The last lines, for a log rather than for a report."""

    @property
    def is_of_lock(self) -> bool:
        """Whether a lock was not to be had in time (lock_not_available), or was given up in a deadlock."""
        return self.sqlstate in ("55P03", "40P01")

    @property
    def place(self) -> str | None:
        """``file, line n``."""
        return f"{self.file}, line {self.line}" if self.file else None


Event = (
    Hello
    | Waiting
    | Locked
    | Blocked
    | Silent
    | Statement
    | RevisionStarted
    | RevisionDone
    | Paused
    | WayBackFailed
    | Note
    | Result
    | Stopped
    | ChildError
)
Ending = Result | Stopped | ChildError

_KINDS: dict[str, Callable[..., Event]] = {
    "hello": Hello,
    "waiting": Waiting,
    "locked": Locked,
    "blocked": Blocked,
    "silent": Silent,
    "statement": Statement,
    "revision_started": RevisionStarted,
    "revision_done": RevisionDone,
    "paused": Paused,
    "note": Note,
}

Committed = Mapping[str, list[dict[str, Any]]]
"""By revision, the statements of it that an earlier run has committed: see ``child/progress.py``."""
Orders = Mapping[str, Any]
"""What the child is told when it may proceed, beyond that: see ``child/progress.py``. Empty on a scratch database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedIndex:
    """An index of a model that the database does not take."""

    table: str
    index: str
    why: str
    """The server's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What there is of the models once they were created."""

    tables: tuple[str, ...]
    """``table`` or ``schema.table``, sorted."""
    refused: tuple[RefusedIndex, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedModels:
    """What modules brought that were not imported before."""

    tables: Mapping[str, tuple[str, ...]]
    """By module: ``table`` or ``schema.table``, sorted."""
    failures: Mapping[str, str]
    """Modules that cannot be imported, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTable:
    """A table as the metadata has it."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Of the primary key; empty without one."""
    references: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]
    """Foreign keys: columns, the other table, its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The database that env.py means by itself."""

    place: str
    """Its URL without driver, password and query; that of a SQLite file is absolute."""
    is_whole: bool
    """Whether that is all it takes: the URL had no password, and no options other than those of SQLite's driver."""
    variable: str | None
    """The environment variable that has the URL, whichever driver it names; None: none has."""

    @property
    def file(self) -> Path | None:
        """Of SQLite, absolute; None for another engine's database."""
        file = self.place.removeprefix(sqlite_url(""))
        return Path(file) if file != self.place else None


def sqlite_url(file: str) -> str:
    """As SQLAlchemy writes it."""
    return f"sqlite:///{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The project as its own interpreter sees it."""

    python: str
    alembic: str
    sqlalchemy: str
    drivers: Mapping[str, str] = field(default_factory=dict)
    """Installed database drivers and their versions."""
    source: Literal["models", "hook", "env.py"] | None = None
    """Where the metadata was found; None: nowhere."""
    tables: tuple[str, ...] = ()
    """``table`` or ``schema.table``, sorted."""
    models: Mapping[str, ModelTable] = field(default_factory=dict)
    """What they are like, by these names."""
    naming: Mapping[str, str] = field(default_factory=dict)
    """The metadata's naming convention."""
    version_table: str = "alembic_version"
    version_table_schema: str | None = None
    destination: Destination | None = None
    """None: env.py has none, or takes the one of alembic.ini."""
    problem: str | None = None
    """Why env.py could not be asked, as one line."""
    why: str = ""
    next: str = ""
    """What to do about it."""
    needs_database: bool = False
    """Whether that is because it connects even where it runs offline."""


def parse_event(line: str, redact: Callable[[str], str]) -> Event | None:
    """The event of a line, without secrets; None for a line cut short by a signal."""
    try:
        facts = json.loads(line)
        kind = facts.pop("event")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    facts = redact_values(facts, redact)
    if kind == "result":
        return Result(facts=facts)
    if kind == "stopped":
        return Stopped(reason=facts.pop("reason"), facts=facts)
    if kind == "error":
        return parse_error(facts)
    if kind == "way_back_failed":
        return WayBackFailed(direction=facts["direction"], error=parse_error(facts["error"]))
    return _KINDS[kind](**facts) if kind in _KINDS else None


def parse_error(facts: Mapping[str, Any]) -> ChildError:
    """The error that a child's facts describe."""
    known = {one.name: facts[one.name] for one in fields(ChildError) if one.name in facts}
    return ChildError(**{**known, "traceback": tuple(facts.get("traceback", ()))})


def redact_values(value: Any, redact: Callable[[str], str]) -> Any:
    """The JSON value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact_values(one, redact) for one in value]
    if isinstance(value, dict):
        return {redact(name): redact_values(one, redact) for name, one in value.items()}
    return value
