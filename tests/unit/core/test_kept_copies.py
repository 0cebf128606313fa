"""What of a repair's copies may go: what is old enough and done, and what somebody names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from govern.core.kept_copies import Kept, decide
from govern.core.row_repair import Undoable

NOW = datetime(2031, 5, 1, tzinfo=UTC)
SPAN = timedelta(days=90)


def kept(days: int, *, is_finished: bool = True) -> Kept:
    undoable = Undoable(
        run="r1",
        repair="old",
        kind="delete_where",
        made_at=NOW - timedelta(days=days),
        batches=2,
        is_finished=is_finished,
    )
    return Kept(undoable=undoable, rows=1, bytes=1)


@pytest.mark.parametrize(
    ("one", "older_than", "named", "stays", "why"),
    [
        (kept(91), SPAN, (), False, "older than 90 days"),
        (kept(89), SPAN, (), True, "younger than 90 days"),
        (kept(91, is_finished=False), SPAN, (), True, "it broke off after 2 batches"),
        (kept(1, is_finished=False), SPAN, ("r1",), False, "it was named"),
        (kept(999), None, ("r2",), True, "it was not named"),
        (kept(0), timedelta(minutes=30), (), True, "younger than 30 minutes"),
    ],
)
def test_each_says_why(
    one: Kept, older_than: timedelta | None, named: tuple[str, ...], stays: bool, why: str
) -> None:
    fate = decide(one, older_than=older_than, named=named, now=NOW)
    assert fate.stays is stays
    assert fate.why.startswith(why)
