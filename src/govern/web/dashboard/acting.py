"""What people have the monitor do from the page. The API's endpoint of the same name decides whether it can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Content, Reply
from govern.web.monitor.route import Call

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_GOOD = 300
"""Statuses below it: it was done, or will be."""


def check(dashboard: Dashboard, visit: Visit) -> Reply:
    """Has the monitor look now."""
    return _go_home(dashboard, visit, dashboard.api.check(call_of(visit)))


def start(dashboard: Dashboard, visit: Visit) -> Reply:
    """Lets the monitor work again."""
    return _go_home(dashboard, visit, dashboard.api.start(call_of(visit)))


def stop(dashboard: Dashboard, visit: Visit) -> Reply:
    """Lets the monitor wait."""
    return _go_home(dashboard, visit, dashboard.api.stop(call_of(visit)))


def call_of(visit: Visit) -> Call:
    """The same for the API."""
    return Call(request=visit.request, actor=visit.actor, values=visit.values)


def follow_request(dashboard: Dashboard, visit: Visit, reply: Reply) -> Reply:
    """To the page that tells how far it has come; or why it is not done."""
    if reply.status >= _GOOD or isinstance(reply.document, Content):
        return dashboard.refuse(visit, reply)
    return dashboard.redirect(visit, f"/history/{reply.document['id']}")


def _go_home(dashboard: Dashboard, visit: Visit, reply: Reply) -> Reply:
    return dashboard.refuse(visit, reply) if reply.status >= _GOOD else dashboard.redirect(visit, "/")
