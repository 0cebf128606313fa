"""What a file says becomes the text of one value; what could be two is refused with the reason."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.core.coercion import write_cell
from govern.core.exports import Column, Kind

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def write(value: Any, kind: Kind, *, from_csv: bool = False, **facts: Any) -> str | None:
    return write_cell(value, Column(name="c", type="t", kind=kind, **facts), from_csv=from_csv)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "number", None),
        (Decimal("0.10"), "number", "0.10"),
        (2**70, "number", str(2**70)),
        (float("nan"), "number", "nan"),
        (True, "boolean", "true"),
        (0, "boolean", "false"),
        ("Yes", "boolean", "true"),
        ("", "text", ""),
        (17, "text", "17"),
        ({"a": [Decimal("1.50"), None]}, "text", '{"a": [1.50, null]}'),
        ({"a": "ö"}, "json", '{"a": "ö"}'),
        ("plain", "json", '"plain"'),
        ('{"a": 1}', "json", '{"a": 1}'),
        ("[not json", "json", '"[not json"'),
        (Decimal("12345678901234567890.123456789"), "json", "12345678901234567890.123456789"),
        ("2025-01-02T03:04:05Z", "moment", "2025-01-02T03:04:05Z"),
        ("2025-01-02", "moment", "2025-01-02"),
        ("2025-01-02T03:04:05+00:00", "moment", "2025-01-02T03:04:05+00:00"),
        ("2025-01-02T03:04:05+02:00", "zoned-moment", "2025-01-02T03:04:05+02:00"),
        (1700000000, "zoned-moment", "2023-11-14 22:13:20+00:00"),
        (1700000000123, "moment", "2023-11-14 22:13:20.123000+00:00"),
        (Decimal("1700000000.5"), "moment", "2023-11-14 22:13:20.500000+00:00"),
        (1699920000, "date", "2023-11-14"),
        ("2023-11-14T00:00:00.000Z", "date", "2023-11-14"),
        ("2023-11-14", "date", "2023-11-14"),
        ("\\xDEad", "bytes", "\\xDEad"),
        ("", "bytes", "\\x"),
        ("3q2+7w==", "bytes", "\\xdeadbeef"),
        ("deadbeefdeadbeefdeadbeefdeadbeef", "bytes", "\\xdeadbeefdeadbeefdeadbeefdeadbeef"),
        ("dead00", "bytes", "\\xdead00"),
        (["a", 'b"\\', None, [1]], "array", '{"a","b\\"\\\\",NULL,{"1"}}'),
        ("{a,b}", "array", "{a,b}"),
    ],
)  # fmt: skip
def test_a_value_with_one_meaning_is_written_as_the_database_reads_it(
    value: Any, kind: Kind, text: str | None
) -> None:
    assert write(value, kind) == text


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        (2, "boolean", "neither true nor false"),
        (20250102, "moment", "no certain time"),
        (True, "moment", "no text"),
        ("2025-01-02 03:04:05+02", "moment", "the offset .02 from UTC"),
        (1700000000, "date", "the time of a day"),
        ("2025-01-02T03:04:05", "date", "the time of a day"),
        ("dead", "bytes", "base64 and as hexadecimal"),
        ("\\xdea", "bytes", "pairs of hexadecimal digits"),
        ("***", "bytes", "neither base64 nor hexadecimal"),
        ({"a": 1}, "array", "no array"),
        ({"a": float("nan")}, "json", "JSON compliant"),
        ("a\0b", "text", "NUL"),
        ("\ud800", "text", "surrogate"),
    ],
)
def test_a_value_without_a_certain_meaning_is_refused(value: Any, kind: Kind, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write(value, kind)


def test_an_empty_cell_of_csv_is_null_where_it_can_be() -> None:
    assert write("", "number", from_csv=True) is None
    assert write("", "text", from_csv=True) is None
    assert write("", "text", from_csv=True, is_nullable=False) == ""
    assert write("", "text") == ""


def test_a_text_is_not_cut_off_and_a_uuid_of_32_characters_loses_its_dashes() -> None:
    assert write("abc  ", "text", max_length=3) == "abc  "
    with pytest.raises(ValueError, match="4 characters"):
        write("abcd", "text", max_length=3)
    written = write("550E8400-e29b-41d4-a716-446655440000", "text", max_length=32)
    assert written == "550e8400e29b41d4a716446655440000"


@settings(max_examples=300, deadline=None)
@given(_JSON, st.sampled_from(get_args(Kind)), st.booleans())
def test_whatever_json_has_becomes_text_or_a_reason(value: Any, kind: Kind, from_csv: bool) -> None:
    text: str | None = ""
    with contextlib.suppress(ValueError):
        text = write(value, kind, from_csv=from_csv)
    assert text is None or b"\0" not in text.encode()
