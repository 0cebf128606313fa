"""Who looks at the monitor's page, as the Django project knows them."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest

from govern.integrations.django.setting import read_setting


def knows_people() -> bool:
    """Whether somebody can say who asks: the setting, or django.contrib.auth."""
    return read_setting().authenticate is not None or apps.is_installed("django.contrib.auth")


def name_visitor(request: HttpRequest) -> str | None:
    """As the setting's AUTHENTICATE says; without it superusers by their names."""
    authenticate = read_setting().authenticate
    return authenticate(request) if authenticate else _name_superuser(request)


def _name_superuser(request: HttpRequest) -> str | None:
    user: Any = getattr(request, "user", None)
    may = user is not None and user.is_authenticated and user.is_active and user.is_superuser
    return str(user.get_username()) if may else None
