"""An env.py that calls ``anyio.from_thread`` runs in a worker thread of an event loop, and nowhere else."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .failure import find_cause


def run_in_fitting_thread(run: Callable[[], None]) -> None:
    """Runs it here, and once more in a worker thread if that is what it said it needs, which is not known before."""
    try:
        run()
    except Exception as error:
        if not _wants_worker_thread(error):
            raise
    else:
        return
    _run_in_worker_thread(run)


def _wants_worker_thread(error: BaseException) -> bool:
    """Whether anyio refused: its versions have no error of their own in common, but the place."""
    cause = find_cause(error, RuntimeError)
    frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
    return bool(frames) and Path(frames[-1].filename).parts[-2:] == ("anyio", "from_thread.py")


def _run_in_worker_thread(run: Callable[[], None]) -> None:
    import anyio
    import anyio.to_thread

    async def wait() -> Any:
        # an interrupt must not wait for a thread that waits for this event loop
        return await anyio.to_thread.run_sync(run, abandon_on_cancel=True)

    anyio.run(wait)
