"""Hazards, by name."""

from __future__ import annotations

import pytest

from govern.core.changes import diff
from govern.core.hazard import Hazard, hazard_of, hazards_of_changing
from govern.core.snapshot import Facts, ObjectKey, Snapshot

AGE = ObjectKey("column", "public", "users.age")


def test_a_hazard_concerns_the_object_of_its_namespace_alone() -> None:
    assert Hazard("drops-column", "users.age").concerns(AGE)
    assert not Hazard("drops-column", "users.age").concerns(AGE._replace(namespace="app"))
    assert Hazard("drops-column", "app.users.age").concerns(AGE._replace(namespace="app"))
    assert Hazard("drops-enum-value", "mood.sad").concerns(ObjectKey("enum", "public", "mood"))


def schema(*columns: str, type_: str = "integer") -> Snapshot:
    objects: dict[ObjectKey, Facts] = {}
    for column in columns:
        objects[ObjectKey("table", "", column.split(".")[0])] = {}
        objects[ObjectKey("column", "", column)] = {"type": type_}
    return Snapshot(dialect="sqlite", server_version="3.45.1", objects=objects)


def lost(before: Snapshot, after: Snapshot, *statements: str) -> set[str]:
    return {str(hazard) for hazard in hazards_of_changing(diff(before, after), statements)}


def test_what_is_gone_afterwards_is_lost() -> None:
    before = schema("users.id", "users.nick", "notes.id")
    assert lost(before, schema("users.id", "notes.id")) == {"drops-column:users.nick"}
    assert lost(before, schema("users.id", "users.nick")) == {"drops-table:notes"}


def test_a_column_of_another_type_may_have_lost_values() -> None:
    assert lost(schema("a.b"), schema("a.b", type_="text")) == {"retypes-column:a.b"}


def test_what_is_new_loses_nothing() -> None:
    assert lost(schema("a.b"), schema("a.b", "a.c", "d.e")) == set()


def test_what_was_renamed_is_not_lost_and_what_was_dropped_beside_it_is() -> None:
    renamed = 'ALTER TABLE "users" RENAME TO people'
    assert lost(schema("users.id", "notes.id"), schema("people.id"), renamed) == {"drops-table:notes"}
    assert lost(schema("users.id"), schema("users.key"), "alter table users rename column id to key") == set()
    assert lost(schema("users.id"), schema("users.key"), 'ALTER TABLE users RENAME "id" TO "key"') == set()
    assert lost(schema("users.id"), schema("people.id"), "ALTER TABLE other RENAME TO people") != set()


def test_the_namespace_is_said_unless_it_is_public() -> None:
    assert hazard_of("drops-table", "public", "users") == Hazard("drops-table", "users")
    assert str(hazard_of("drops-column", "billing", "a", "b c")) == 'drops-column:billing.a."b c"'


def test_a_hazard_names_the_whole_that_it_is_done_to_however_it_is_written() -> None:
    assert Hazard("drops-column", 'stock."odd.name".nick').whole == "odd.name"
    assert Hazard("drops-enum-value", "mood.bad").whole == "mood"
    assert Hazard("drops-table", "stock.parts").whole == "parts"


def test_a_hazard_is_read_as_it_is_written_and_an_unknown_one_is_none() -> None:
    hazard = Hazard("drops-column", 'stock."a:b".nick')
    assert Hazard.parse(str(hazard)) == hazard
    with pytest.raises(KeyError, match="drops-everything"):
        Hazard.parse("drops-everything:users")
