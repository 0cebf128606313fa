"""The guard: Django builds its middleware where it is going to serve, and nowhere else.

That is under gunicorn, uvicorn and ``manage.py runserver``; not in ``migrate``, ``collectstatic`` or ``shell``, which
have to run on a database that is not right yet, or not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import MiddlewareNotUsed

from govern.integrations.django.serving import validate_before_serving


class SchemaGuard:
    """Validates when the server loads the application, and is in the way of no request."""

    sync_capable = True
    async_capable = True

    def __init__(self, _: Callable[[Any], Any]) -> None:
        validate_before_serving()
        raise MiddlewareNotUsed
