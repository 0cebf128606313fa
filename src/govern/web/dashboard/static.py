"""Style and scripts, kept by browsers for as long as they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.web.dashboard.rendering import static_files
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Content, Reply, say

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_POLICY = "default-src 'none'; frame-ancestors 'none'"
_FOR_EVER = "public, max-age=31536000, immutable"


def send_static(dashboard: Dashboard, visit: Visit) -> Reply:
    """A file by its name; asked for by its version it will never change."""
    file = static_files().get(visit.values["name"])
    if file is None:
        return dashboard.refuse(visit, say(404, "there is no such file"))
    is_this_version = visit.request.parameters.get("v") == file.version
    return Reply(
        200, Content(file.body, file.media_type, _POLICY, _FOR_EVER if is_this_version else "no-cache")
    )
