"""The setting ``GOVERN``: ``{"DATABASE": "default", "ON_INVALID": "refuse", …}``; every key may be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings

from govern.errors import ConfigurationError
from govern.integrations.options import HealthOptions, StartupOptions

_DATABASE, _JUDGES_BACKUPS = "DATABASE", "JUDGES_BACKUPS"
_STARTUP_KEYS = tuple(name.upper() for name in StartupOptions.__annotations__)
_KEYS = (_DATABASE, *_STARTUP_KEYS, _JUDGES_BACKUPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is validated, and how."""

    database: str
    """The alias in ``DATABASES``."""
    startup: StartupOptions
    health: HealthOptions


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
    )
