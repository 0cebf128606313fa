"""The modules of PostgreSQL that are imported when they are first named."""

from __future__ import annotations

import types

import pytest

from govern.database import postgresql


@pytest.mark.parametrize("name", postgresql.__all__)
def test_each_that_is_named_is_there(name: str) -> None:
    assert isinstance(getattr(postgresql, name), types.ModuleType)


def test_no_other_is() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        postgresql.nonsense  # noqa: B018
