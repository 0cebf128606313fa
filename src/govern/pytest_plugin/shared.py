"""What the workers of one run tell each other: values that one of them computed, and drift that each may find."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

T = TypeVar("T")


class Shared:
    """Files in a folder that only this user can enter; without a folder there is one process, and its memory does."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._values: dict[str, Any] = {}

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """The value of that name: the first worker who asks computes it, the others wait for it."""
        if name not in self._values:
            self._values[name] = self._among_workers(name, compute)
        value: T = self._values[name]
        return value

    def _among_workers(self, name: str, compute: Callable[[], T]) -> T:
        if self._folder is None:
            return compute()
        file = self._folder / name
        with FileLock(f"{file}.lock"):
            if file.exists():
                value: T = pickle.loads(file.read_bytes())  # noqa: S301 - written below, by this run
                return value
            value = compute()
            file.write_bytes(pickle.dumps(value))
            return value

    def append(self, name: str, value: object) -> bool:
        """Adds to a list of that name; False where ``take`` has been called already: then nobody will see it."""
        if self._folder is None:
            self._values.setdefault(name, []).append(value)
            return True
        file = self._folder / name
        with FileLock(f"{file}.lock"):
            if file.with_suffix(".taken").exists():
                return False
            values = pickle.loads(file.read_bytes()) if file.exists() else []  # noqa: S301 - as above
            file.write_bytes(pickle.dumps([*values, value]))
            return True

    def take(self, name: str) -> tuple[Any, ...]:
        """The list of that name, for its only reader."""
        if self._folder is None:
            return tuple(self._values.get(name, ()))
        file = self._folder / name
        with FileLock(f"{file}.lock"):
            file.with_suffix(".taken").touch()
            return tuple(pickle.loads(file.read_bytes())) if file.exists() else ()  # noqa: S301 - as above
