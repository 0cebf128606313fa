"""The rows of a file, as they are asked for: which tables it is of, and each row with where it stands."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from govern.core.exports import ExportRow
from govern.core.wording import name_bytes
from govern.source.exports.files import ExportFile

_MOST_JSON_BYTES = 512_000_000
"""A JSON file is read whole, and takes some ten times its size meanwhile; the other formats are read by line."""
_WRAPPERS = frozenset({"data", "items", "records", "results", "rows"})
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class BrokenExport(Exception):
    """A file is not what its ending says. ``line`` and ``column`` are counted from 1, and None where not known."""

    def __init__(self, path: Path, why: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(why)
        self.path = path
        self.why = why
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The rows of one table in one file."""

    file: ExportFile
    name: str
    """What the table is called: by the file's name, or within a file of several."""
    read: Callable[[], Iterator[ExportRow]]
    """Raises BrokenExport where the file ends being what it should be."""


def read_series(file: ExportFile, is_table: Callable[[str], bool]) -> tuple[Series, ...]:
    """The tables that a file has rows of; ``is_table`` tells one that holds several from one keyed by ids.

    Raises BrokenExport. Rows are read when they are asked for: of all files, one at a time is in memory.
    """
    if file.format == "json":
        names = _find_tables(file, _load_json(file), is_table)
        return tuple(
            Series(file=file, name=name, read=partial(_read_json, file, name, is_table)) for name in names
        )
    read = _read_json_lines if file.format == "json lines" else _read_csv
    return (Series(file=file, name=file.name, read=partial(read, file)),)


# --- JSON -------------------------------------------------------------------------------------------------


class _Repeated(dict[str, Any]):
    """An object that has a key twice: of its two values nobody knows which is meant."""

    key: str


def _load_json(file: ExportFile) -> Any:
    with _translated_errors(file.path), _open(file) as content:
        text = content.read(_MOST_JSON_BYTES + 1)
    if len(text) > _MOST_JSON_BYTES:
        raise BrokenExport(
            file.path,
            f"it has more than {name_bytes(_MOST_JSON_BYTES)}, and would be read whole; as JSON lines it is read by "
            f"line: jq -c '.[]' {file.path.name} > {file.name}.jsonl",
        )
    if not text.strip():
        raise BrokenExport(file.path, "it is empty: a table without rows would be []")
    return _parse(file.path, text)


