"""A process of its own that reads source files: what a file does to it, it does to no other.

Started by ``govern.code.workers``; a request comes in on stdin, a line for each file goes out on stdout.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from govern.code.files import Reader
from govern.code.kept.json_form import Said
from govern.code.kept.store import Digests, digest

READY = "ready"
"""The first line: whatever happens from now on is a file's doing."""


def main() -> None:
    """Ends with SIGPROF at a file that takes longer than the request allows; code of others' cannot be interrupted."""
    for one in (signal.SIGINT, signal.SIGPROF):
        signal.signal(one, signal.SIG_DFL)
    request = json.load(sys.stdin)
    reader, digests = Reader(), Digests()
    _tell(READY)
    for path, name in request["files"]:
        signal.setitimer(signal.ITIMER_PROF, request["seconds"])
        line = _read(reader, digests, Path(path), name).render()
        signal.setitimer(signal.ITIMER_PROF, 0)
        _tell(line)


def _read(reader: Reader, digests: Digests, path: Path, name: str) -> Said:
    try:
        content = path.read_bytes()
        file = reader.read_content(content, name, path)
    except OSError as error:
        return Said.of_problem(name, error.strerror or str(error))
    except (RecursionError, MemoryError, ValueError, AttributeError, TypeError) as error:
        return Said.of_problem(name, f"it cannot be read: {type(error).__name__}: {error}")
    homes = {module: digests.describe(home) for module, home in reader.asked.items()}
    return Said.of(file, digest=digest(content), homes=homes)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
