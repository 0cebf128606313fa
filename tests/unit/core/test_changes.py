"""Differences between two snapshots, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.core.changes import (
    Change,
    describe_change,
    describe_renamed,
    diff,
    find_renamed,
    is_spelling_alone,
)
from govern.core.snapshot import Fact, Facts, ObjectKey, Snapshot, join_name, split_name

NOTHING: Facts = {}


def snapshot(**objects: Facts) -> Snapshot:
    """Objects by ``kind__name``; ``__`` in the name is a dot."""
    keyed = {_key(name): facts for name, facts in objects.items()}
    return Snapshot(dialect="postgresql", server_version="18.4", objects=keyed)


def _key(text: str) -> ObjectKey:
    kind, _, name = text.partition("__")
    return ObjectKey(kind, "public", name.replace("__", "."))


def test_equal_snapshots_have_no_changes() -> None:
    schema = snapshot(table__users={}, column__users__id={"type": "integer"})
    assert diff(schema, schema) == ()


def test_what_is_live_only_was_added_and_what_is_declared_only_was_removed() -> None:
    live, declared = snapshot(view__new={"definition": "x"}), snapshot(view__old={"definition": "y"})
    added, removed = diff(declared, live)
    assert (added.action, added.key.name, added.declared, added.live) == (
        "added",
        "new",
        None,
        {"definition": "x"},
    )
    assert (removed.action, removed.key.name, removed.live) == ("removed", "old", None)
    assert removed.facts == {"definition": ("y", None)}
    assert removed.rule_id == "drift.view-removed"


def test_a_change_names_the_facts_that_differ() -> None:
    declared = snapshot(column__users__age={"type": "integer", "nullable": False, "default": "1"})
    live = snapshot(column__users__age={"type": "bigint", "nullable": False, "collation": "C"})
    (change,) = diff(declared, live)
    assert change.action == "changed"
    assert change.facts == {"collation": (None, "C"), "default": ("1", None), "type": ("integer", "bigint")}
    assert describe_change(change) == (
        "column public.users.age: collation should be unset, is C, default should be 1, is unset, "
        "type should be integer, is bigint"
    )


def test_what_is_there_under_another_name_is_known_for_that() -> None:
    unique: Facts = {"type": "unique", "definition": "UNIQUE (a)"}
    owned: Facts = {"owned_by": "public.users.id"}
    declared = snapshot(
        constraint__users__uq_a=unique,
        index__users__ix_a={"definition": "CREATE INDEX ix_a ON public.users USING btree (a)"},
        sequence__users_id_seq=owned,
    )
    live = snapshot(
        constraint__users__users_a_key=unique,
        index__users__of_a={"definition": "CREATE INDEX of_a ON public.users USING btree (a)"},
        sequence__people_id_seq=owned,
    )
    changes = diff(declared, live)
    renamed = find_renamed(changes)
    assert renamed.keys() == {change.key for change in changes}
    assert {
        describe_renamed(change, renamed[change.key]) for change in changes if change.action == "added"
    } == {
        "constraint public.users.users_a_key exists, but is declared as uq_a: only the name differs",
        "index public.users.of_a exists, but is declared as ix_a: only the name differs",
        "sequence public.people_id_seq exists, but is declared as users_id_seq: only the name differs",
    }


def test_what_is_alike_in_another_table_or_twice_is_nobodys_other_name() -> None:
    unique: Facts = {"type": "unique", "definition": "UNIQUE (a)"}
    other_table = diff(snapshot(constraint__users__uq_a=unique), snapshot(constraint__notes__uq_a=unique))
    assert find_renamed(other_table) == {}
    two = snapshot(constraint__users__one=unique, constraint__users__two=unique)
    assert find_renamed(diff(snapshot(constraint__users__uq_a=unique), two)) == {}
    columns = diff(snapshot(column__users__a={"type": "text"}), snapshot(column__users__b={"type": "text"}))
    assert find_renamed(columns) == {}


def test_what_a_new_table_brings_is_not_listed_beside_it() -> None:
    live = snapshot(
        table__users={},
        column__users__id={"type": "integer"},
        index__users__ix={"definition": "…"},
        sequence__users_id_seq={"owned_by": "public.users.id"},
        sequence__other={"owned_by": None},
        comment__x=NOTHING,
    )
    about = {
        ObjectKey("comment", "public", "table users"): {"text": "People"},
        ObjectKey("comment", "public", "column users.id"): {"text": "x"},
        ObjectKey("grant", "public", "table users to reader"): {"privileges": ("SELECT",)},
        ObjectKey("grant", "public", "column users.id to reader"): {"privileges": ("SELECT",)},
        ObjectKey("owner", "public", "table users"): {"role": "x"},
        ObjectKey("owner", "public", "sequence users_id_seq"): {"role": "x"},
    }
    objects = {key: facts for key, facts in {**live.objects, **about}.items() if key.name != "x"}
    full = Snapshot(dialect="postgresql", server_version="18.4", objects=objects)
    for changes in (diff(snapshot(), full), diff(full, snapshot())):
        assert [change.key.name for change in changes] == ["other", "users"]


def test_what_came_to_a_table_that_was_there_is_listed() -> None:
    declared = snapshot(table__users={})
    live = snapshot(table__users={}, column__users__id={}, index__users__ix={})
    assert [change.key.name for change in diff(declared, live)] == ["users.id", "users.ix"]


def test_a_table_of_another_namespace_takes_nothing_along() -> None:
    live = Snapshot(
        dialect="postgresql",
        server_version="18.4",
        objects={ObjectKey("table", "a", "users"): {}, ObjectKey("column", "b", "users.id"): {}},
    )
    assert len(diff(snapshot(), live)) == 2


def test_the_comment_of_an_odd_name_belongs_to_its_table() -> None:
    live = Snapshot(
        dialect="postgresql",
        server_version="18.4",
        objects={
            ObjectKey("table", "public", "a to b.c"): {},
            ObjectKey("comment", "public", 'table "a to b.c"'): {"text": "x"},
            ObjectKey("grant", "public", 'table "a to b.c" to "odd role"'): {"privileges": ()},
        },
    )
    assert [change.key.kind for change in diff(snapshot(), live)] == ["table"]


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_joined_names_split_into_their_parts(parts: list[str]) -> None:
    assert split_name(join_name(*parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("name", "parts"),
    [("users", ("users",)), ("users.email to reader", ("users", "email")), ("touch(public.x)", ("touch",))],
)
def test_what_follows_the_parts_is_left_out(name: str, parts: tuple[str, ...]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("declared", "live", "is_spelling"),
    [
        ("((a AND b) AND c)", "(a AND b AND c)", True),
        (
            "(ARRAY['x'::character varying, NULL::character varying])::text[]",
            "ARRAY[('x'::character varying)::text, (NULL::character varying)::text]",
            True,
        ),
        ("('a'::public.code)::numeric(10,2)", "'a'", True),
        ("(a OR b) AND c", "a OR (b AND c)", True),
        ("a > 1", "a > 2", False),
        ("a = 'x'", "a = 'y'", False),
        ("a AND b", "a OR b", False),
        ("integer", "bigint", False),
        (None, "1", False),
        (True, False, False),
        (("a ((b))", "c"), ("a (b)", "c"), True),
        (("a", "c"), ("a",), False),
    ],
)
def test_spelling_is_casts_brackets_and_white_space(declared: Fact, live: Fact, is_spelling: bool) -> None:
    change = Change(
        key=ObjectKey("constraint", "public", "t.k"), action="changed", facts={"definition": (declared, live)}
    )
    assert is_spelling_alone(change) is is_spelling
