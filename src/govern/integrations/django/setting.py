"""The setting ``GOVERN``: ``{"DATABASE": "default", "ON_INVALID": "refuse", …}``; every key may be left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from govern.errors import ConfigurationError
from govern.integrations.options import DashboardOptions, HealthOptions, StartupOptions

_DATABASE, _JUDGES_BACKUPS = "DATABASE", "JUDGES_BACKUPS"
_STARTUP_KEYS = tuple(name.upper() for name in StartupOptions.__annotations__)
_AUTHENTICATE, _READ_ONLY, _ORIGINS = "AUTHENTICATE", "READ_ONLY", "ORIGINS"
_KEYS = (_DATABASE, *_STARTUP_KEYS, _JUDGES_BACKUPS, _AUTHENTICATE, _READ_ONLY, _ORIGINS)

Authenticate = Callable[[HttpRequest], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is validated, and how."""

    database: str
    """The alias in ``DATABASES``."""
    startup: StartupOptions
    health: HealthOptions
    dashboard: DashboardOptions
    authenticate: Authenticate | None
    """Who may see the monitor's page; None: superusers."""


def read_setting() -> Setting:
    """Raises ConfigurationError for a key there is not."""
    given: dict[str, Any] = getattr(settings, "GOVERN", {})
    if unknown := given.keys() - set(_KEYS):
        raise ConfigurationError(
            f"the setting GOVERN has no key {', '.join(sorted(map(repr, unknown)))}",
            next=f"correct it in the settings module; there are: {', '.join(_KEYS)}",
        )
    startup = {name.lower(): value for name, value in given.items() if name in _STARTUP_KEYS}
    return Setting(
        database=given.get(_DATABASE, "default"),
        startup=cast("StartupOptions", startup),
        health={"config": given.get("CONFIG"), "judges_backups": given.get(_JUDGES_BACKUPS, True)},
        dashboard={
            "config": given.get("CONFIG"),
            "read_only": given.get(_READ_ONLY, False),
            "origins": given.get(_ORIGINS, ()),
        },
        authenticate=_find(given.get(_AUTHENTICATE)),
    )


def _find(authenticate: Authenticate | str | None) -> Authenticate | None:
    if not isinstance(authenticate, str):
        return authenticate
    try:
        return cast("Authenticate", import_string(authenticate))
    except ImportError as error:
        raise ConfigurationError(
            f"the setting GOVERN names {authenticate!r}, which cannot be imported",
            why=str(error),
            next="correct AUTHENTICATE in the settings module",
        ) from error
