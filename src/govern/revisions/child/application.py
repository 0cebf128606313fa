"""The Flask application whose context an env.py of Flask-Migrate works in, found as the ``flask`` command finds it."""

from __future__ import annotations

import ast
import contextlib
import os
from pathlib import Path
from typing import Any

from .parent import Stop


def application_context(folder: Path) -> Any:
    """The context for the env.py of that folder; one that does nothing where it asks for no application."""
    if not _asks_for_application(folder / "env.py"):
        return contextlib.nullcontext()
    from flask import cli, has_app_context

    if has_app_context():  # a hook's
        return contextlib.nullcontext()
    try:
        application = cli.ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
    except cli.NoAppException as error:
        raise Stop("no_application", why=str(error)) from error
    return application.app_context()


def _asks_for_application(env: Path) -> bool:
    """Whether it imports Flask's ``current_app``."""
    try:
        module = ast.parse(env.read_bytes())
    except (OSError, SyntaxError, ValueError):  # said by whoever runs it
        return False
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "flask"
        and any(alias.name == "current_app" for alias in node.names)
        for node in ast.walk(module)
    )
