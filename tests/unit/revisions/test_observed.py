"""From what the child tells of a statement to observations and hazards."""

from __future__ import annotations

from typing import Any

import pytest

from govern.core.hazard import Hazard
from govern.revisions.observed import hazards_of, observations_of, of_last_tries
from govern.revisions.protocol import RevisionStarted, Statement


def statement(sql: str = "ALTER TABLE a", **seen: Any) -> Statement:
    observed = {"is_seen": True, "in_transaction": True, **seen}
    return Statement(sql=sql, seconds=0.1, revision="r1", observed=observed)


def test_names_and_modes_are_spelled_as_people_read_them() -> None:
    seen = statement(locks=[["public", "a b", "ShareRowExclusiveLock"]], rewrites=[["public", "a"]])
    (observation,) = observations_of([seen])
    (lock,) = observation.locks
    assert (lock.table, lock.mode) == ('public."a b"', "SHARE ROW EXCLUSIVE")
    assert observation.rewrites == ("public.a",)


@pytest.mark.parametrize(
    ("old", "new", "sql", "is_rewritten", "is_lossy"),
    [
        ("smallint", "bigint", "", True, False),
        ("integer", "numeric", "", True, False),
        ("bigint", "integer", "", True, True),
        ("integer", "numeric(5,2)", "", True, True),
        ("real", "double precision", "", True, False),
        ("double precision", "real", "", True, True),
        ("character varying(20)", "text", "", False, False),
        ("character varying(20)", "character varying(10)", "", True, False),
        ("character varying(20)", "character varying(10)", "TYPE x USING left(a, 10)", True, True),
        ("text", "integer", "", True, True),
        ("timestamp with time zone", "date", "", True, True),
    ],
)
def test_only_a_new_type_that_may_not_hold_every_value_is_a_hazard(
    old: str, new: str, sql: str, is_rewritten: bool, is_lossy: bool
) -> None:
    seen = statement(sql, retypes=[["public", "a", "b", old, new, is_rewritten]])
    expected = {"r1": (Hazard("retypes-column", "a.b"),)} if is_lossy else {}
    assert hazards_of([seen]) == expected


def test_what_was_not_seen_is_not_taken_for_harmless() -> None:
    assert hazards_of([statement(), statement(is_seen=False)]) is None


def test_a_try_that_was_taken_back_leaves_no_observations() -> None:
    begun, other = (RevisionStarted(revision=name, direction="upgrade") for name in ("r1", "r0"))
    earlier = Statement(sql="CREATE TABLE z", seconds=0.1, revision="r0")
    events = [other, earlier, begun, statement("ALTER TABLE a"), begun, statement("ALTER TABLE b")]
    assert [one.sql for one in of_last_tries(events)] == ["CREATE TABLE z", "ALTER TABLE b"]
