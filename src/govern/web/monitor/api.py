"""The endpoints below ``/api/database-health``: one table, from which the router, the tests and OpenAPI are made."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from govern.actions.notebook import Notebook
from govern.config import Settings, load
from govern.core.fixing import refuse_fix
from govern.core.monitoring import Event, refuse_rollback
from govern.core.wording import first_line
from govern.database.target import make_absolute
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, GovernError
from govern.log import Log
from govern.monitor.standing import (
    MonitorStanding,
    describe_event,
    describe_issues,
    describe_standing,
    read_standing,
)
from govern.startup import HasUrl, url_of
from govern.web.look import Hanging, SharedLook
from govern.web.monitor.access import Access, Door
from govern.web.monitor.request import PREFIX, Reply, Request, say
from govern.web.monitor.route import Call, Route, choose_routes, find_route

log = Log(__name__)

_EVENTS = 200
_MOST_WRITERS = 4
"""At the same time: who comes then is told to come again."""
_ABSENT = "no monitor is there; next: govern monitor run"
_UNREADABLE = "the database cannot be asked about its monitor; next: govern monitor status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look at the record has shown."""

    standing: MonitorStanding
    events: tuple[Event, ...]


class MonitorApi:
    """Answers for the monitor of one database. Opens nothing and starts no thread before somebody asks.

    ``access``: how to know who asks, ``bearer(…)`` or the host application's own; without one, and where it is
    ``read_only``, nothing can be changed, and the routes that would are not there. ``hosts``, ``origins``: see
    ``Door``.
    """

    prefix = PREFIX

    def __init__(
        self,
        settings: Settings,
        url: DatabaseUrl,
        *,
        access: Access | None = None,
        hosts: frozenset[str] | None = None,
        origins: frozenset[str] = frozenset(),
        read_only: bool = False,
    ) -> None:
        self.settings = settings
        self.url = url
        self.notebook = Notebook(settings, url)
        self.door = Door(access, hosts=hosts, origins=origins)
        self.is_read_only = read_only or access is None
        self._told = ""
        self._look = SharedLook[Seen | GovernError](self._read)
        self._writers = threading.BoundedSemaphore(_MOST_WRITERS)
        self.routes = choose_routes(ROUTES, is_open=access is None, is_read_only=read_only)

    @classmethod
    def for_engine(
        cls,
        engine_or_url: HasUrl | str,
        *,
        config: Path | str | None = None,
        access: Access | None = None,
        hosts: frozenset[str] | None = None,
        origins: frozenset[str] = frozenset(),
        read_only: bool = False,
    ) -> MonitorApi:
        """For an application that has an engine; see ``govern.web.health.Health``. Raises ConfigurationError."""
        url = make_absolute(url_of(engine_or_url))
        settings = load(config=Path(config) if config else None, url=url.text)
        return cls(settings, url, access=access, hosts=hosts, origins=origins, read_only=read_only)

    def answer(self, request: Request) -> Reply:
        """Waits for some seconds at most. Raises nothing."""
        if refusal := self.door.find_foreign(request):
            return refusal
        found = find_route(self.routes, request)
        if isinstance(found, Reply):
            return found
        route, values = found
        actor = ""
        if self.door.access is not None:
            identified = self.door.identify(request, changes=route.changes)
            if isinstance(identified, Reply):
                log.warning("api_refused", path=request.path, status=identified.status, client=request.client)
                return identified
            actor = identified
        return self._handle(route, Call(request=request, actor=actor, values=values))

    def close(self) -> None:
        """Waits a second for what is under way."""
        self._look.close()

    def _handle(self, route: Route, call: Call) -> Reply:
        if route.changes and not self._writers.acquire(blocking=False):
            return say(503, "others are asking at this moment; try again", ("retry-after", "5"))
        try:
            return route.handler(self, call)
        except (GovernError, Hanging) as error:
            log.warning("api_could_not_answer", path=route.path, error=first_line(error))
            return say(503, _UNREADABLE)
        except Exception as error:  # what a driver says may have rows or addresses in it: only for the log
            log.warning("api_stumbled", path=route.path, error=f"{type(error).__name__}: {error}")
            return say(503, _UNREADABLE)
        finally:
            if route.changes:
                self._look.forget()
                self._writers.release()

    def _read(self) -> Seen | GovernError:
        """As one that returns what it would have raised: several wait for it. What that is, is logged once."""
        try:
            seen = Seen(
                standing=read_standing(self.notebook, self.url), events=self.notebook.read_events(_EVENTS)
            )
        except GovernError as error:
            return self._tell(error)
        except Exception as error:
            return self._tell(CouldNotCheck(f"{type(error).__name__}: {error}"))
        self._told = ""
        return seen

    def _tell(self, error: GovernError) -> GovernError:
        if self._told != first_line(error):
            self._told = first_line(error)
            log.warning("monitor_record_unread", error=self._told)
        return error

    def seen(self) -> Seen:
        """At most a second old. Raises GovernError and Hanging."""
        seen = self._look.result()
        if isinstance(seen, GovernError):
            raise seen
        return seen

    def forget(self) -> None:
        """Something was changed: what was seen before is not shown any more."""
        self._look.forget()

    def show_status(self, _call: Call) -> Reply:
        document = describe_standing(self.seen().standing)
        if self.door.access is None:
            document = {name: value for name, value in document.items() if name not in _FOR_INSIDERS}
        return Reply(200, document)

    def show_issues(self, _call: Call) -> Reply:
        notes = self.seen().standing.notes
        return Reply(200, describe_issues(notes, with_evidence=self.door.access is not None))

    def show_history(self, _call: Call) -> Reply:
        return Reply(200, {"events": [dict(describe_event(event)) for event in self.seen().events]})

    def show_openapi(self, _call: Call) -> Reply:
        from govern.web.monitor.openapi import describe_routes

        return Reply(200, describe_routes(self.routes, has_secret=self.door.access is not None))

    def start(self, call: Call) -> Reply:
        self.notebook.want("running", call.actor)
        return self._tell_wanted("running")

    def stop(self, call: Call) -> Reply:
        self.notebook.want("stopped", call.actor)
        return self._tell_wanted("stopped")

    def check(self, call: Call) -> Reply:
        if refusal := self._refuse_request():
            return refusal
        request = self.notebook.ask("check", call.actor)
        return Reply(
            202, {"status": "accepted", "id": request.id, "message": "the monitor looks in a moment"}
        )

    def fix(self, call: Call) -> Reply:
        issue = read_standing(self.notebook, self.url).notes.issues.get(call.values["key"])
        if issue is None:
            return say(404, "there is no such issue")
        if why := refuse_fix(issue):
            return say(409, why)
        if refusal := self._refuse_request():
            return refusal
        request = self.notebook.ask("fix", call.actor, issue=issue)
        return Reply(
            202,
            {
                "status": "accepted",
                "id": request.id,
                "message": "the monitor takes a backup and fixes it; history says how it ended",
            },
        )

    def roll_back(self, call: Call) -> Reply:
        """Asks the monitor to: what is in the way is written into the history, and nothing is changed then."""
        events = self.notebook.read_events()
        event = next((event for event in events if event.id == call.values["id"]), None)
        if event is None:
            return say(404, "there is no such event")
        if why := refuse_rollback(event, events):
            return say(409, why)
        if refusal := self._refuse_request():
            return refusal
        request = self.notebook.ask("rollback", call.actor, run=event.run)
        return Reply(
            202,
            {
                "status": "accepted",
                "id": request.id,
                "message": "the monitor takes a backup and rolls it back; history says how it ended",
            },
        )

    def _refuse_request(self) -> Reply | None:
        """Why nobody would do what is asked."""
        standing = read_standing(self.notebook, self.url)
        if standing.status == "absent":
            return say(409, _ABSENT)
        return say(409, "the monitor is stopped; next: POST start") if standing.status == "stopped" else None

    def _tell_wanted(self, state: str) -> Reply:
        is_alive = read_standing(self.notebook, self.url).is_alive
        return Reply(200, {"status": state if is_alive else "absent", "message": "" if is_alive else _ABSENT})


