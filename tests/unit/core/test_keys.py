"""Names of columns speak of other tables' keys, or do not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from govern.core.keys import Column, family_of, find_candidates
from govern.core.reference import Reference
from govern.core.table_shape import TableShape


def shapes_of(keys: Mapping[str, str]) -> dict[tuple[str, str], TableShape]:
    return {
        ("", table): TableShape(place=("", table), columns=(key,), keys=((key,),))
        for table, key in keys.items()
    }


def candidates(keys: Mapping[str, str], *columns: str, references: tuple[Reference, ...] = ()) -> set[str]:
    """``table.column → table.key`` of all, with a question mark where the name alone does not say it."""
    named = [*columns, *(f"{table}.{key}" for table, key in keys.items())]
    types = {
        Column(("", table), column): "uuid" for table, _, column in (name.partition(".") for name in named)
    }
    found = find_candidates(types, shapes_of(keys), references)
    return {f"{one.column} → {one.key}{'' if one.is_strong else ' ?'}" for one in found}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("users", "notes.user_id"),
        ("user", "notes.user_id"),
        ("users", "notes.author_user_id"),
        ("categories", "notes.category_id"),
        ("boxes", "notes.box_id"),
        ("user_phone_mappings", "logs.phone_mapping_id"),
        ("UserAccounts", "notes.userAccountId"),
        ("addresses", "notes.address_id"),
        ("statuses", "notes.status_id"),
    ],
)
def test_a_name_says_which_table_it_means(table: str, column: str) -> None:
    assert candidates({table: "id"}, column) == {f"{column} → {table}.id"}


@pytest.mark.parametrize(
    "column", ["notes.id", "notes.user", "notes.username", "notes.userid_hash", "users.user_id"]
)
def test_other_names_say_nothing(column: str) -> None:
    assert candidates({"users": "id"}, column) == set()


def test_the_last_word_alone_has_to_be_seen_in_the_values() -> None:
    assert candidates({"conversation_messages": "id"}, "items.source_message_id") == {
        "items.source_message_id → conversation_messages.id ?"
    }


def test_the_name_of_another_tables_key_means_that_key() -> None:
    assert candidates({"states": "conversation_id"}, "messages.conversation_id") == {
        "messages.conversation_id → states.conversation_id"
    }


def test_what_a_name_means_in_other_tables_is_asked_first_and_what_is_known_not_again() -> None:
    known = Reference(
        name="fk", child=("", "notes"), columns=("owner_id",), parent=("", "users"), parent_columns=("id",)
    )
    found = candidates(
        {"users": "id", "owners": "id"}, "notes.owner_id", "files.owner_id", references=(known,)
    )
    assert found == {"files.owner_id → users.id"}


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("integer", "whole numbers"),
        ("BIGINT", "whole numbers"),
        ("int8", "whole numbers"),
        ("character varying(20)", "texts"),
        ("public.citext", "texts"),
        ("uuid", "uuids"),
        ("interval", "interval"),
        ("numeric(10,2)", "numeric"),
        ("public.mood", "mood"),
    ],
)
def test_a_type_has_a_family(kind: str, family: str) -> None:
    assert family_of(kind) == family
