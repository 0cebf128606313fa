"""Several processes that read source files, each its share of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from govern.code.files import require_parser
from govern.code.kept.json_form import Said
from govern.code.worker import READY
from govern.config import environment_of_others
from govern.core.reached import Counter
from govern.errors import CouldNotCheck

_PROGRAM = "from govern.code.worker import main; main()"
_SOURCE = Path(__file__).parents[2]
_MOST = 4
_WORTH_ANOTHER = 400_000
"""Bytes of source: less is read before another process has started."""
_SECONDS = 20.0
"""Of a processor, that a file may take; what people write takes milliseconds."""

Named = tuple[Path, str]
"""A file, and how it is called in reports."""


def read_files(
    files: Sequence[Named],
    *,
    most: int = _MOST,
    seconds_a_file: float = _SECONDS,
    narrate: Callable[[str], None] = lambda _: None,
) -> list[Said]:
    """What each of the files says, in their order. One that cannot be read says why, and the others are read.

    Raises ToolMissing without ast-grep-py, CouldNotCheck where no process can be started.
    """
    if not files:
        return []
    require_parser(path for path, _ in files)
    sizes = [_size(path) for path, _ in files]
    count = max(1, min(most, os.cpu_count() or 1, len(files), sum(sizes) // _WORTH_ANOTHER))
    by_size = sorted(range(len(files)), key=lambda at: -sizes[at])
    shares = [by_size[first::count] for first in range(count)]
    counter = Counter(narrate, "reading the files", total=len(files), unit="file")

    def read(share: Sequence[int]) -> list[Said]:
        return _read_share([files[at] for at in share], seconds_a_file, counter)

    with ThreadPoolExecutor(count) as threads:
        done = threads.map(read, shares)
        found = {
            at: file
            for share, read in zip(shares, done, strict=True)
            for at, file in zip(share, read, strict=True)
        }
    return [found[at] for at in range(len(files))]


def _read_share(files: Sequence[Named], seconds: float, counter: Counter) -> list[Said]:
    """A process that ends at one of them is followed by another one for the rest."""
    read: list[Said] = []
    while len(read) < len(files):
        told = _run_worker(files[len(read) :], seconds, counter)
        read += map(Said.parse, told.lines)
        if len(read) < len(files):
            _, name = files[len(read)]
            read.append(Said.of_problem(name, _explain_end(told.exit_code, seconds)))
    return read


class _Told(NamedTuple):
    """What a process said of files, as far as it came, and how it ended."""

    lines: list[str]
    exit_code: int


def _run_worker(files: Sequence[Named], seconds: float, counter: Counter) -> _Told:
    request = json.dumps({"seconds": seconds, "files": [[str(path), name] for path, name in files]})
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as errors:
        asked.write(request.encode())
        asked.seek(0)
        try:
            worker = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM],
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
            )
        except OSError as error:
            raise _no_worker(error.strerror or str(error)) from error
        with worker:
            lines = list(_listen(worker, counter))
        if lines[:1] != [READY] or worker.returncode == -signal.SIGINT:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise _no_worker(said.rpartition("\n")[2] or f"exit status {worker.returncode}")
    return _Told(lines[1:], worker.returncode)


def _listen(worker: subprocess.Popen[bytes], counter: Counter) -> Iterator[str]:
    """Its whole lines, as they come; a last one without an end was cut off."""
    assert worker.stdout is not None  # noqa: S101 - as it was started
    try:
        for number, line in enumerate(worker.stdout):
            if line.endswith(b"\n"):
                yield line.decode().removesuffix("\n")
                counter.add(int(number > 0))
    except BaseException:
        worker.kill()
        raise


def _environment() -> dict[str, str]:
    """One in which this very package is found, wherever it comes from."""
    others = os.environ.get("PYTHONPATH")
    paths = [str(_SOURCE), *([others] if others else [])]
    return environment_of_others() | {"PYTHONPATH": os.pathsep.join(paths)}


def _explain_end(exit_code: int, seconds: float) -> str:
    if exit_code == -signal.SIGPROF:
        return f"to read it takes longer than {seconds:g} s"
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit status {exit_code}"
    return f"it ends the process that reads it: {how}"


def _no_worker(why: str) -> CouldNotCheck:
    return CouldNotCheck(
        "the source files cannot be read", why=why, next=f"see whether {sys.executable} starts"
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # whoever reads it says why