def _parse(path: Path, text: str, line: int | None = None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_take_object, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise BrokenExport(path, error.msg, line=line or error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise BrokenExport(path, "it is nested too deeply", line=line) from error
    except ValueError as error:  # a number of more than 4,300 digits
        raise BrokenExport(path, str(error), line=line) from error


def _take_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    taken = dict(pairs)
    if len(taken) == len(pairs):
        return taken
    repeated = _Repeated(taken)
    seen: set[str] = set()
    repeated.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return repeated


def _find_tables(
    file: ExportFile, content: Any, is_table: Callable[[str], bool]
) -> dict[str, list[Any] | dict[str, Any]]:
    """The rows by table. What the outermost value is decides: rows, rows by id, tables by name, or rows under one word.

    Raises BrokenExport unless all of them are rows.
    """
    tables = dict(_split(file, content, is_table))
    for name, rows in tables.items():
        if isinstance(rows, _Repeated):
            _refuse(file, f"it has the key {rows.key!r} twice")
        for number, row in enumerate(rows.values() if isinstance(rows, dict) else rows, start=1):
            _require_row(file.path, row, f"row {number:,}{'' if name == file.name else f' of {name}'}")
    return tables


def _split(
    file: ExportFile, content: Any, is_table: Callable[[str], bool]
) -> Iterator[tuple[str, list[Any] | dict[str, Any]]]:
    if isinstance(content, _Repeated):
        _refuse(file, f"it has the key {content.key!r} twice")
    if isinstance(content, list):
        yield file.name, content
    elif not isinstance(content, dict):
        _refuse(file, "it is neither an array of objects nor an object")
    elif (holder := _find_holder(content, is_table)) is not None:
        yield file.name, content[holder]
    elif several := {name: rows for name, rows in content.items() if _is_of_a_table(name, rows, is_table)}:
        yield from several.items()
    elif all(isinstance(value, dict) for value in content.values()):
        yield file.name, content
    else:
        _refuse(file, "it is one object: rows are an array of objects, or objects under their ids")


def _read_json(file: ExportFile, name: str, is_table: Callable[[str], bool]) -> Iterator[ExportRow]:
    rows = _find_tables(file, _load_json(file), is_table).get(name)
    if rows is None:
        _refuse(file, "it was changed while it was read")
    pairs = rows.items() if isinstance(rows, dict) else ((None, row) for row in rows)
    for number, (key, row) in enumerate(pairs, start=1):
        yield ExportRow(number=number, values=row, key=key)


def _find_holder(content: dict[str, Any], is_table: Callable[[str], bool]) -> str | None:
    """The key of ``{"data": [...], "count": 3}``, where all but one value are no rows."""
    containers = [key for key, value in content.items() if isinstance(value, (list, dict))]
    if len(containers) != 1 or containers[0].lower() not in _WRAPPERS or is_table(containers[0]):
        return None
    (key,) = containers
    rows = content[key]
    is_keyed = isinstance(rows, dict) and bool(rows) and all(isinstance(row, dict) for row in rows.values())
    return key if isinstance(rows, list) or is_keyed else None


def _is_of_a_table(name: str, value: Any, is_table: Callable[[str], bool]) -> bool:
    """Whether it is one of ``{"users": [{…}], "notes": {"7": {…}}}``; rows without a table are told of later."""
    if isinstance(value, list):
        return is_table(name) or (bool(value) and all(isinstance(row, dict) for row in value))
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values()) and is_table(name)


def _require_row(path: Path, row: Any, place: str, line: int | None = None) -> None:
    if isinstance(row, _Repeated):
        raise BrokenExport(path, f"{place} has the key {row.key!r} twice", line=line)
    if not isinstance(row, dict):
        raise BrokenExport(path, f"{place} is no object: {json.dumps(row, default=str)[:40]}", line=line)


def _refuse(file: ExportFile, why: str) -> NoReturn:
    raise BrokenExport(file.path, why)


def _read_json_lines(file: ExportFile) -> Iterator[ExportRow]:
    number = 0
    with _translated_errors(file.path), _open(file) as content:
        for line, text in enumerate(content, start=1):
            if text.strip():
                number += 1
                row = _parse(file.path, text, line)
                _require_row(file.path, row, "the line", line)
                yield ExportRow(number=number, line=line, values=row)


# --- CSV --------------------------------------------------------------------------------------------------


def _read_csv(file: ExportFile) -> Iterator[ExportRow]:
    csv.field_size_limit(2**31 - 1)  # of one cell; the module's own limit is less than a document takes
    with _translated_errors(file.path), _open(file) as content:
        first = content.readline()
        if not first.strip():
            raise BrokenExport(file.path, "it is empty: the first line has the names of the columns", line=1)
        delimiter = _find_delimiter(first)
        reader = csv.reader(_chain(first, content), delimiter=delimiter, strict=True)
        try:
            names = next(reader)
            _require_names(file.path, names)
            for number, cells in enumerate((row for row in reader if row), start=1):
                if len(cells) != len(names):
                    why = f"row {number:,} has {len(cells):,} cells, the first line names {len(names):,}"
                    raise BrokenExport(file.path, why, line=reader.line_num)
                yield ExportRow(
                    number=number, line=reader.line_num, values=dict(zip(names, cells, strict=True))
                )
        except csv.Error as error:
            raise BrokenExport(file.path, str(error), line=reader.line_num) from error


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _find_delimiter(header: str) -> str:
    """The sign that stands most often between the names; a comma where none does."""
    return max(",\t;", key=header.count)


def _require_names(path: Path, names: list[str]) -> None:
    for position, name in enumerate(names, start=1):
        if not name.strip():
            raise BrokenExport(path, f"column {position} has no name", line=1)
        if name in names[: position - 1]:
            raise BrokenExport(path, f"the column {name!r} is named twice", line=1)


# --- text -------------------------------------------------------------------------------------------------


@contextmanager
def _open(file: ExportFile) -> Iterator[io.TextIOWrapper]:
    """The text of a file, without a byte order mark."""
    with file.path.open("rb") as raw:
        head = raw.read(2)
        raw.seek(0)
        if head in _UTF_16:
            raise BrokenExport(file.path, "it is UTF-16: iconv -f UTF-16 -t UTF-8 makes UTF-8 of it", line=1)
        source = gzip.GzipFile(fileobj=raw) if file.is_compressed else raw
        # newlines as they are: the csv module reads those inside of quotes
        with io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as content:
            yield content


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8: there is a byte 0x{error.object[error.start]:02x}"
        raise BrokenExport(path, why) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BrokenExport(path, f"it is no whole gzip file: {error}") from error
    except OSError as error:
        raise BrokenExport(path, error.strerror or str(error)) from error
