"""What a role must be able to do follows from what changed and from what statements aimed at, not from locks alone."""

from __future__ import annotations

import pytest

from govern.core.changes import diff
from govern.core.observation import Observation, TableLock
from govern.core.right import Right, find_rights
from govern.core.snapshot import Facts, ObjectKey, Snapshot

USERS = ObjectKey("table", "public", "users")
BEFORE: dict[ObjectKey, Facts] = {
    ObjectKey("schema", "", "public"): {},
    USERS: {},
    ObjectKey("table", "public", "notes"): {},
    ObjectKey("column", "public", "users.email"): {"type": "text"},
    ObjectKey("enum", "public", "mood"): {"labels": ("a",)},
}


def schema(objects: dict[ObjectKey, Facts]) -> Snapshot:
    return Snapshot(dialect="postgresql", server_version="18.4", objects=objects)


def rights(after: dict[ObjectKey, Facts], *observations: Observation) -> set[str]:
    before = schema(BEFORE)
    found = find_rights(diff(before, schema(after)), observations, before)
    return {f"{right.ability} {right.subject}" for right in found}


def ran(sql: str, *locks: tuple[str, str]) -> Observation:
    taken = tuple(TableLock(table=table, mode=mode) for table, mode in locks)
    return Observation(revision="r3", sql=sql, seconds=0.0, in_transaction=True, locks=taken)


def without(key: ObjectKey) -> dict[ObjectKey, Facts]:
    return {known: facts for known, facts in BEFORE.items() if known != key}


@pytest.mark.parametrize(
    ("after", "needed"),
    [
        (BEFORE, set[str]()),
        ({**BEFORE, ObjectKey("column", "public", "users.nick"): {}}, {"owns public.users"}),
        ({**BEFORE, ObjectKey("enum", "public", "mood"): {"labels": ("a", "b")}}, {"owns public.mood"}),
        ({**BEFORE, ObjectKey("trigger", "public", "users.t"): {}}, {"triggers public.users"}),
        (
            {**BEFORE, ObjectKey("index", "public", "users.i"): {}},
            {"owns public.users", "creates schema public"},
        ),
        ({**BEFORE, ObjectKey("view", "public", "v"): {}}, {"creates schema public"}),
        (without(ObjectKey("table", "public", "notes")), {"owns-or-drops public.notes"}),
        (
            {**BEFORE, ObjectKey("schema", "", "new"): {}, ObjectKey("table", "new", "t"): {}},
            {"creates the database"},
        ),
    ],
    ids=["nothing", "column", "enum", "trigger", "index", "view", "drop", "schema"],
)
def test_a_change_needs_the_owner_or_the_right_to_create(
    after: dict[ObjectKey, Facts], needed: set[str]
) -> None:
    assert rights(after) == needed


def test_what_came_and_went_again_needed_the_owner_all_the_same() -> None:
    altered = ran('ALTER TABLE ONLY public."users" ADD COLUMN x int', ("public.users", "ACCESS EXCLUSIVE"))
    indexed = ran("CREATE INDEX i ON notes (body)", ("public.notes", "SHARE"))
    assert rights(BEFORE, altered, indexed) == {"owns public.users", "owns public.notes"}


def test_a_table_that_is_locked_for_anothers_sake_need_not_be_owned() -> None:
    """Who drops a child locks its parent; who refers to a table needs that right alone."""
    dropped = ran(
        "DROP TABLE notes", ("public.notes", "ACCESS EXCLUSIVE"), ("public.users", "ACCESS EXCLUSIVE")
    )
    assert rights(BEFORE, dropped) == set()
    refers = ran("CREATE TABLE t (u int REFERENCES users (id))", ("public.users", "SHARE ROW EXCLUSIVE"))
    assert rights(BEFORE, refers) == {"references public.users"}


def test_rows_need_no_owner_and_a_table_of_the_run_is_its_own() -> None:
    wrote = ran("UPDATE users SET email = ''", ("public.users", "ROW EXCLUSIVE"))
    made = ran("ALTER TABLE made ADD COLUMN x int", ("public.made", "ACCESS EXCLUSIVE"))
    assert rights(BEFORE, wrote, made) == set()


def test_rights_sort_and_name_what_they_are_about() -> None:
    assert Right("creates", "schema", "od d", "od d").subject == 'schema "od d"'
    assert sorted([Right("owns", "relation", "b", "t"), Right("creates", "database", "", "")])
