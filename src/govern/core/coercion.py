"""How a value of a file is written for a column: as the text that the database's own reading of the type takes.

Only what has one meaning is rewritten here; whether the text is a value of the type is the database's to say.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from govern.core.exports import Column, Kind

_OFFSET = re.compile(r"[Tt ]\d\d:?\d\d.*?(?P<offset>[+-]\d\d(?::?\d\d){0,2})$")
_HEX = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_CERTAINLY_HEX = 16  # of so many characters of base64, none but digits and a to f come by chance once in 10^8
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = (
    10**8,
    10**10,
)  # 1973 to 2286; in milliseconds the same years are no number of seconds before 5138
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


def write_cell(value: Any, column: Column, *, from_csv: bool) -> str | None:
    """The text for the column, or None for NULL. Raises ValueError with the reason where there is no certain one.

    In CSV, which knows neither, an empty cell is NULL, but for a text column that must have a value.
    """
    if value is None:
        return None
    if from_csv and value == "" and (column.kind != "text" or column.is_nullable):
        return None
    text = _WRITERS.get(column.kind, _write_plain)(value, from_csv)
    _require_writable(text)
    if column.max_length is not None:
        text = _shorten_uuid(text, column.max_length)
        if len(text.rstrip(" ")) > column.max_length:
            raise ValueError(f"it has {len(text):,} characters, {column.type} takes {column.max_length:,}")
    return text


def _write_plain(value: Any, _from_csv: bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal() | float():
            return str(value)
        case str():
            return value
        case _:
            return write_json(value)


def _write_json_cell(value: Any, from_csv: bool) -> str:
    """A string that is itself an object or array in JSON was written by somebody who wrote JSON twice."""
    if isinstance(value, str) and (from_csv or _is_json_container(value)):
        return value
    return write_json(value)


def _is_json_container(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _write_boolean(value: Any, _from_csv: bool) -> str:
    said = str(value).strip().lower()
    if said in _TRUE:
        return "true"
    if said in _FALSE:
        return "false"
    raise ValueError("it is neither true nor false")


def _write_moment(value: Any, from_csv: bool) -> str:
    """Without a zone: a moment with an offset from UTC would lose it."""
    text = _write_zoned_moment(value, from_csv)
    if (found := _OFFSET.search(text)) and found["offset"].strip("+-0:"):
        raise ValueError(f"it has the offset {found['offset']} from UTC, which the column cannot keep")
    return text


def _write_zoned_moment(value: Any, _from_csv: bool) -> str:
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        return read_epoch(value).isoformat(sep=" ")
    return _require_text(value)


def _write_date(value: Any, _from_csv: bool) -> str:
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        moment = read_epoch(value)
        if moment.time() != datetime.min.time():
            raise ValueError("it is the time of a day, and the column takes a date")
        return moment.date().isoformat()
    text = _require_text(value)
    if found := re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?", text):
        return found[1]
    if "T" in text or ":" in text:
        raise ValueError("it is the time of a day, and the column takes a date")
    return text


def read_epoch(number: int | float | Decimal) -> datetime:
    """Seconds or milliseconds since 1970 as a time in UTC. Raises ValueError where it could be neither or both."""
    low, high = _SECONDS
    if low <= number < high:
        microseconds = round(Decimal(str(number)) * 1_000_000)
    elif low * 1000 <= number < high * 1000:
        microseconds = round(Decimal(str(number)) * 1000)
    else:
        raise ValueError(
            "as a number it is no certain time: seconds and milliseconds are taken from 1973 to 2286"
        )
    return _EPOCH + timedelta(microseconds=microseconds)


def _write_bytes(value: Any, _from_csv: bool) -> str:
    """``\\x`` and hexadecimal digits: of such, of digits alone, or of base64."""
    text = _require_text(value)
    if text == "":
        return "\\x"
    if text.startswith("\\x"):
        digits = text[2:]
        if digits and not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", digits):
            raise ValueError("after \\x there is something else than pairs of hexadecimal digits")
        return text
    is_hex = bool(_HEX.fullmatch(text))
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        if is_hex:
            return f"\\x{text}"
        raise ValueError("it is neither base64 nor hexadecimal") from None
    if is_hex and len(text) >= _CERTAINLY_HEX:
        return f"\\x{text}"
    if is_hex:
        raise ValueError("it can be read as base64 and as hexadecimal; write \\x before hexadecimal digits")
    return f"\\x{decoded.hex()}"


def _write_array(value: Any, from_csv: bool) -> str:
    """As PostgreSQL writes arrays (manual, 8.15.6); a string is taken for one already."""
    if isinstance(value, str):
        return write_array(json.loads(value)) if not from_csv and _is_json_list(value) else value
    if not isinstance(value, list):
        raise ValueError("it is no array")  # noqa: TRY004  the reason of a cell
    return write_array(value)


def _is_json_list(text: str) -> bool:
    return text.lstrip().startswith("[") and _is_json_container(text)


def write_array(items: list[Any]) -> str:
    """``{"a","b",NULL}``; an array in an array is another dimension."""
    return "{" + ",".join(_write_element(item) for item in items) + "}"


def _write_element(item: Any) -> str:
    match item:
        case None:
            return "NULL"
        case list():
            return write_array(item)
        case _:
            text = _write_plain(item, False)
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_json(value: Any) -> str:
    """JSON text, with each number as it was written. Raises ValueError for NaN, which JSON has not."""
    try:
        return _encode(value)
    except TypeError:  # a Decimal, of which the library knows nothing
        return "".join(_write_parts(value))


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _write_parts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for position, (key, item) in enumerate(value.items()):
            yield f"{', ' if position else '{'}{_encode(str(key))}: "
            yield from _write_parts(item)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield ", " if position else "["
            yield from _write_parts(item)
        yield "]" if value else "[]"
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("JSON has no NaN and no Infinity")
        yield str(value)
    else:
        yield _encode(value)


def _require_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text")  # noqa: TRY004  the reason of a cell
    return value


def _require_writable(text: str) -> None:
    if "\0" in text:
        raise ValueError("it has a NUL character, which no text column can keep")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it has half of a surrogate pair, which is no character") from None


def _shorten_uuid(text: str, length: int) -> str:
    """SQLAlchemy keeps a uuid in 32 characters where the database has no such type; people write 36."""
    return text.replace("-", "").lower() if length == 32 and _UUID.fullmatch(text) else text


_WRITERS: Mapping[Kind, Callable[[Any, bool], str]] = {
    "array": _write_array,
    "boolean": _write_boolean,
    "bytes": _write_bytes,
    "date": _write_date,
    "json": _write_json_cell,
    "moment": _write_moment,
    "zoned-moment": _write_zoned_moment,
}


def read_moment(text: str) -> datetime:
    """A time as ISO 8601 spells it, in UTC if it has an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def read_date(text: str) -> date:
    """Raises ValueError."""
    return date.fromisoformat(text.strip())
