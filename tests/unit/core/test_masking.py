"""No secret is seen, however it is written."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest

from govern.core.masking import Mask, names_secret

SECRET = 'p&ss "wörd"/+'
MASKED = Mask([SECRET, ""])


@pytest.mark.parametrize("written", [SECRET, quote(SECRET), quote_plus(SECRET), json.dumps(SECRET)])
def test_a_secret_is_masked_in_every_spelling(written: str) -> None:
    assert MASKED.hide(f"before {written} after") in ("before *** after", 'before "***" after')


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"access_token": "abc", "id": 7}', '{"access_token": "***", "id": 7}'),
        ('{"password":"a\\"b","n":1}', '{"password":"***","n":1}'),
        ('{"secret": "cut off', '{"secret": "***"'),
        ("user=ada&client_secret=abc&x=1", "user=ada&client_secret=***&x=1"),
        ("GET /x?token=abc", "GET /x?token=***"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln.", "Bearer ***."),
    ],
)
def test_what_stands_under_a_secret_name_is_masked(text: str, masked: str) -> None:
    assert Mask().hide(text) == masked


@pytest.mark.parametrize(
    "text", ['{"token_type": "bearer", "id": "a=b"}', "a=b&c=d", "tokens: 3", "eyJust words"]
)
def test_nothing_else_is(text: str) -> None:
    assert Mask(["x" * 20]).hide(text) == text


def test_a_name_says_whether_it_is_one() -> None:
    secret = (
        "password",
        "Authorization",
        "X-Api-Key",
        "access_token",
        "csrf-token",
        "Set-Cookie",
        "sessionId",
    )
    plain = ("token_type", "email", "passport", "tokens", "cookie_banner", "author")
    assert [name for name in (*secret, *plain) if names_secret(name)] == list(secret)
