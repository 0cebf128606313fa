"""Applications of each framework that have the monitor's page mounted, and clients that ask them in this process."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.integrations.options import DashboardOptions

PREFIX = "/internal"
PAGE = f"{PREFIX}/admin/database-health"
API = f"{PREFIX}/api/database-health"
USER = "x-user"
"""The header in which these applications are told who asks; a real one has sessions."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def token(self) -> str:
        """Of its first form."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.text)
        assert found, "there is no form with a token"
        return found[1]


Ask = Callable[..., Answer]
"""Called with method, path, headers and a form's fields; keeps cookies."""


def sync_name(request: Any) -> str | None:
    name: str | None = request.headers.get(USER)
    return name


async def async_name(request: Any) -> str | None:
    return sync_name(request)


def names_something_else(_: Any) -> Any:
    return {"name": "ada"}


def refuses(request: Any) -> str | None:
    """As an application does that sends people elsewhere."""
    if type(request).__module__.startswith("starlette"):
        from starlette.exceptions import HTTPException

        raise HTTPException(418)
    from flask import abort

    abort(418)


Authenticate = Callable[[Any], str | Awaitable[str | None] | None]


@contextmanager
def starlette(url: str, authenticate: Authenticate | None, options: DashboardOptions) -> Iterator[Ask]:
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.testclient import TestClient

    from govern.integrations.starlette import dashboard

    app = Starlette(routes=[Mount(PREFIX, dashboard(url, authenticate=authenticate, **options))])
    with TestClient(app) as client:
        yield _ask_httpx(client)


@contextmanager
def fastapi(url: str, authenticate: Authenticate | None, options: DashboardOptions) -> Iterator[Ask]:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from govern.integrations.fastapi import dashboard

    app = FastAPI()
    app.mount(PREFIX, dashboard(url, authenticate=authenticate, **options))
    with TestClient(app) as client:
        yield _ask_httpx(client)


@contextmanager
def litestar(url: str, authenticate: Authenticate | None, options: DashboardOptions) -> Iterator[Ask]:
    """With its own protection of forms, which must not be in the way."""
    from litestar import Litestar
    from litestar.config.csrf import CSRFConfig
    from litestar.testing import TestClient

    from govern.integrations.litestar import dashboard

    route = dashboard(url, path=PREFIX, authenticate=authenticate, **options)
    with TestClient(Litestar([route], csrf_config=CSRFConfig(secret="of the application"))) as client:
        yield _ask_httpx(client)


@contextmanager
def flask(url: str, authenticate: Authenticate | None, options: DashboardOptions) -> Iterator[Ask]:
    """With a hook that reads every form, as extensions do that protect them."""
    from flask import Flask, request

    from govern.integrations.flask import dashboard

    app = Flask(__name__)
    app.secret_key = "of the application"

    @app.before_request
    def read_form() -> None:
        request.form.get("csrf_token")

    dashboard(app, url, prefix=PREFIX, authenticate=authenticate, **options)  # type: ignore[arg-type]
    client = app.test_client()

    def ask(method: str, path: str, headers: Mapping[str, str] | None = None, form: Any = None) -> Answer:
        found = client.open(path, method=method, headers=dict(headers or {}), data=form)
        with found:
            return Answer(found.status_code, _lower(found.headers), found.get_data(as_text=True))

    yield ask


def _ask_httpx(client: Any) -> Ask:
    def ask(method: str, path: str, headers: Mapping[str, str] | None = None, form: Any = None) -> Answer:
        found = client.request(method, path, headers=headers, data=form, follow_redirects=False)
        return Answer(found.status_code, _lower(found.headers), found.text)

    return ask


@contextmanager
def django(folder: Path, **setting: Any) -> Iterator[Any]:
    """Django's client, with its own protection of forms; the superuser ada may log in."""
    _configure(folder)
    from django.apps import apps
    from django.test import Client, override_settings

    with override_settings(GOVERN={"CONFIG": str(folder / "govern.toml"), **setting}):
        apps.get_app_config("govern").__dict__.pop("monitor", None)
        yield Client(enforce_csrf_checks=True)
        apps.get_app_config("govern").__dict__.pop("monitor", None)


@contextmanager
def without_people(folder: Path) -> Iterator[None]:
    """A Django project that has no users at all."""
    _configure(folder)
    from django.test import override_settings

    with override_settings(INSTALLED_APPS=["govern.integrations.django"], MIDDLEWARE=[]):
        yield


def ask_django(client: Any) -> Ask:
    def ask(method: str, path: str, headers: Mapping[str, str] | None = None, form: Any = None) -> Answer:
        from urllib.parse import urlencode

        kind = "application/x-www-form-urlencoded"
        found = client.generic(method, path, urlencode(form or {}), content_type=kind, headers=headers)
        return Answer(found.status_code, _lower(found.headers), found.content.decode())

    return ask


def _configure(folder: Path) -> None:
    """Once for the process: Django has one configuration."""
    import django as framework
    from django.conf import settings
    from django.core.management import call_command

    if settings.configured:
        return
    apps = ("govern.integrations.django", *(f"django.contrib.{name}" for name in _CONTRIB))
    settings.configure(
        SECRET_KEY="of the project",
        ALLOWED_HOSTS=["testserver", "ops.example"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "app.sqlite")},
        },
        INSTALLED_APPS=apps,
        MIDDLEWARE=_MIDDLEWARE,
        ROOT_URLCONF="tests.unit.integrations.urls",
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    framework.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    User.objects.create_superuser("ada")
    User.objects.create_user("bob")


_CONTRIB = ("auth", "contenttypes", "sessions")
_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
