"""One page, the health URLs, and the monitor's page for who knows GOVERN_MONITOR_TOKEN: this project has no users."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def count_users(_: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users")
        return JsonResponse({"users": cursor.fetchone()[0]})


urlpatterns = [
    path("", count_users),
    path("internal/", include("govern.integrations.django.dashboard")),  # /internal/admin/database-health
    path("", include("govern.integrations.django.urls")),
]