_FOR_INSIDERS = ("instance", "wanted", "trouble", "checks")
"""Names of machines and people, and what servers said."""

ROUTES = (
    Route(
        method="GET",
        path="/status",
        summary="Whether the monitor works, when it looked, and how much it found",
        handler=MonitorApi.show_status,
        is_open=True,
    ),
    Route(
        method="GET",
        path="/issues",
        summary="What is wrong at the moment",
        handler=MonitorApi.show_issues,
        is_open=True,
    ),
    Route(
        method="GET",
        path="/openapi.json",
        summary="This description",
        handler=MonitorApi.show_openapi,
        is_open=True,
    ),
    Route(
        method="GET",
        path="/history",
        summary="What was asked for and done, the newest first",
        handler=MonitorApi.show_history,
    ),
    Route(
        method="POST",
        path="/start",
        summary="Let the monitor work again, also after its fixes have failed",
        handler=MonitorApi.start,
    ),
    Route(
        method="POST",
        path="/stop",
        summary="Let the monitor wait until it is started",
        handler=MonitorApi.stop,
    ),
    Route(method="POST", path="/check", summary="Look now", handler=MonitorApi.check),
    Route(
        method="POST",
        path="/issues/{key}/fix",
        summary="Fix one issue, after a backup, where its repair loses nothing",
        handler=MonitorApi.fix,
    ),
    Route(
        method="POST",
        path="/history/{id}/rollback",
        summary="Take back what was fixed",
        handler=MonitorApi.roll_back,
    ),
)
