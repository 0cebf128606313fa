"""Which files of a folder hold rows, and in which format; told by their names alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from govern.errors import ConfigurationError, NotPermitted

Format = Literal["json", "json lines", "csv"]

_FORMATS: Mapping[str, Format] = {
    ".json": "json",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".csv": "csv",
    ".tsv": "csv",
}
_COMPRESSED = ".gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file that should hold the rows of a table."""

    path: Path
    name: str
    """Without the endings: what the table should be called."""
    format: Format
    is_compressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A file that was passed by, though its name says that it holds rows."""

    path: Path
    why: str


def find_export_files(place: Path) -> tuple[tuple[ExportFile, ...], tuple[Passed, ...]]:
    """The files of a folder, or the one file, that hold rows, by name; and those that are not read, with the reason.

    Nothing outside of the folder is read, whatever a link in it says. Raises ConfigurationError where there is
    nothing to read, NotPermitted where it may not be read.
    """
    if place.is_file():
        return (_require_export(place),), ()
    found, passed = [], []
    for path in _list_folder(place):
        if (file := recognize(path)) is None:
            continue
        if not path.resolve().is_relative_to(place.resolve()):
            passed.append(Passed(path=path, why="it is a link that leads out of the folder"))
        elif not path.is_file():
            passed.append(Passed(path=path, why="it is no regular file"))
        else:
            found.append(file)
    if not found:
        raise ConfigurationError(
            f"there are no rows to restore in {place}",
            why="no file in it ends in .json, .jsonl, .ndjson, .csv or .tsv, or in one of these and .gz",
            next="give the folder with one file a table: users.json, projects.csv; see what there is: "
            "govern backup list --search DIR",
        )
    return tuple(found), tuple(passed)


def recognize(path: Path) -> ExportFile | None:
    """What the name says of a file; None where it says that no rows are in it."""
    name, is_compressed = path.name, False
    if name.lower().endswith(_COMPRESSED):
        name, is_compressed = name[: -len(_COMPRESSED)], True
    stem, dot, ending = name.rpartition(".")
    known = _FORMATS.get(f"{dot}{ending}".lower())
    if known is None or not stem or stem.startswith("."):
        return None
    return ExportFile(path=path, name=stem, format=known, is_compressed=is_compressed)


def _require_export(path: Path) -> ExportFile:
    file = recognize(path)
    if file is None:
        raise ConfigurationError(
            f"{path} is no file of rows",
            why="its name ends in none of .json, .jsonl, .ndjson, .csv and .tsv",
            next="a dump or a SQLite file becomes a backup by govern backup adopt",
        )
    return file


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no folder {folder}", next="look for one: govern backup list --search DIR"
        ) from error
    except NotADirectoryError as error:
        raise ConfigurationError(
            f"{folder} is no folder and no regular file", next="correct the path"
        ) from error
    except OSError as error:
        raise NotPermitted(
            f"the folder {folder} cannot be read",
            why=error.strerror or str(error),
            next="see to its permissions",
        ) from error
