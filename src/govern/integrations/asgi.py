"""Validation inside an event loop: what the lifespans of Starlette, FastAPI and Litestar have in common."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from anyio import to_thread

from govern.core.report import Report
from govern.errors import GovernError
from govern.integrations.options import StartupOptions
from govern.integrations.validation import validate
from govern.startup import HasUrl


async def validate_in_thread(engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]) -> Report:
    """``validate`` in a thread: the loop lives while it looks and waits, and cancelling ends the wait.

    The error is raised without the way it came: servers print the whole traceback of a start that failed, and
    what to do would drown in it.
    """
    look = partial(validate, engine_or_url, **options)
    try:
        return await to_thread.run_sync(look, abandon_on_cancel=True)
    except GovernError as error:
        raise error.with_traceback(None) from None
