"""The page's endpoints: one table, from which the router, the menu and the tests are made."""

from __future__ import annotations

from govern.web.dashboard.acting import check, start, stop
from govern.web.dashboard.backups import show_backups
from govern.web.dashboard.deciding import ask_fix, ask_rollback, fix, roll_back
from govern.web.dashboard.drift import show_drift
from govern.web.dashboard.entrance import log_in, log_out, show_login
from govern.web.dashboard.history import show_event, show_history
from govern.web.dashboard.issues import show_issue
from govern.web.dashboard.overview import show_overview
from govern.web.dashboard.schema import show_schema
from govern.web.dashboard.static import send_static
from govern.web.monitor.route import Route

MENU = (
    ("/", "Overview"),
    ("/history", "History"),
    ("/schema", "Schema"),
    ("/drift", "Drift"),
    ("/backups", "Backups"),
)
"""The pages that the head of each of them leads to, where they are there."""

ROUTES = (
    Route(method="GET", path="/", summary="How things stand", handler=show_overview, is_open=True),
    Route(
        method="GET",
        path="/issues/{key}",
        summary="All that is known of an issue",
        handler=show_issue,
        is_open=True,
    ),
    Route(
        method="GET",
        path="/issues/{key}/fix",
        summary="What a fix would do",
        handler=ask_fix,
        leads_to_change=True,
    ),
    Route(method="POST", path="/issues/{key}/fix", summary="Fix an issue", handler=fix),
    Route(method="POST", path="/check", summary="Look now", handler=check),
    Route(method="POST", path="/start", summary="Let the monitor work again", handler=start),
    Route(method="POST", path="/stop", summary="Let the monitor wait", handler=stop),
    Route(method="GET", path="/history", summary="What was asked for and done", handler=show_history),
    Route(
        method="GET", path="/history/{id}", summary="One event, and how far it has come", handler=show_event
    ),
    Route(
        method="GET",
        path="/history/{id}/rollback",
        summary="What a rollback would do",
        handler=ask_rollback,
        leads_to_change=True,
    ),
    Route(method="POST", path="/history/{id}/rollback", summary="Take back a fix", handler=roll_back),
    Route(
        method="GET",
        path="/login",
        summary="Ask who somebody is",
        handler=show_login,
        is_public=True,
        is_of_session=True,
    ),
    Route(
        method="POST",
        path="/login",
        summary="Let in who knows the secret",
        handler=log_in,
        is_public=True,
        is_of_session=True,
    ),
    Route(method="POST", path="/logout", summary="Let out", handler=log_out, is_of_session=True),
    Route(method="GET", path="/schema", summary="The schema as a picture", handler=show_schema, is_open=True),
    Route(
        method="GET",
        path="/drift",
        summary="What is declared beside what is there",
        handler=show_drift,
        is_open=True,
    ),
    Route(method="GET", path="/backups", summary="The last backups", handler=show_backups, is_open=True),
    Route(
        method="GET",
        path="/static/{name}",
        summary="What pages need",
        handler=send_static,
        is_open=True,
        is_public=True,
    ),
)
