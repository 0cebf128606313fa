"""Logging in with the secret, and out again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from govern.log import Log
from govern.web.dashboard.session import AFTER_COOKIE, SESSION_COOKIE, set_cookie
from govern.web.dashboard.visit import Visit
from govern.web.monitor.access import TOKEN_VARIABLE
from govern.web.monitor.request import Reply, Request
from govern.web.monitor.route import find_route

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

log = Log(__name__)

_AT_ONCE = timedelta()


def show_login(dashboard: Dashboard, visit: Visit) -> Reply:
    """The form; who is in already goes on."""
    if visit.visitor.is_logged_in:
        return dashboard.redirect(visit, "/")
    return _ask(dashboard, visit, 200, "")


def log_in(dashboard: Dashboard, visit: Visit) -> Reply:
    """Lets in who knows the secret; who does not is counted."""
    form = visit.request.form
    cookie = dashboard.entrance.begin(visit.request, form.get("secret", "").strip(), form.get("name", ""))
    if cookie is None:
        refusal = dashboard.api.door.refuse_stranger()
        log.warning("page_login_failed", status=refusal.status, client=visit.request.client)
        wrong = "That is not the secret." if refusal.status == 401 else "Too many have failed: wait a minute."
        return _ask(dashboard, visit, refusal.status, wrong)
    log.info("page_logged_in", client=visit.request.client)
    forget = set_cookie(visit.request, AFTER_COOKIE, "", lasts=_AT_ONCE)
    return dashboard.redirect(visit, _find_wanted(dashboard, visit.request), cookie, forget)


def log_out(dashboard: Dashboard, visit: Visit) -> Reply:
    """Lets the browser forget who it was."""
    gone = set_cookie(visit.request, SESSION_COOKIE, "", lasts=_AT_ONCE)
    return dashboard.redirect(visit, "/login", gone)


def _ask(dashboard: Dashboard, visit: Visit, status: int, wrong: str) -> Reply:
    return dashboard.show(visit, "login.html", status=status, wrong=wrong, variable=TOKEN_VARIABLE)


def _find_wanted(dashboard: Dashboard, request: Request) -> str:
    """Where somebody was going when they had to log in: one of our own pages, or the first of them."""
    for path in request.cookies(AFTER_COOKIE):
        wanted = find_route(dashboard.routes, Request(method="GET", path=path))
        if not isinstance(wanted, Reply) and not wanted[0].is_public:
            return path
    return "/"
