"""The health URLs: ``path("", include("govern.integrations.django.urls"))``."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from govern.integrations.django.apps import GovernConfig
from govern.web.health import PATHS


def _view(name: str) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    def answer(_: HttpRequest) -> HttpResponse:
        found = cast("GovernConfig", apps.get_app_config("govern")).health.answer(name)
        return HttpResponse(found.body, status=found.status, headers=dict(found.headers))

    return answer


urlpatterns = [path(name.removeprefix("/"), _view(name)) for name in PATHS]
