"""A picture of what is different between two schemas: everything that is, marked as what it is, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.diagram import Diagram
from govern.core.diagram_of_change import draw_change, leave_out_same
from govern.core.snapshot import Facts, ObjectKey, Snapshot
from tests.unit.core.test_diagram import IMPLIED, LOGS, NOTES, SCHEMA, USERS, schema_of

KEYED = {"id": "", "pk": "PRIMARY KEY (id)"}


def changed(*without: str, **more: Facts) -> Snapshot:
    """``SCHEMA`` without some objects, and with others: ``index_of_users``… are named by ``more``'s keys."""
    named = {str(key).replace("public.", ""): key for key in SCHEMA.objects}
    gone = {named[name] for name in without}
    objects: dict[ObjectKey, Facts] = {key: facts for key, facts in SCHEMA.objects.items() if key not in gone}
    for name, facts in more.items():
        kind, _, rest = name.partition("_")
        objects[ObjectKey(kind, "public", rest.replace("__", "."))] = facts
    return Snapshot(dialect="postgresql", server_version="18", objects=objects)


def marks(diagram: Diagram) -> Mapping[str, str]:
    """By what is drawn, how it is marked; what is the same is left out."""
    found = {place[1]: table.mark for place, table in diagram.tables.items()}
    for place, table in diagram.tables.items():
        found |= {f"{place[1]}.{column.name}": column.mark for column in table.columns}
        found |= {f"{place[1]}: {remark.text}": remark.mark for remark in table.remarks}
    found |= {str(link): link.mark for link in diagram.links}
    return {name: mark for name, mark in found.items() if mark != "same"}


def test_two_equal_schemas_have_nothing_to_show() -> None:
    diagram = draw_change(SCHEMA, SCHEMA, implied=[IMPLIED], critical=[USERS])
    assert marks(diagram) == {}
    assert leave_out_same(diagram).tables == {}


def test_a_table_that_came_or_went_is_marked_as_a_whole_with_its_lines() -> None:
    of_notes = [str(key).replace("public.", "") for key in SCHEMA.objects if key.name.startswith("notes")]
    smaller = changed(*of_notes)
    came = draw_change(smaller, SCHEMA)
    assert marks(came) == {"notes": "added", "notes.user_id → users.id": "added"}
    assert set(leave_out_same(came).tables) == {NOTES, USERS}
    went = draw_change(SCHEMA, smaller)
    assert marks(went) == {"notes": "removed", "notes.user_id → users.id": "removed"}
    assert len(went.tables[NOTES].columns) == 3


def test_columns_are_marked_and_say_what_they_were() -> None:
    after = changed(
        "column notes.body",
        column_users__email={"type": "text", "nullable": False, "default": "''::text"},
        column_users__phone={"type": "text", "nullable": True},
    )
    drawn = draw_change(SCHEMA, after)
    assert marks(drawn) == {
        "notes": "changed",
        "notes.body": "removed",
        "users": "changed",
        "users.email": "changed",
        "users.phone": "added",
    }
    [email] = [column for column in drawn.tables[USERS].columns if column.name == "email"]
    assert (email.type, email.before) == ("text", "was bigint, was optional, default was nothing")
    assert set(leave_out_same(drawn).tables) == {NOTES, USERS}
    shown = drawn.showing().tables[NOTES]
    assert [column.name for column in shown.columns] == ["id", "user_id", "body"]


def test_a_reference_that_came_is_a_line_and_no_remark() -> None:
    before = changed("constraint notes.fk")
    drawn = draw_change(before, SCHEMA)
    assert marks(drawn) == {
        "notes": "changed",
        "notes.user_id": "changed",
        "notes.user_id → users.id": "added",
    }
    [user_id] = [column for column in drawn.tables[NOTES].columns if column.name == "user_id"]
    assert user_id.before == "was no reference"


def test_what_a_table_has_beside_columns_is_a_remark_and_what_is_in_no_table_is_told() -> None:
    after = changed(
        "constraint logs.pk",
        index_notes__by_body={"definition": "CREATE INDEX"},
        table_users={"row_security": True},
        enum_mood={"labels": ("good",)},
    )
    after = Snapshot(
        dialect="postgresql",
        server_version="18",
        objects={**after.objects, ObjectKey("comment", "public", "column users.email"): {"text": "mail"}},
    )
    drawn = draw_change(SCHEMA, after)
    assert {name: mark for name, mark in marks(drawn).items() if ":" in name} == {
        "logs: constraint pk": "removed",
        "notes: index by_body": "added",
        "users: comment of column email": "added",
        "users: row security: nothing → True": "changed",
    }
    assert drawn.beside == ("enum public.mood added",)


def test_further_lines_around_a_difference_show_tables_that_are_the_same() -> None:
    after = changed(column_logs__level={"type": "text", "nullable": True})
    drawn = draw_change(SCHEMA, after, implied=[IMPLIED])
    assert set(leave_out_same(drawn).tables) == {LOGS}
    assert set(leave_out_same(drawn, depth=1).tables) == {LOGS, NOTES}


def test_a_table_with_another_name_in_sqlite_is_another_table() -> None:
    one, other = schema_of({"a": KEYED}, namespace=""), schema_of({"b": KEYED}, namespace="")
    assert marks(draw_change(one, other)) == {"a": "removed", "b": "added"}
