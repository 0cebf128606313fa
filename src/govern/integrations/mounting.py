"""The monitor's page and API inside an application, which knows who asks; what all frameworks have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from govern.config import find_secret
from govern.startup import HasUrl
from govern.web.dashboard import Dashboard
from govern.web.monitor import Access, MonitorApi, bearer
from govern.web.monitor.access import TOKEN_VARIABLE, Secret
from govern.web.monitor.mounted import choose
from govern.web.monitor.request import Reply, Request, say

_actor: ContextVar[str | None] = ContextVar("govern_actor", default=None)
"""Who asks at the moment, as the application has said."""
_LONGEST_NAME = 100


class MountedMonitor:
    """The page and the API of one database's monitor, for the people whom the application knows.

    Without ``has_users`` those are let in who know the secret of GOVERN_MONITOR_TOKEN; without that, too, everybody
    sees how things stand, and nobody can change anything. Raises ConfigurationError; asks no database.
    """

    def __init__(
        self,
        engine_or_url: HasUrl | str,
        *,
        has_users: bool,
        config: Path | str | None = None,
        read_only: bool = False,
        origins: Iterable[str] = (),
        secret: str | None = None,
    ) -> None:
        signing = Secret(secret) if secret else None
        self.api = MonitorApi.for_engine(
            engine_or_url,
            config=config,
            access=Access(lambda _: _actor.get(), secret=signing) if has_users else _by_secret(),
            origins=frozenset(origin.lower().rstrip("/") for origin in origins),
            read_only=read_only,
        )
        self.page = Dashboard(self.api)

    def answer(self, path: str, *, actor: str | None, **facts: Any) -> Reply:
        """``path``: below where this is mounted. ``facts``: the others of ``Request.below``. Raises nothing."""
        one = choose((self.api, self.page), path)
        if one is None:
            return say(404, "there is nothing at this path")
        with acting(actor):
            return one.answer(Request.below(path, prefix=one.prefix, **facts))


@contextmanager
def acting(name: object) -> Iterator[None]:
    """Who asks, for as long as the block lasts, on this thread or in this task, and on threads that it starts.

    ``name``: what the application's callable returned. Raises TypeError for anything but a name or None.
    """
    before = _actor.set(_read_name(name))
    try:
        yield
    finally:
        _actor.reset(before)


def _read_name(name: object) -> str | None:
    if name is not None and not isinstance(name, str):
        message = f"authenticate returns the name of who asks, or None, and not a {type(name).__name__}"
        raise TypeError(message)
    said = "".join(character for character in name or "" if character.isprintable()).strip()
    return said[:_LONGEST_NAME] or None


def _by_secret() -> Access | None:
    token = find_secret(TOKEN_VARIABLE)
    return bearer(token) if token else None
