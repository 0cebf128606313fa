"""The application as Django registers it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from govern.integrations.django.checks import check_guard, check_schema
from govern.integrations.django.database import read_url
from govern.integrations.django.people import knows_people
from govern.integrations.django.setting import read_setting
from govern.integrations.options import DashboardOptions
from govern.web.health import Health

if TYPE_CHECKING:
    from govern.integrations.mounting import MountedMonitor


class GovernConfig(AppConfig):
    """Registers the system checks. Validates nothing itself: every command of manage.py comes by here."""

    name = "govern.integrations.django"
    label = "govern"
    verbose_name = "govern"

    def ready(self) -> None:
        checks.register(check_guard, "govern")
        checks.register(check_schema, "govern", checks.Tags.database)

    @cached_property
    def health(self) -> Health:
        """One for the process, made by the first request."""
        setting = read_setting()
        return Health(read_url(setting.database), **setting.health)

    @cached_property
    def monitor(self) -> MountedMonitor:
        """The page's and the API's, made by the first request for one of them."""
        from govern.integrations.mounting import MountedMonitor  # with all of the page, which few mount

        setting = read_setting()
        options: DashboardOptions = {**setting.dashboard, "secret": settings.SECRET_KEY}
        return MountedMonitor(read_url(setting.database), has_users=knows_people(), **options)
