"""``hook = "package.module:function"``: what the project says of how its Alembic is to be run.

The function takes nothing and returns three things, each of them None where nothing is to be said: Alembic's Config
(made without an ini, or with attributes that env.py reads), the models' metadata (one or several), and a context
manager that is entered around everything, such as an application's context.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from .metadata import check_metadata
from .parent import Stop


class Hook:
    """What the project's function returned; without one there is nothing in it."""

    def __init__(self, config: Any = None, metadatas: Any = None, context: Any = None) -> None:
        self.config = config
        self.metadatas: list[Any] = metadatas or []
        self.context = contextlib.nullcontext() if context is None else context


def call_hook(path: str | None) -> Hook:
    """Stop where there is no such function, or it returns something else."""
    if path is None:
        return Hook()
    module, _, name = path.partition(":")
    function = getattr(importlib.import_module(module), name, None)
    if function is None:
        raise Stop("hook", hook=path, why=f"{module} has no function {name!r}")
    returned = function()
    if not isinstance(returned, tuple) or len(returned) != 3:
        raise Stop("hook", hook=path, why=f"it returned a {type(returned).__name__}")
    config, metadata, context = returned
    if config is not None and not hasattr(config, "set_main_option"):
        raise Stop("hook", hook=path, why=f"the first is a {type(config).__name__}, no Config of Alembic")
    if context is not None and not hasattr(context, "__enter__"):
        raise Stop("hook", hook=path, why=f"the third is a {type(context).__name__}, no context manager")
    metadatas, odd = check_metadata(metadata)
    if odd is not None:
        raise Stop("hook", hook=path, why=f"the second is a {odd}, no MetaData")
    return Hook(config, metadatas, context)
