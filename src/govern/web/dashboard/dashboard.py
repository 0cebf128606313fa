"""The page below ``/admin/database-health``: who is let in, and which part of it answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from govern.actions.notebook import MOST_EVENTS
from govern.core.monitoring import Event
from govern.core.wording import first_line, name_age, name_seconds
from govern.errors import GovernError, ToolMissing
from govern.log import Log
from govern.web.dashboard.backups import look_at_backups
from govern.web.dashboard.rendering import render
from govern.web.dashboard.routes import MENU, ROUTES
from govern.web.dashboard.session import AFTER_COOKIE, set_cookie
from govern.web.dashboard.visit import Entrance, Visit, Visitor
from govern.web.look import Hanging
from govern.web.monitor.api import MonitorApi
from govern.web.monitor.request import Content, Reply, Request, say
from govern.web.monitor.route import Route, choose_routes, find_route

log = Log(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HTML = "text/html; charset=utf-8"
_MOST_WRITERS = 4
_MOST_PLANNERS = 2
"""At the same time, both of them."""
_AWAY = "the database does not answer; nothing was changed"


class Dashboard:
    """Answers for the monitor of one database, as its API does, and lets the same people in.

    ``read_only``: there is nothing that changes anything; so it is where the API has no access, too. Opens nothing and
    starts no thread before somebody asks.
    """

    prefix = "/admin/database-health"

    def __init__(
        self,
        api: MonitorApi,
        *,
        read_only: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        access = api.door.access
        self.api = api
        self.now = now
        self.is_read_only = read_only or api.is_read_only
        self.entrance = Entrance(access, now)
        there = ROUTES if self.entrance.has_login else tuple(one for one in ROUTES if not one.is_of_session)
        self.routes = choose_routes(there, is_open=access is None, is_read_only=self.is_read_only)
        self.backups = look_at_backups(api.settings)
        self.planners = threading.BoundedSemaphore(_MOST_PLANNERS)
        self._writers = threading.BoundedSemaphore(_MOST_WRITERS)

    def answer(self, request: Request) -> Reply:
        """Waits for some seconds at most. Raises nothing."""
        try:
            return self._answer(request)
        except ToolMissing as error:
            content = Content(f"{error.what}\n{error.next}\n".encode(), "text/plain; charset=utf-8", POLICY)
            return Reply(501, content)

    def _answer(self, request: Request) -> Reply:
        nobody = Visit(request=request, visitor=Visitor())
        if refusal := self.api.door.find_foreign(request, allows_links=True):
            return self.refuse(nobody, refusal)
        found = find_route(self.routes, request)
        if isinstance(found, Reply):
            return self.refuse(nobody, found)
        route, values = found
        visitor = self.entrance.recognise(request)
        if visitor is None and not route.is_public:
            return self._refuse_stranger(nobody, route)
        visit = Visit(request=request, visitor=visitor or self.entrance.welcome(request), values=values)
        if request.method == "POST" and (refusal := self._refuse_form(visit, route)):
            log.warning("page_refused", path=request.path, status=refusal.status, client=request.client)
            return self.refuse(visit, refusal)
        return self._handle(route, visit)

    def read_events(self) -> tuple[Event, ...]:
        """All that are kept, the newest first. Raises CouldNotCheck."""
        return self.api.notebook.read_events(MOST_EVENTS)

    def close(self) -> None:
        """Waits a second for what is under way."""
        self.backups.close()

    def show(self, visit: Visit, template: str, *, status: int = 200, **facts: Any) -> Reply:
        """A page made of a template; with ``facts`` it gets what every page needs."""
        visitor, now = visit.visitor, self.now()
        document = render(
            template,
            {
                "base": visit.request.base,
                "path": visit.request.path,
                "menu": [(path, name) for path, name in MENU if self._is_there(path)],
                "actor": visitor.actor,
                "is_insider": visitor.is_insider,
                "is_logged_in": visitor.is_logged_in,
                "has_access": self.api.door.access is not None,
                "may_change": visitor.is_insider and not self.is_read_only,
                "token": self.entrance.make_token(visitor),
                "target": self.api.settings.target,
                "now": now,
                "seconds": name_seconds,
                "ago": lambda moment: name_age((now - moment).total_seconds()),
                **facts,
            },
        )
        return Reply(status, Content(document.encode(), _HTML, POLICY), visitor.cookies)

    def refuse(self, visit: Visit, refusal: Reply) -> Reply:
        """A refusal of the API's kind as a page."""
        document = refusal.document
        message = "" if isinstance(document, Content) else str(document.get("message", ""))
        page = self.show(visit, "refused.html", status=refusal.status, message=message, code=refusal.status)
        kept = tuple(pair for pair in refusal.more_headers if pair[0] != "www-authenticate")
        return Reply(page.status, page.document, (*page.more_headers, *kept))

    def redirect(self, visit: Visit, path: str, *headers: tuple[str, str]) -> Reply:
        """To another page of ours, with GET. ``path``: below our own prefix, and never as somebody sent it."""
        target = ("location", visit.request.base + path)
        return Reply(303, Content(b"", _HTML, POLICY), (target, *headers))

    def _is_there(self, path: str) -> bool:
        return any(route.method == "GET" and route.match(path) is not None for route in self.routes)

    def _refuse_stranger(self, visit: Visit, route: Route) -> Reply:
        """Shows the way in, where there is one here."""
        request = visit.request
        if not self.entrance.has_login or route.method != "GET":
            return self.refuse(visit, say(401, "who are you?"))
        if "hx-request" in request.headers:
            return Reply(401, Content(b"", _HTML, POLICY), (("hx-redirect", f"{request.base}/login"),))
        if request.headers.get("sec-fetch-site") == "cross-site":
            return self.show(visit, "onward.html")
        return self.redirect(visit, "/login", set_cookie(request, AFTER_COOKIE, request.path))

    def _refuse_form(self, visit: Visit, route: Route) -> Reply | None:
        if not self.entrance.is_their_form(visit.request, visit.visitor):
            return say(403, "this form was not made for you, or is out of date: load the page again")
        return self.api.door.refuse_change() if route.changes else None

    def _handle(self, route: Route, visit: Visit) -> Reply:
        if route.changes and not self._writers.acquire(blocking=False):
            return self.refuse(
                visit, say(503, "others are asking at this moment; try again", ("retry-after", "5"))
            )
        try:
            return route.handler(self, visit)
        except ToolMissing:
            raise
        except (GovernError, Hanging) as error:
            log.warning("page_could_not_answer", path=route.path, error=first_line(error))
        except Exception as error:  # what a driver says may have rows or addresses in it: only for the log
            log.warning("page_stumbled", path=route.path, error=f"{type(error).__name__}: {error}")
        finally:
            if route.changes:
                self.api.forget()
                self._writers.release()
        return self.refuse(visit, say(503, _AWAY))
