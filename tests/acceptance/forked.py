"""``govern`` as a process that need not import anything: forked off one that did, by multiprocessing's fork server.

It has its own pid, folder, environment, standard streams and exit code, as one that was started from a shell. Its
children are forked, too.
"""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import pkgutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import govern
from tests.fixtures.children import find_server, fork_children

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_CONTEXT = multiprocessing.get_context("forkserver")
_IMPORTED_BY_OTHERS = (
    "govern.revisions.child",
    "govern.database.container",
    "govern.database.migra_diff",
    "govern.integrations",
)
"""The child is another program, applications are, too; the rest is imported where it is needed."""


def run_govern(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout_seconds: float
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error. One that takes longer than ``timeout_seconds`` is killed."""
    with tempfile.TemporaryDirectory() as streams:
        out, err = (Path(streams) / name for name in ("out", "err"))
        process = _CONTEXT.Process(
            target=_be_govern, args=(arguments, folder, dict(environment), out, err, find_server())
        )
        process.start()
        exit_code = _wait(process, timeout_seconds)
        return exit_code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _wait(process: ForkServerProcess, timeout_seconds: float) -> int:
    process.join(timeout_seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
    exit_code = process.exitcode
    process.close()
    assert exit_code is not None
    return exit_code


def _be_govern(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    children: str,
) -> None:
    """What the console script does, in this process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), descriptor)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.FileIO(descriptor, "w"), encoding="utf-8", line_buffering=True, write_through=True
        )
        for descriptor in (1, 2)
    )
    faulthandler.enable(sys.stderr)  # a crash of a library in C says where it was
    fork_children(lambda: children)
    sys.argv = ["govern", *arguments]
    from govern.cli.main import main

    main()


def modules_of_govern() -> list[str]:
    """All that a command may import."""
    found = pkgutil.walk_packages(govern.__path__, "govern.")
    return [module.name for module in found if not module.name.startswith(_IMPORTED_BY_OTHERS)]


_CONTEXT.set_forkserver_preload(modules_of_govern())
