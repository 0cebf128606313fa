"""A process of its own that reads source files: what a file does to it, it does to no other.

Started by ``govern.code.workers``; a request comes in on stdin, a line for each file goes out on stdout.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from govern.code.files import Reader
from govern.code.json_form import render
from govern.core.code import CodeFile

READY = "ready"
"""The first line: whatever happens from now on is a file's doing."""


def main() -> None:
    """Ends with SIGALRM at a file that takes longer than the request allows; code of others' cannot be interrupted."""
    for one in (signal.SIGINT, signal.SIGALRM):
        signal.signal(one, signal.SIG_DFL)
    request = json.load(sys.stdin)
    reader = Reader()
    _tell(READY)
    for path, name in request["files"]:
        signal.setitimer(signal.ITIMER_REAL, request["seconds"])
        try:
            file = reader.read_file(Path(path), name)
        except (RecursionError, MemoryError, ValueError, AttributeError, TypeError) as error:
            file = CodeFile(path=name, problem=f"it cannot be read: {type(error).__name__}: {error}")
        line = render(file)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _tell(line)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
