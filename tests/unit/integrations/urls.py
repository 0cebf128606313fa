"""The URLs of a Django project that has the monitor's page."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("internal/", include("govern.integrations.django.dashboard"))]
