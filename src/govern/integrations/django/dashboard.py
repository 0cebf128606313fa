"""The monitor's page and API: ``path("internal/", include("govern.integrations.django.dashboard"))``.

The page is at ``admin/database-health`` below that, the API at ``api/database-health``. Superusers may see it, or whom
``GOVERN = {"AUTHENTICATE": "shop.people.name_admin"}`` names: a function of the request that returns a name or None.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from govern.integrations.django.apps import GovernConfig
from govern.integrations.django.people import name_visitor
from govern.web.monitor.request import LONGEST_BODY, measure


@csrf_exempt  # forms of the page carry a token of their own, and where they come from is looked at
def answer(request: HttpRequest, below: str) -> HttpResponse:
    """Whatever is asked for below the place where this module is included."""
    monitor = cast("GovernConfig", apps.get_app_config("govern")).monitor
    reply = monitor.answer(f"/{below}", actor=name_visitor(request), **_read_request(request, below))
    response = HttpResponse(reply.body, status=reply.status)
    for name, value in reply.headers:
        if name == "set-cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    return response


def _read_request(request: HttpRequest, below: str) -> dict[str, Any]:
    """As Django and its settings about proxies understand it."""
    size = measure(request.META.get("CONTENT_LENGTH") or "0")
    if size is None or "Transfer-Encoding" in request.headers:
        size = LONGEST_BODY + 1
    return {
        "root": request.path.removesuffix(f"/{below}"),
        "method": request.method or "",
        "query": request.META.get("QUERY_STRING", ""),
        "headers": {name.lower(): value for name, value in request.headers.items()}
        | {"host": request.get_host()},
        "body": _read_body(request) if 0 < size <= LONGEST_BODY else b"",
        "body_bytes": size,
        "is_encrypted": request.is_secure(),
        "client": request.META.get("REMOTE_ADDR", ""),
    }


def _read_body(request: HttpRequest) -> bytes:
    """Again as it was where a middleware has read it as a form."""
    try:
        return request.body
    except RawPostDataException:
        return urlencode(
            [(name, value) for name, values in request.POST.lists() for value in values]
        ).encode()


urlpatterns = [re_path(r"^(?P<below>(?:admin|api)/database-health(?:/.*)?)$", answer)]
