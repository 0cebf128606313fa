"""Alembic's Config, as its command line would make it, with the target as ``sqlalchemy.url``."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from .drivers import choose_driver
from .redirection import Redirection

_SEPARATORS = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}


class Attributes(dict):  # type: ignore[type-arg]
    """``config.attributes`` for an env.py that insists on ``["connection"]``; ``get`` still finds none.

    What a hook's Config has in it stays, but for a connection of its own: it leads elsewhere.
    """

    def __init__(self, given: Any, url: Any) -> None:
        super().__init__((name, value) for name, value in given.items() if name != "connection")
        self._url = url

    def __missing__(self, name: str) -> Any:
        if name != "connection":
            raise KeyError(name)
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        self[name] = create_engine(self._url, poolclass=NullPool).connect()
        return self[name]

    def commit(self) -> None:
        """Commits and closes the connection, as whoever lends one to env.py does."""
        connection = self.pop("connection", None)
        if connection is None:
            return
        if hasattr(connection, "commit"):  # SQLAlchemy 1.4 has none
            connection.commit()
        connection.close()


def make_configuration(request: dict[str, Any], redirection: Redirection, given: Any) -> Any:
    """The Config of a request, or the ``given`` one; sets ``sys.argv`` to what the command line would have been."""
    config = _read(request["config_file"], request["section"]) if given is None else given
    _set_locations(config, request)
    _pretend_command_line(config, request)
    url = _choose_url(config, redirection)
    config.attributes = Attributes(config.attributes, url)
    text = url.render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", text.replace("%", "%%"))
    return config


def open_script_directory(config: Any) -> Any:
    """The migrations folder; also puts ``prepend_sys_path`` on the path."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config)


def _read(file: str | None, section: str) -> Any:
    from alembic.config import Config

    reads_toml = hasattr(Config, "toml_file_name")  # since Alembic 1.16
    if file is None:
        return Config(ini_section=section)
    if reads_toml and file.endswith(".toml"):
        return Config(toml_file=file, ini_section=section)
    if reads_toml and Path("pyproject.toml").exists():
        return Config(file, toml_file="pyproject.toml", ini_section=section)
    return Config(file, ini_section=section)


def _set_locations(config: Any, request: dict[str, Any]) -> None:
    """The folders, where Alembic's own configuration is silent or ours speaks."""
    has_none = not config.get_main_option("script_location")
    if has_none or request["version_locations"]:
        config.set_main_option("script_location", request["script_location"].replace("%", "%%"))
    if request["version_locations"]:
        separator = _SEPARATORS.get(config.get_main_option("path_separator"))
        if separator is None:  # older versions know only this one
            config.set_main_option("version_path_separator", "os")
        joined = (separator or os.pathsep).join(request["version_locations"])
        config.set_main_option("version_locations", joined.replace("%", "%%"))


def _pretend_command_line(config: Any, request: dict[str, Any]) -> None:
    """An env.py may look at ``config.cmd_opts`` or ``sys.argv``."""
    from alembic.config import CommandLine

    arguments = ["--name", request["section"]]
    if request["config_file"] is not None:
        arguments += ["--config", request["config_file"]]
    arguments += request["command_line"]
    sys.argv = ["alembic", *arguments]
    try:
        config.cmd_opts = CommandLine(prog="alembic").parser.parse_args(arguments)
    except SystemExit:  # an Alembic whose command line has changed
        config.cmd_opts = Namespace(x=None)


def _choose_url(config: Any, redirection: Redirection) -> Any:
    """The target with a driver that is installed and fits env.py: the ini's own where possible."""
    from sqlalchemy.engine.url import make_url

    try:
        own = make_url(config.get_main_option("sqlalchemy.url")).drivername
    except Exception:  # none, or one that env.py replaces anyway
        own = ""
    name = choose_driver(redirection.family, own, asynchronous=_is_asynchronous(config))
    return make_url(name + "://") if redirection.address is None else redirection.url.set(drivername=name)


def _is_asynchronous(config: Any) -> bool:
    """Whether env.py makes an asynchronous engine, as Alembic's async template does from the ini's URL."""
    try:
        env = Path(open_script_directory(config).dir, "env.py").read_text(encoding="utf-8")
    except Exception:  # no migrations folder: said by whoever needs it
        return False
    return re.search(r"async_engine|AsyncEngine", env) is not None
