"""What came of code in earlier runs: texts, each by a digest of all that it depends on, in one file of a folder.

Nothing in it is needed: a file that is broken, foreign or not to be written is as good as none. It is believed unseen,
so that the folder is the user's: none that a project brings with it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sqlite3
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Self

from govern.log import Log

log = Log(__name__)

FILE = "code.sqlite3"
_FORMAT = 1
_CREATE = """
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value TEXT NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID
"""
_FIND = "SELECT value FROM kept WHERE key = ?"
_KEEP = "INSERT OR REPLACE INTO kept (key, value, day) VALUES (?, ?, ?)"
_REFRESH = "UPDATE kept SET day = ? WHERE key = ? AND day < ?"
_FORGET = "DELETE FROM kept WHERE day < ?"
_DAYS = 14
"""How long what nobody asks for is kept."""
_WAIT_SECONDS = 2.0
"""For another run that writes."""
_READERS = ("code", "checks/scan", "core", "database")
"""Where the code is that everything kept depends on."""
_LIBRARIES = ("ast-grep-py", "pglast")


class Kept:
    """An open file of them, or none. Whoever uses it closes it."""

    def __init__(self, folder: Path | None, *, today: int | None = None) -> None:
        """``folder``: made if it is missing; None: nothing is kept. ``today``: in days since 1970."""
        self._today = int(time.time() // 86_400) if today is None else today
        self._connection: sqlite3.Connection | None = None
        if folder is not None:
            self._open(folder)

    def find(self, keys: Iterable[str]) -> Mapping[str, str]:
        """The texts that there are."""
        found: dict[str, str] = {}
        if self._connection is None:
            return found
        try:
            for key in keys:
                for (value,) in self._connection.execute(_FIND, (key,)):
                    found[key] = value
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        return found

    def keep(self, values: Mapping[str, str], used: Iterable[str] = ()) -> None:
        """Adds texts, all or none; ``used``: keys of those that are still asked for."""
        if self._connection is None:
            return
        try:
            with self._connection:
                self._connection.executemany(_KEEP, [(*pair, self._today) for pair in values.items()])
                self._connection.executemany(_REFRESH, [(self._today, key, self._today) for key in used])
                self._connection.execute(_FORGET, (self._today - _DAYS,))
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, folder: Path) -> None:
        file = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connect(file)
        except sqlite3.OperationalError as error:  # somebody else writes, or nobody may
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            self._give_up(error)
            with contextlib.suppress(OSError, sqlite3.Error):
                file.unlink()
                self._connect(file)
        except OSError as error:
            self._give_up(error)

    def _connect(self, file: Path) -> None:
        # one thread after the other uses it
        self._connection = sqlite3.connect(file, timeout=_WAIT_SECONDS, check_same_thread=False)
        [format_there] = self._connection.execute("PRAGMA user_version").fetchone()
        if format_there not in (0, _FORMAT):
            raise sqlite3.DatabaseError(f"its format is {format_there}")
        self._connection.execute(_CREATE)
        self._connection.execute(f"PRAGMA user_version = {_FORMAT:d}")

    def _give_up(self, error: Exception) -> None:
        log.debug("scan_not_kept", error=str(error))
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def digest(*parts: str | bytes) -> str:
    """Of several parts, none of which runs into the next."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        made.update(len(encoded).to_bytes(8, "big"))
        made.update(encoded)
    return made.hexdigest()


class Digests:
    """Of files, each read once."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        """Nothing for one that cannot be read."""
        if path not in self._known:
            try:
                self._known[path] = digest(path.read_bytes())
            except OSError:
                self._known[path] = ""
        return self._known[path]

    def describe(self, home: Path | None) -> tuple[str, str]:
        """A file and its digest; nothing for none."""
        return (str(home), self.of(home)) if home is not None else ("", "")


@functools.cache
def edition(home: Path = Path(__file__).parents[2]) -> str:
    """Of govern, and of what it reads code with: another one may find something else."""
    files = [path for folder in _READERS for path in (home / folder).rglob("*.py")]
    facts = [f"{path} {(known := path.stat()).st_size} {known.st_mtime_ns}" for path in sorted(files)]
    return digest(_version("govern"), *map(_version, _LIBRARIES), *facts)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
