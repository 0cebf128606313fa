"""What Django needs, and the three lines that let it refuse a schema it was not written for."""

from __future__ import annotations

import os

from sqlalchemy import make_url

url = make_url(os.environ["DATABASE_URL"])

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "of an example that keeps no sessions")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{'postgresql' if url.get_backend_name() == 'postgresql' else 'sqlite3'}",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.host or url.query.get("host", ""),
        "PORT": url.port or url.query.get("port", ""),
    }
}

INSTALLED_APPS = ["govern.integrations.django"]  # manage.py check --database default, manage.py govern …
MIDDLEWARE = ["govern.integrations.django.middleware.SchemaGuard"]  # refuses to serve
GOVERN = {"DATABASE": "default", "WHEN_AHEAD": "allow"}
