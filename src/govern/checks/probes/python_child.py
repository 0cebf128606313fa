"""The process of a Python probe, in the project's root and by its interpreter, which may not know govern.

What to call comes on stdin, the verdict goes to the descriptor: what the probe prints or exits with decides nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

GROUP = "govern.probes"


def main() -> None:
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)  # what the probe starts has no say
    order = json.loads(sys.stdin.buffer.read())
    sys.path[0] = str(Path.cwd())  # instead of the folder of this file
    os.write(descriptor, json.dumps(_judge(order)).encode())


def _judge(order: dict[str, Any]) -> dict[str, str]:
    asked = SimpleNamespace(
        base_url=order["base_url"], database_url=order["database_url"], values=order["values"]
    )
    try:
        _find(order["call"])(asked)
    except AssertionError as error:
        return {"verdict": "failed", "message": str(error)[:2_000]}
    except BaseException as error:
        return {"verdict": "crashed", "message": f"{type(error).__name__}: {error}"[:2_000]}
    return {"verdict": "passed"}


def _find(call: str) -> Callable[[object], object]:
    """The function of a module, or of the entry point of that name. Raises LookupError, and what an import raises."""
    if ":" in call:
        module, _, name = call.partition(":")
        found: Callable[[object], object] = getattr(importlib.import_module(module), name)
        return found
    for point in entry_points(group=GROUP, name=call):
        loaded: Callable[[object], object] = point.load()
        return loaded
    raise LookupError(f"there is no entry point {call!r} in the group {GROUP}")


if __name__ == "__main__":
    main()
