"""http.md: every path that is answered over HTTP, from the tables that the answering programs are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rule_pages import NOTICE

from govern.web import health
from govern.web.dashboard import Dashboard
from govern.web.dashboard.routes import ROUTES as PAGE_ROUTES
from govern.web.monitor.api import ROUTES as API_ROUTES
from govern.web.monitor.openapi import describe_routes
from govern.web.monitor.request import PREFIX
from govern.web.monitor.route import Route

_HEALTH: Mapping[str, tuple[str, str]] = {
    health.HEALTH: (
        "the database is healthy",
        "it is degraded or critical, or has not answered in two seconds",
    ),
    health.PING: ("always: this process answers; no database is touched", ""),
    health.DATABASE: ("it answers, and every critical table is there", "else"),
    health.METRICS: ("always; what cannot be known is left out. 501 without `govern[web]`", ""),
}
"""When each answers 200, and when 503."""


def render_http(_current: str) -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# HTTP", "", NOTICE, "")
    yield "What [`govern serve`](cli.md#govern-serve) answers, and what an application answers that mounts it: there"
    yield "the paths begin with where it is [mounted](frameworks.md). Nothing may be cached on the way. A path that is"
    yield "not here is 404, a wrong method 405; a HEAD is answered as the GET, without its body."
    yield from ("", "## Health", "")
    yield "Everybody who can reach the server may ask, by GET or HEAD. [Health](health.md#health) has the documents."
    yield from ("", "| path | 200 | 503 |", "|---|---|---|")
    yield from (f"| `GET {path}` | {well} | {ill} |" for path, (well, ill) in _told_health())
    yield from ("", "## The monitor's API", "")
    yield f"Below `{PREFIX}`, in JSON. The secret is that of `GOVERN_MONITOR_TOKEN`, sent as `Authorization:"
    yield "Bearer …`; an application with users of its own [says who asks](frameworks.md#dashboard) instead. Without a"
    yield "secret messages and statements are left out. With `--read-only` what changes something is not there. What"
    yield "the monitor is to do is answered 202 with the request's id, before it is done."
    yield from ("", *_table(API_ROUTES, PREFIX))
    yield from ("", *_refusals())
    document = describe_routes(API_ROUTES, has_secret=True)
    yield from ("", "### The status", "", *_fields(_answer_to(document, "/status")))
    yield from ("", "### An issue", "")
    yield "`issues` answers `critical_issues` and `warnings`, two lists of these."
    yield from ("", *_fields(document["components"]["schemas"]["Issue"]))
    yield from ("", "## The monitor's page", "")
    yield f"Below `{Dashboard.prefix}`, in HTML, for [people](dashboard.md). Who is not logged in is sent to `login`."
    yield from ("", *_table(PAGE_ROUTES, Dashboard.prefix))


def _told_health() -> Iterator[tuple[str, tuple[str, str]]]:
    if set(health.PATHS) != _HEALTH.keys():
        raise SystemExit(f"docs/http_page.py: paths of health {set(health.PATHS) ^ _HEALTH.keys()}")
    yield from _HEALTH.items()


def _table(routes: Iterable[Route], prefix: str) -> Iterator[str]:
    yield "| request | what it does | who may, without a secret | with a secret |"
    yield "|---|---|---|---|"
    for route in routes:
        path = (prefix + route.path).rstrip("/")
        opened = "everybody" if route.is_open else "nobody"
        closed = "everybody" if route.is_public else "who knows it"
        yield f"| `{route.method} {path}` | {route.summary} | {opened} | {closed} |"


def _refusals() -> Iterator[str]:
    """Why a request is not answered: the same for all of them, but for what asks for something to be done."""
    responses: dict[str, str] = {}
    for path in describe_routes(API_ROUTES, has_secret=True)["paths"].values():
        for operation in path.values():
            responses |= {status: said["description"] for status, said in operation["responses"].items()}
    yield "| answered | when |"
    yield "|---|---|"
    yield from (f"| {status} | {why} |" for status, why in sorted(responses.items()) if status >= "400")


def _answer_to(document: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = document["paths"][PREFIX + path]["get"]["responses"]["200"]
    schema: Mapping[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | always there |"
    yield "|---|---|---|"
    for name, value in schema["properties"].items():
        always = "yes" if name in schema["required"] else ""
        yield f"| `{name}` | {_name_value(value)} | {always} |"


def _name_value(value: Mapping[str, Any]) -> str:
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    kinds = [value["type"]] if isinstance(value["type"], str) else value["type"]
    words = "moment, as `2026-01-31T12:00:00.000Z`" if value.get("format") == "date-time" else kinds[0]
    words += ", or `null`" if "null" in kinds else ""
    return f"{words}: {value['description']}" if "description" in value else words
