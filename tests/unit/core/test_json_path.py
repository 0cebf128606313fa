"""Places in a JSON document."""

from __future__ import annotations

import re
from typing import Any

import pytest

from govern.core.json_path import JSON_PATH, NothingThere, find_value

DOCUMENT: Any = {"a": {"b": [1, {"c": None}]}, "x.y": 2, "token": "t"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("token", "t"), ("$.token", "t"), ("a.b[0]", 1), ("$.a.b[1].c", None), ('["x.y"]', 2), ("$", DOCUMENT)],
)
def test_it_finds_what_is_there(path: str, value: object) -> None:
    assert re.match(JSON_PATH, path)
    assert find_value(DOCUMENT, path) == value


@pytest.mark.parametrize("path", ["b", "a.b[2]", "a[0]", "token.length", "a.b.c", "token[0]", "a.b[1].c.d"])
def test_it_says_what_is_not(path: str) -> None:
    assert re.match(JSON_PATH, path)
    with pytest.raises(NothingThere):
        find_value(DOCUMENT, path)


@pytest.mark.parametrize("path", ["", "$.", "a..b", "a[-1]", "a[*]", "$..a", "a b", "[0"])
def test_what_is_no_path_is_none(path: str) -> None:
    assert not re.match(JSON_PATH, path)
