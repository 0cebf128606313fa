"""Who does the work: threads of this process, or the workers of a Dask cluster that is there already."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from govern.errors import ToolMissing, Unreachable
from govern.fleet.grounds import leave_grounds

_CONNECT_SECONDS = 30


@contextmanager
def open_executor(run: str, *, workers: int, scheduler: str | None) -> Iterator[Executor]:
    """At the end of the block everything that its jobs had open is closed, wherever they ran.

    Raises ToolMissing without the extra, Unreachable where no scheduler answers.
    """
    if scheduler is not None:
        with _on_cluster(run, scheduler) as executor:
            yield executor
        return
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="fleet") as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            leave_grounds(run)


@contextmanager
def _on_cluster(run: str, scheduler: str) -> Iterator[Executor]:
    """Dask gives the work of a worker that dies to another one."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ToolMissing(
            "Dask is not installed",
            why="--scheduler hands the work to a Dask cluster",
            next="pip install 'govern[fleet]', or leave --scheduler away for threads of this process",
        ) from error
    connect: Any = Client  # its methods have no types
    try:
        client = connect(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unreachable(
            f"no Dask scheduler answers at {scheduler}",
            why=str(error),
            next="start one, dask scheduler, and workers, dask worker tcp://…; or correct --scheduler",
        ) from error
    with client:
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=True)
            client.run(leave_grounds, run)
