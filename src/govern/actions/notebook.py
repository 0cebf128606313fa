"""A monitor's notes: in the database where that can be written, and always in a file where that can.

The database's are what commands and the API read; the file is for whoever looks while the database is away.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from govern.actions.files import write_text
from govern.config import Settings
from govern.core.issue import Issue
from govern.core.monitoring import (
    Event,
    EventKind,
    MonitorStatus,
    Request,
    RequestKind,
    Wanted,
    WantedState,
)
from govern.core.probed import Probed
from govern.core.wording import first_line
from govern.database.engines import dialect_of
from govern.database.monitor_record import PROBED, Document
from govern.database.monitoring import open_record
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, GovernError
from govern.log import Log

log = Log(__name__)
T = TypeVar("T")

MOST_EVENTS = 10_000
"""Kept in the database."""
_MOST_UNWRITTEN = 1_000
_RECENT_EVENTS = 500
"""As many as are looked at to know what was tried."""
_ISSUE, _REQUEST = "issue/", "request/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What was written down."""

    wanted: Wanted = field(default_factory=Wanted)
    status: MonitorStatus | None = None
    """None where no monitor has ever ended a pass."""
    issues: Mapping[str, Issue] = field(default_factory=dict)
    """By key; also those that are gone, for a while."""
    requests: tuple[Request, ...] = ()
    """The oldest first."""
    probed: Probed | None = None
    """How the running application last answered the monitor; None where that does not ask it."""

    @classmethod
    def of(cls, documents: Mapping[str, Document]) -> Notes:
        def read(prefix: str, make: Callable[[Document], T]) -> list[T]:
            return _read_each((value for name, value in documents.items() if name.startswith(prefix)), make)

        [wanted, *_] = [*read("wanted", Wanted.from_json), Wanted()]
        [status, *_] = [*read("status", MonitorStatus.from_json), None]
        [probed, *_] = [*read(PROBED, Probed.from_json), None]
        asked = read(_REQUEST, Request.from_json)
        return cls(
            wanted=wanted,
            status=status,
            issues={issue.key: issue for issue in read(_ISSUE, Issue.from_json)},
            requests=tuple(sorted(asked, key=lambda request: (request.at, request.id))),
            probed=probed,
        )

    @property
    def open_issues(self) -> tuple[Issue, ...]:
        return rank(self.issues.values())


