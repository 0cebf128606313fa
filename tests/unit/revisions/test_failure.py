"""What the child says of an error that a driver raised."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from govern.revisions.child.failure import describe_error
from govern.revisions.child.session import Session


class IntegrityError(Exception):
    """As SQLAlchemy's adapter for asyncpg names all of a kind."""


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "<class 'asyncpg.exceptions.CheckViolationError'>: violated\nDETAIL: row",
            "CheckViolationError",
            "violated\nDETAIL: row",
        ),
        (
            "violated by <class 'asyncpg.exceptions.X'>: y",
            "IntegrityError",
            "violated by <class 'asyncpg.exceptions.X'>: y",
        ),
    ],
)
def test_an_error_of_asyncpg_is_called_as_the_driver_calls_it(text: str, kind: str, message: str) -> None:
    journal = SimpleNamespace(revision="r1", statement=None, has_started=True)
    session = cast(Session, SimpleNamespace(journal=journal, request={"dialect": "postgresql"}))
    facts = describe_error(IntegrityError(text), session)
    assert (facts["type"], facts["message"]) == (kind, message)
