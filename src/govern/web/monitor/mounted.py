"""What can be mounted: the monitor's API, its page, or both of them in one application."""

from __future__ import annotations

from typing import Protocol

from govern.web.monitor.request import Reply, Request, is_below


class Answering(Protocol):
    """Something that answers requests below its prefix."""

    @property
    def prefix(self) -> str:
        """Where it is, if nobody mounts it elsewhere: ``/api/database-health``."""

    def answer(self, request: Request) -> Reply:
        """Raises nothing."""


def choose(answering: tuple[Answering, ...], path: str) -> Answering | None:
    """Who answers: the only one whatever the path; of several the one whose prefix it is below."""
    if len(answering) == 1:
        return answering[0]
    return next((one for one in answering if is_below(path, one.prefix)), None)
