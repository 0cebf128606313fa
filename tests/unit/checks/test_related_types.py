"""Columns that hold the same keys: of one family of types, or found."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from govern.checks.related_types import check_related_types
from govern.core.reference import Reference
from govern.core.snapshot import Facts, ObjectKey, Snapshot


def snapshot(columns: Mapping[str, str]) -> Snapshot:
    """Of tables in ``public``: ``{"users.id": "uuid"}``."""
    objects: dict[ObjectKey, Facts] = {}
    for name, kind in columns.items():
        objects[ObjectKey("table", "public", name.partition(".")[0])] = {}
        objects[ObjectKey("column", "public", name)] = {"type": kind}
    return Snapshot(dialect="postgresql", server_version="18", objects=objects)


def reference(child: str, parent: str, name: str | None = "fk") -> Reference:
    (table, column), (other, other_column) = child.split("."), parent.split(".")
    return Reference(
        name=name,
        child=("public", table),
        columns=(column,),
        parent=("public", other),
        parent_columns=(other_column,),
    )


def find(columns: Mapping[str, str], *references: Reference) -> list[str]:
    return [finding.message for finding in check_related_types(snapshot(columns), references)]


def test_an_implied_reference_across_types_is_found() -> None:
    columns = {"states.id": "uuid", "messages.state_id": "text"}
    assert find(columns, reference("messages.state_id", "states.id", None)) == [
        "messages.state_id is text, and states.id, whose values it holds, is uuid"
    ]


def test_a_name_means_in_one_table_what_foreign_keys_say_it_means_in_others() -> None:
    columns = {"users.id": "integer", "notes.user_id": "integer", "logs.user_id": "character varying(40)"}
    assert find(columns, reference("notes.user_id", "users.id")) == [
        "logs.user_id is character varying(40), and users.id, whose values it holds, is integer"
    ]


def test_a_name_that_means_two_things_means_nothing() -> None:
    columns = {
        "users.id": "integer",
        "groups.id": "integer",
        "notes.owner_id": "integer",
        "files.owner_id": "integer",
        "logs.owner_id": "text",
    }
    references = reference("notes.owner_id", "users.id"), reference("files.owner_id", "groups.id")
    assert find(columns, *references) == []


def test_a_key_that_refers_to_one_of_its_own_name_says_nothing_of_others() -> None:
    columns = {"users.id": "integer", "profiles.id": "integer", "logs.id": "uuid"}
    assert find(columns, reference("profiles.id", "users.id")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bigint", "integer"),
        ("text", "character varying(80)"),
        ("INTEGER", "BIGINT"),
        ("VARCHAR(36)", "CHAR(36)"),
        ("public.citext", "text"),
        ("numeric(10,2)", "numeric(12,0)"),
    ],
)
def test_types_of_one_family_are_related(one: str, other: str) -> None:
    assert find({"users.id": one, "notes.user_id": other}, reference("notes.user_id", "users.id")) == []
    assert find({"users.id": one, "notes.user_id": "date"}, reference("notes.user_id", "users.id"))
