"""Health over HTTP, whatever serves it: paths in, answers out. Bounded in time, in connections and in what it tells."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from govern.api.examination import Examiner
from govern.config import load
from govern.core.health import Condition, Figures, Looked, Status
from govern.core.wording import name_seconds
from govern.database.target import make_absolute
from govern.errors import GovernError, ToolMissing
from govern.log import Log
from govern.reports.health import PONG, describe_condition, describe_figures
from govern.startup import HasUrl, url_of
from govern.web.look import Hanging, SharedLook

log = Log(__name__)
T = TypeVar("T")

HEALTH, PING, DATABASE, METRICS = PATHS = ("/health", "/health/ping", "/health/database", "/metrics")
METHODS = ("GET", "HEAD")
_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_OK, _NOT_FOUND, _METHOD_NOT_ALLOWED, _NOT_IMPLEMENTED, _UNAVAILABLE = 200, 404, 405, 501, 503


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; never to be cached by anybody."""

    status: int
    media_type: str
    body: bytes

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """In lower case, as ASGI wants them."""
        allow = (("allow", ", ".join(METHODS)),) if self.status == _METHOD_NOT_ALLOWED else ()
        return (
            ("content-type", self.media_type),
            ("content-length", str(len(self.body))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            *allow,
        )


class Health:
    """Answers for one database.

    ``engine_or_url``: as ``validate_on_startup`` takes it; of an engine only the URL is used. ``config``:
    pyproject.toml or govern.toml; default: found from the working directory upwards. ``judges_backups``: whether a
    stale or unproven backup, where the manifest asks for backups or there are some on this machine, makes a database
    less than healthy; not where they are another machine's affair.

    Making one reads the configuration and nothing else: no connection is opened and no thread started before
    somebody asks. Raises ConfigurationError.
    """

    def __init__(
        self, engine_or_url: HasUrl | str, *, config: Path | str | None = None, judges_backups: bool = True
    ) -> None:
        url = make_absolute(url_of(engine_or_url))
        settings = load(config=Path(config) if config else None, url=url.text)
        self._begin(Examiner(settings, url, judges_backups=judges_backups))

    @classmethod
    def of(cls, examiner: Examiner) -> Health:
        """For who has read the configuration already."""
        health = cls.__new__(cls)
        health._begin(examiner)
        return health

    def _begin(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self._told: Mapping[str, tuple[str, ...]] = {}
        self._schema = SharedLook[Looked | Exception](self._caught(self._look_at_schema))
        self._database = SharedLook[Figures | Exception](self._caught(self._look_at_database))

    def answer(self, path: str, method: str = "GET") -> Answer:
        """Waits for two seconds at most."""
        if known := _answer_at_once(path, method):
            return known
        look = self._database if path == DATABASE else self._schema
        return _render(path, _result_of(look.result))

    async def answer_async(self, path: str, method: str = "GET") -> Answer:
        """The same; the event loop goes on meanwhile."""
        if known := _answer_at_once(path, method):
            return known
        look = self._database if path == DATABASE else self._schema
        try:
            seen: Any = await look.result_async()
        except (Hanging, RuntimeError) as error:
            seen = error
        return _render(path, seen)

    def close(self) -> None:
        """Waits a second for what is under way to end. Who asks later is answered all the same."""
        self._schema.close()
        self._database.close()

    def _look_at_schema(self) -> Looked:
        started = time.monotonic()
        condition = self._examiner.examine().condition
        self._tell("health_looked", condition.status, *(finding.message for finding in condition.findings))
        return Looked(condition=condition, seconds=time.monotonic() - started, at=time.time())

    def _look_at_database(self) -> Figures:
        return self._examiner.measure()

    def _caught(self, look: Callable[[], T]) -> Callable[[], T | Exception]:
        """The look, as one that returns what it would have raised: somebody waits for an answer."""

        def run() -> T | Exception:
            try:
                return look()
            except Exception as error:
                why = error.what if isinstance(error, GovernError) else f"{type(error).__name__}: {error}"
                self._tell("health_look_failed", "critical", why)
                return error

        return run

    def _tell(self, event: str, status: Status, *found: str) -> None:
        """In the log, where addresses and roles may be named; once, however often it is seen again."""
        if self._told.get(event) != (status, *found):
            is_good = status == "healthy" and not self._told
            self._told = {event: (status, *found)}
            tell = log.info if is_good else log.warning
            tell(event, status=status, found=found)


def _answer_at_once(path: str, method: str) -> Answer | None:
    """What needs no look."""
    if path not in PATHS:
        return _in_json(_NOT_FOUND, {"message": f"there is {', '.join(PATHS)}"})
    if method not in METHODS:
        return _in_json(_METHOD_NOT_ALLOWED, {"message": f"{' and '.join(METHODS)} only"})
    return _in_json(_OK, PONG) if path == PING else None


def _result_of(look: Callable[[], T]) -> T | Exception:
    try:
        return look()
    except (Hanging, RuntimeError) as error:  # RuntimeError: no thread can be started any more
        return error


def _render(path: str, seen: Looked | Figures | Exception) -> Answer:
    if isinstance(seen, Exception):
        return _render_failure(path, seen)
    if isinstance(seen, Figures):
        document = describe_figures(seen)
        return _in_json(_UNAVAILABLE if seen.missing_tables else _OK, document)
    if path == METRICS:
        return _in_metrics(seen)
    is_healthy = seen.condition.status == "healthy"
    return _in_json(_OK if is_healthy else _UNAVAILABLE, describe_condition(seen.condition))


def _render_failure(path: str, error: Exception) -> Answer:
    """Says nothing of what a server or a file may have said: that is in the log."""
    if isinstance(error, Hanging):
        message = f"the database has not answered for {name_seconds(error.seconds)}; next: govern doctor"
    else:
        message = "the database could not be looked at; next: govern health"
    condition = Condition(status="critical", message=message, exists=None, is_schema_valid=False)
    if path == METRICS:
        return _in_metrics(Looked(condition=condition))
    if path == DATABASE:
        return _in_json(_UNAVAILABLE, {"status": "critical", "message": message})
    return _in_json(_UNAVAILABLE, describe_condition(condition))


def _in_metrics(looked: Looked) -> Answer:
    try:
        from govern.web.metrics import MEDIA_TYPE, render_metrics
    except ToolMissing as error:
        return Answer(_NOT_IMPLEMENTED, _TEXT, f"{error.what}\n{error.next}\n".encode())
    return Answer(_OK, MEDIA_TYPE, render_metrics(looked))


def _in_json(status: int, document: Mapping[str, Any]) -> Answer:
    return Answer(status, _JSON, json.dumps(document, ensure_ascii=False).encode())
