"""The URL of one of Django's ``DATABASES``. It has the password: never show it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connections
from django.utils.connection import ConnectionDoesNotExist
from psycopg.pq import Conninfo

from govern.errors import ConfigurationError

_HOST_NAME = re.compile(r"[\w.-]+")


def read_url(alias: str) -> str:
    """As Django itself would connect: in its tests that is the test database.

    Raises ConfigurationError for an alias there is not, and for a database that is neither PostgreSQL nor SQLite.
    """
    try:
        connection = connections[alias]
    except ConnectionDoesNotExist:
        raise ConfigurationError(
            f"there is no database {alias!r} in DATABASES",
            why="the setting GOVERN names it",
            next=f"name one of: {', '.join(connections)}",
        ) from None
    match connection.vendor:
        case "postgresql":
            return _postgresql_url(connection.settings_dict)
        case "sqlite":
            return f"sqlite:///{quote(str(Path(connection.settings_dict['NAME']).absolute()))}"
        case vendor:
            raise ConfigurationError(
                f"govern does not know databases of {vendor}",
                why=f"DATABASES[{alias!r}] has ENGINE {connection.settings_dict['ENGINE']!r}",
                next='name a PostgreSQL or SQLite database: GOVERN = {"DATABASE": …}',
            )


def _postgresql_url(given: Mapping[str, Any]) -> str:
    user, password = quote(given["USER"], safe=""), quote(given["PASSWORD"], safe="")
    credentials = (f"{user}:{password}@" if password else f"{user}@") if user else ""
    parameters = {
        name: value
        for name, value in given["OPTIONS"].items()
        if name in _libpq_keywords() and value is not None
    }
    host = given["HOST"]
    if host and not _HOST_NAME.fullmatch(host):  # a socket's folder, IPv6, several hosts
        parameters, host = {"host": host, **parameters}, ""
    if port := str(given["PORT"]):
        if host:
            host = f"{host}:{port}"
        else:
            parameters = {"port": port, **parameters}
    query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
    return f"postgresql://{credentials}{host}/{quote(given['NAME'] or '', safe='')}{query}"


def _libpq_keywords() -> frozenset[str]:
    """Django's OPTIONS have its own and psycopg's between them."""
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
