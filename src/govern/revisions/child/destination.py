"""Which database env.py means by itself, were it not sent elsewhere: told without a password."""

from __future__ import annotations

import os
from typing import Any

from .drivers import absolute_file

_PLACE = ("username", "password", "host", "port")


def find_destination(
    config: Any, options: dict[str, Any], *, ours: str | None, refused: str | None = None
) -> dict[str, Any] | None:
    """The place that env.py means, and the environment variable that has its URL; None: it means none of its own.

    ``ours`` is the ``sqlalchemy.url`` that it found: as long as it is that, env.py has none of its own. It is
    looked for where env.py leaves it: in ``context.configure`` offline, or in the configuration; last of all it is
    ``refused``, the SQLite file that it was about to open in the place of another engine's database.
    """
    for given in (options.get("url"), config.get_main_option("sqlalchemy.url")):
        url = _read_url(given)
        if url is not None and url != _read_url(ours) and _name_database(url):
            return _describe(url)
    return _describe(_read_url(f"sqlite:///{refused}")) if refused else None


def _describe(url: Any) -> dict[str, Any]:
    options = url.query if _engine(url) != "sqlite" else None  # those of SQLite are for its driver
    is_whole = url.password is None and not options
    return {"place": _name_place(url), "is_whole": is_whole, "variable": _find_variable(url)}


def _find_variable(url: Any) -> str | None:
    """Drivers may differ: many an env.py puts its own into what the environment has."""
    for name, value in sorted(os.environ.items()):
        known = _read_url(value) if "://" in value else None
        if known is not None and _identify(known) == _identify(url):
            return name
    return None


def _identify(url: Any) -> tuple[Any, ...]:
    return (_engine(url), _name_database(url), *(getattr(url, part) for part in _PLACE))


def _read_url(text: Any) -> Any:
    from sqlalchemy.engine.url import make_url

    try:
        return make_url(text)
    except Exception:  # no URL at all, or none of SQLAlchemy's
        return None


def _engine(url: Any) -> str:
    name = str(url.drivername).partition("+")[0]
    return "postgresql" if name == "postgres" else name


def _name_place(url: Any) -> str:
    """As people write it, without what opens it: its query may have a password, too."""
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"{_engine(url)}://{user}{url.host or ''}{port}/{_name_database(url)}"


def _name_database(url: Any) -> str | None:
    """Of SQLite the file, absolute; None where it is in memory, or none is named."""
    return absolute_file(url.database) if _engine(url) == "sqlite" else url.database or None
