"""Starts programs as ``python …`` does, forked off an interpreter that has imported their libraries already.

Each is a process of its own, with its folder, environment, output and exit code; a tenth of the time is left.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

from tests.acceptance.forked import modules_of_govern
from tests.acceptance.program import Done

_IMPORTED = (
    "aiosqlite",
    "anyio._backends._asyncio",
    "django.core.handlers.wsgi",
    "django.core.management.commands.check",
    "django.core.management.commands.runserver",
    "django.core.servers.basehttp",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "flask_sqlalchemy.cli",
    "govern.integrations.django.serving",
    "govern.integrations.fastapi",
    "govern.integrations.flask",
    "psycopg",
    "pydantic.v1",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
_SECONDS = 20


class Zygote:
    """The interpreter that is forked."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.frameworks.zygote"],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str], out: Path) -> Done:
        """Runs ``python *words`` to its end, stdout and stderr in ``out``; -14 where it took 20 seconds."""
        order = {"words": words, "folder": str(folder), "environment": dict(environment), "out": str(out)}
        to, answers = self._streams
        to.write(json.dumps(order) + "\n")
        to.flush()
        exit_code = int(answers.readline())
        return Done(exit_code=exit_code, out="", err=out.read_text(encoding="utf-8"))

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        self._process.wait(10)

    @property
    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


def main() -> None:
    for module in (*modules_of_govern(), *_IMPORTED):
        importlib.import_module(module)
    gc.freeze()
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            _end_as(partial(_become, **json.loads(line)))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _end_as(program: Callable[[], None]) -> NoReturn:
    """Ends as an interpreter does, but does not tear down what its parent had imported: that is most of the time."""
    exit_code: object = 1
    try:
        program()
        exit_code = 0
    except SystemExit as end:
        exit_code = end.code
    except BaseException:
        traceback.print_exc()
    if exit_code is not None and not isinstance(exit_code, int):
        sys.stderr.write(f"{exit_code}\n")
        exit_code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code or 0)


def _become(words: list[str], folder: str, environment: dict[str, str], out: str) -> None:
    os.setsid()
    signal.alarm(_SECONDS)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    path = environment.get("PYTHONPATH", "").split(os.pathsep)
    if words[0] == "-m":
        sys.argv, sys.path[:0] = words[1:], [folder, *path]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[:0] = words, [str(Path(words[0]).parent), *path]
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