def rank(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Those that are open, the gravest first, then the oldest."""
    there = (issue for issue in issues if issue.state == "open")
    return tuple(sorted(there, key=lambda issue: (-issue.severity, issue.first_seen, issue.subject)))


class Notebook:
    """The notes of one database."""

    def __init__(self, settings: Settings, url: DatabaseUrl) -> None:
        self._settings = settings
        self._url = url
        self._unwritten: deque[Event] = deque(maxlen=_MOST_UNWRITTEN)
        self._file = settings.state_folder / "monitor.json"

    def read(self) -> Notes:
        """Raises CouldNotCheck where the database cannot be read."""
        with open_record(self._url, read_only=True) as record:
            return Notes.of(record.read_documents())

    def read_events(self, limit: int = _RECENT_EVENTS) -> tuple[Event, ...]:
        """The newest first, with those that could not be written yet. Raises CouldNotCheck."""
        with open_record(self._url, read_only=True) as record:
            written = _read_each(record.read_events(limit), Event.from_json)
        return (*reversed(self._unwritten), *written)[:limit]

    def read_file(self) -> Mapping[str, Any] | None:
        """What the monitor of this machine last wrote beside the project; None without such a file."""
        try:
            document: Mapping[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if document.get("database") == self._url.redacted else None

    def write(
        self,
        *,
        status: MonitorStatus | None = None,
        issues: Iterable[Issue] = (),
        forgotten: Iterable[str] = (),
        done: Iterable[Request] = (),
        events: Iterable[Event] = (),
        probed: Probed | None = None,
    ) -> str:
        """Returns what kept it out of the database, else nothing: events are then written the next time.

        ``forgotten``: keys of issues; ``done``: requests that need not be kept.
        """
        documents: dict[str, Document | None] = {_ISSUE + issue.key: issue.to_json() for issue in issues}
        documents |= {_ISSUE + key: None for key in forgotten}
        documents |= {_REQUEST + request.id: None for request in done}
        if status is not None:
            documents["status"] = status.to_json()
        if probed is not None:
            documents[PROBED] = probed.to_json()
        self._unwritten.extend(events)
        trouble = self._try_put(documents, tuple(self._unwritten))
        if not trouble:
            self._unwritten.clear()
        return trouble

    def forget_probed(self) -> str:
        """The application is not asked any more. Returns what kept that out of the database, else nothing."""
        return self._try_put({PROBED: None}, ())

    def announce(self, event: Event) -> bool:
        """Writes down what is about to be tried; where that cannot be done, it is not to be tried."""
        return not self._try_put({}, (event,))

    def write_file(self, status: MonitorStatus, issues: Iterable[Issue]) -> str:
        """Returns why it could not be written, else nothing."""
        document = {
            "database": self._url.redacted,
            "written_at": datetime.now(UTC).isoformat(),
            "status": status.to_json(),
            "issues": [issue.to_json() for issue in issues],
            "unwritten_events": [event.to_json() for event in self._unwritten],
        }
        try:
            if not self._file.parent.exists():
                self._file.parent.mkdir(mode=0o700)
                (self._file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            write_text(self._file, json.dumps(document, indent=1) + "\n")
        except (GovernError, OSError) as error:
            return first_line(error)
        return ""

    def want(self, state: WantedState, actor: str) -> Event:
        """Notes that the monitor is to work, or not to. Raises CouldNotCheck where that cannot be written."""
        event = make_event("start" if state == "running" else "stop", actor)
        self._put({"wanted": Wanted(state=state, by=actor, at=event.at).to_json()}, (event,))
        return event

    def ask(
        self, kind: RequestKind, actor: str, *, issue: Issue | None = None, run: str | None = None
    ) -> Request:
        """Asks the active monitor to check, to fix an issue, or to roll a run of the ledger back.

        Raises CouldNotCheck where that cannot be written.
        """
        event = make_event(kind, actor, issue=issue, run=run)
        request = Request(id=event.id, kind=kind, actor=actor, at=event.at, issue=event.issue, run=run)
        self._put({_REQUEST + request.id: request.to_json()}, (event,))
        return request

    def _try_put(self, documents: Mapping[str, Document | None], events: tuple[Event, ...]) -> str:
        refusals: tuple[type[Exception], ...] = (CouldNotCheck, *dialect_of(self._url).errors())
        try:
            self._put(documents, events)
        except refusals as error:
            return error.what if isinstance(error, CouldNotCheck) else str(error).strip()
        return ""

    def _put(self, documents: Mapping[str, Document | None], events: tuple[Event, ...]) -> None:
        with open_record(self._url, read_only=False) as record:
            record.write(
                documents, [(event.id, event.to_json()) for event in events], most_events=MOST_EVENTS
            )


def _read_each(documents: Iterable[Document], make: Callable[[Document], T]) -> list[T]:
    """Without those that a govern of another version has written otherwise: one of them must not hide the others."""
    made = []
    for document in documents:
        try:
            made.append(make(document))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("monitor_note_not_understood", error=f"{type(error).__name__}: {error}")
    return made


def make_event(
    kind: EventKind, actor: str, *, issue: Issue | None = None, at: datetime | None = None, **facts: Any
) -> Event:
    """An event of now, about an issue or the whole."""
    now = at or datetime.now(UTC)
    return Event(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        kind=kind,
        actor=actor,
        at=now,
        issue=issue.key if issue else None,
        subject=issue.subject if issue else None,
        fix=issue.fix if issue else None,
        **facts,
    )


def name_actor(settings: Settings) -> str:
    """``user@host``, as the ledger has it."""
    return f"{settings.actor}@{socket.gethostname()}"


def name_instance() -> str:
    """``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"
