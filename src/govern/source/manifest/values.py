"""What the manifest's values may be written as, and what they are read into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
)

from govern.core.finding import Severity

Scalar = str | int | float | bool | None


def split_table(name: str) -> tuple[str | None, str]:
    """``public.users`` as namespace and table; the namespace is None where none is written."""
    namespace, _, table = name.rpartition(".")
    return namespace or None, table


def split_column(name: str) -> tuple[str | None, str, str]:
    """``public.users.email`` as namespace, table and column."""
    table, _, column = name.rpartition(".")
    return *split_table(table), column


def _dotted(parts: str, *counts: int) -> Any:
    def check(name: str) -> str:
        if name.count(".") + 1 not in counts or not all(part.strip() for part in name.split(".")):
            message = f"must be written as {parts}"
            raise ValueError(message)
        return name

    return AfterValidator(check)


def _parse_severity(label: object) -> object:
    try:
        return Severity.parse(label) if isinstance(label, str) else label
    except KeyError:
        message = f"must be one of {', '.join(severity.label for severity in Severity)}"
        raise ValueError(message) from None


def _parse_date(text: object) -> object:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        message = "must be a day, written as 2031-12-31"
        raise ValueError(message) from None


_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = rf"([0-9]{{1,6}})\s*({'|'.join(_UNITS)})"
_LONGEST_SPAN = timedelta(days=36_500)


def parse_span(text: object) -> timedelta:
    """``90 min``, ``26 h``, ``7 d``, ``2 w``. Raises ValueError."""
    found = re.fullmatch(_SPAN, str(text))
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= _LONGEST_SPAN:
        message = "must be a span of time, written as 90 min, 26 h, 7 d or 2 w"
        raise ValueError(message)
    return span


HOURS = r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])"


def check_hours(text: str) -> str:
    found = re.fullmatch(HOURS, text)
    if found is None or (found[1], found[2]) == (found[3], found[4]):
        message = "must be a part of the day, written as 22:00-06:00"
        raise ValueError(message)
    return text


def check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "must be a time zone that this machine knows, as Europe/Berlin"
        raise ValueError(message) from None
    return name


def _names_to_mapping(columns: object) -> object:
    """``[id, email]`` is short for ``{id: null, email: null}``."""
    if not isinstance(columns, tuple):
        return columns
    for column in columns:
        if not isinstance(column, str):
            message = f"must be a list of column names, or a mapping of name to type; {column!r} is no name"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors, not TypeErrors
    return dict.fromkeys(columns)


def _names_to_groups(columns: object) -> object:
    """``[email, [tenant_id, slug]]`` is short for ``[[email], [tenant_id, slug]]``."""
    if not isinstance(columns, tuple):
        return columns
    return tuple((one,) if isinstance(one, str) else one for one in columns)


def _check_scalar(value: object) -> object:
    if isinstance(value, tuple | dict):
        message = "must be a single value"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors, not TypeErrors
    return value


Text = Annotated[str, Field(min_length=1)]
TableName = Annotated[str, _dotted("table or schema.table", 1, 2)]
ColumnName = Annotated[str, _dotted("table.column or schema.table.column", 2, 3)]
SeverityLabel = Annotated[
    Severity,
    BeforeValidator(_parse_severity),
    WithJsonSchema({"enum": [severity.label for severity in Severity]}),
]
Day = Annotated[date, BeforeValidator(_parse_date), WithJsonSchema({"type": "string", "format": "date"})]
Span = Annotated[
    timedelta,
    BeforeValidator(parse_span),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPAN}$", "examples": ["90 min", "26 h", "7 d", "2 w"]}),
]

NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}}
RequiredColumns = Annotated[
    Mapping[Text, Text | None],
    BeforeValidator(_names_to_mapping),
    WithJsonSchema(
        {"anyOf": [NAMES, {"type": "object", "additionalProperties": {"type": ["string", "null"]}}]}
    ),
]
Groups = Annotated[
    tuple[tuple[Text, ...], ...],
    BeforeValidator(_names_to_groups),
    WithJsonSchema({"type": "array", "items": {"anyOf": [{"type": "string"}, NAMES]}}),
]
Expected = Annotated[
    Scalar,
    BeforeValidator(_check_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]


class Entry(BaseModel):
    """Something in the manifest; it knows its line, for the findings about it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)
    _line: int = PrivateAttr(default=1)

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self._line
