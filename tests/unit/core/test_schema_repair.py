"""What is kept of a repair of the schema, and what its plan says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from govern.core.row_repair import Undoable
from govern.core.schema_repair import Definitions, KeptValues, SchemaPlan, Stage, WholeTable
from govern.core.snapshot import ObjectKey

KEPT = Definitions(
    changed={
        ObjectKey("index", "public", "notes.idx"): None,
        ObjectKey("column", "public", "notes.user_id"): {
            "type": "integer",
            "tags": ("a", "b"),
            "nullable": False,
        },
    },
    values=(KeptValues(place=("public", "notes"), column="user_id", type="text", key=("id",), number=0),),
)


def test_what_is_kept_is_read_as_it_was_written() -> None:
    undoable = Undoable(
        run="r", repair="a", kind="convert_type", made_at=datetime(2026, 1, 1, tzinfo=UTC), definitions=KEPT
    )
    assert Undoable.from_json(json.loads(json.dumps(undoable.to_json()))) == undoable


def test_of_a_rebuilt_index_there_is_nothing_to_take_back() -> None:
    made = Undoable(run="r", repair="a", kind="recreate_missing", made_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert made.has_way_back
    assert not replace(made, kind="rebuild_invalid_index").has_way_back


def test_a_plan_counts_stages_and_the_rows_that_are_written_again() -> None:
    plan = SchemaPlan(
        repair="a",
        kind="convert_type",
        stages=(Stage(statements=("one", "two")), Stage(statements=("three",), why="because")),
        undoes=("a column is text",),
        tables=(
            WholeTable(place=("public", "notes"), rows=3, is_rewritten=True),
            WholeTable(place=("public", "users"), rows=5),
        ),
    )
    assert plan.described() == "3 statements in 2 stages: a column is text; 3 rows written again"
    assert (plan.rows, plan.to_json()["notes"]) == (3, ["because"])
    assert (
        SchemaPlan(repair="a", kind="b", notes=("it is there",)).described()
        == "nothing to repair; it is there"
    )
