"""The OpenAPI document (https://spec.openapis.org/oas/v3.1.0), made from the routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from govern.version import __version__
from govern.web.monitor.request import PREFIX
from govern.web.monitor.route import Route

_ISSUE = {
    "type": "object",
    "required": ["key", "issue_type", "table", "column", "current_state", "expected_state"],
    "properties": {
        "key": {"type": "string", "description": "the same for the same problem in every look"},
        "rule": {"type": "string", "examples": ["drift.index-removed"]},
        "issue_type": {"type": "string", "examples": ["MISSING_INDEX"]},
        "severity": {"enum": ["info", "warning", "error", "critical"]},
        "table": {"type": ["string", "null"]},
        "column": {"type": ["string", "null"]},
        "current_state": {"type": "string"},
        "expected_state": {"type": "string"},
    },
}
_LIST = {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
_WHEN = {"type": ["string", "null"], "format": "date-time"}
_DOCUMENTS: dict[str, Any] = {
    "/status": {
        "type": "object",
        "required": ["status", "last_check", "total_fixes", "active_critical_issues", "next_check"],
        "properties": {
            "status": {"enum": ["running", "stopped", "absent"]},
            "last_check": _WHEN,
            "next_check": _WHEN,
            "total_fixes": {"type": "integer"},
            "active_critical_issues": {"type": "integer"},
            "health": {"enum": ["healthy", "degraded", "critical", "unknown"]},
            "breaker_open": {"type": "boolean"},
        },
    },
    "/issues": {
        "type": "object",
        "required": ["critical_issues", "warnings"],
        "properties": {"critical_issues": _LIST, "warnings": _LIST},
    },
}
_ANYTHING = {"type": "object"}
_REFUSALS = {
    "401": "nobody said who asks",
    "403": "asked from another origin, or by a foreign name of this server",
    "413": "the body is too large",
    "429": "asked too often",
    "503": "the database does not answer",
}


def describe_routes(routes: Iterable[Route], *, has_secret: bool) -> dict[str, Any]:
    """The routes that are there."""
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _describe(route, has_secret)
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}} if has_secret else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "govern monitor", "version": __version__},
        "paths": paths,
        "components": {"schemas": {"Issue": _ISSUE}, "securitySchemes": schemes},
    }


def _describe(route: Route, has_secret: bool) -> dict[str, Any]:
    name = route.handler.__name__
    done = "202" if name in ("check", "fix", "roll_back") else "200"
    content = {"application/json": {"schema": _DOCUMENTS.get(route.path, _ANYTHING)}}
    responses: dict[str, Any] = {done: {"description": route.summary, "content": content}}
    responses |= {status: {"description": why} for status, why in _REFUSALS.items()}
    if route.parameters:
        responses["404"] = {"description": "there is no such thing"}
    if route.changes:
        responses["409"] = {"description": "it cannot be done as things stand; the message says why"}
    return {
        "operationId": name,
        "summary": route.summary,
        "parameters": [
            {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}}
            for parameter in route.parameters
        ],
        "security": [{"bearer": []}] if has_secret else [],
        "responses": responses,
    }
