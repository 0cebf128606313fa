"""Which changes of a column's type can lose values."""

from __future__ import annotations

import pytest

from govern.database.postgresql.repair.losses import is_widening

WIDER = [
    ("smallint", "integer"),
    ("integer", "bigint"),
    ("bigint", "numeric"),
    ("character varying(20)", "character varying(40)"),
    ("character varying(20)", "text"),
    ("integer", "text"),
    ("numeric(10,2)", "numeric(12,2)"),
    ("numeric(10,2)", "numeric"),
    ("real", "double precision"),
    ("date", "timestamp without time zone"),
]


@pytest.mark.parametrize(("old", "new"), WIDER)
def test_a_wider_type_holds_every_value(old: str, new: str) -> None:
    assert is_widening(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((new, old) for old, new in WIDER),
        ("numeric(10,2)", "numeric(10,4)"),  # fewer digits before the point
        ("character(5)", "text"),  # blanks at the end are dropped
        ("timestamp without time zone", "timestamp with time zone"),
        ("json", "jsonb"),  # order and duplicates of keys are
        ("public.mood", "public.other"),
    ],
)
def test_any_other_change_of_type_may_lose_some(old: str, new: str) -> None:
    assert not is_widening(old, new)
