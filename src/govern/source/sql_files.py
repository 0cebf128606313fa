"""The SQL files of the source of truth: what models cannot say. Only read here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from govern.errors import ConfigurationError

_META_COMMAND = re.compile(r"^[ \t]*(\\[a-zA-Z!?;]\S*)", re.MULTILINE)
_QUOTED = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | \b[eE]'(?:[^'\\]|\\.)*' | '[^']*' | "[^"]*" | (\$(?:[^\W\d]\w*)?\$).*?\1""",
    re.DOTALL | re.VERBOSE,
)
"""Comments, strings, quoted names and dollar-quoted bodies."""


_MAKES_TABLE = re.compile(r"\bCREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFile:
    """One file, as it is to be run."""

    path: Path
    text: str


def read_sql_files(folder: Path) -> tuple[SqlFile, ...]:
    """Every ``.sql`` file in the folder and below, in the order of their paths; none if there is no folder.

    Raises ConfigurationError for a file that is no UTF-8 or a command of psql (``\\i``):
    those are words of the program psql, not of SQL (PostgreSQL manual, psql, Meta-Commands).
    """
    files = (path for path in folder.rglob("*.sql") if path.is_file())
    return tuple(_read(path) for path in sorted(files, key=lambda path: path.as_posix()))


def make_tables(folder: Path) -> bool:
    """Whether the files are all there is to know of tables, should there be no models. Raises as ``read_sql_files``."""
    return any(_MAKES_TABLE.search(_QUOTED.sub(" ", file.text)) for file in read_sql_files(folder))


def _read(path: Path) -> SqlFile:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{path}:{line}: the file is not UTF-8", why=str(error), next="save it as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=error.strerror or "", next="check its rights"
        ) from error
    if "\0" in text:
        line = text.partition("\0")[0].count("\n") + 1
        raise ConfigurationError(
            f"{path}:{line}: the file holds a NUL character", next="remove it; no database takes it"
        )
    _refuse_meta_commands(path, text)
    return SqlFile(path=path, text=text)


def _refuse_meta_commands(path: Path, text: str) -> None:
    code = _QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n"), text)
    found = _META_COMMAND.search(code)
    if found:
        line = code.count("\n", 0, found.start()) + 1
        raise ConfigurationError(
            f"{path}:{line}: {found[1]} is a command of psql, not SQL",
            why="the file is run through a database driver, which knows no psql commands",
            next="write what it does as SQL; files run in the order of their names, so \\i is not needed",
        )
