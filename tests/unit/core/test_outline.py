"""What changes between two schemas, as the lines of a diff."""

from __future__ import annotations

from govern.core.outline import count_changes, outline
from govern.core.snapshot import Facts, ObjectKey, Snapshot


def make(**objects: Facts) -> Snapshot:
    """``column__users_id`` is ``column public.users.id``."""
    keys = {
        ObjectKey(kind, "public", ".".join(rest.split("_"))): facts
        for name, facts in objects.items()
        for kind, _, rest in [name.partition("__")]
    }
    return Snapshot(dialect="postgresql", server_version="18", objects=keys)


INTEGER: Facts = {"type": "integer", "nullable": False}
USERS = {"table__users": {}, "column__users_id": INTEGER}


def read(before: Snapshot, after: Snapshot) -> list[str]:
    return [line for one in outline(before, after) for line in one.lines]


def test_a_new_table_comes_with_what_is_in_it() -> None:
    notes = {
        "table__notes": {},
        "constraint__notes_pkey": {"definition": "PRIMARY KEY (id)"},
        "column__notes_id": {**INTEGER, "default": "1"},
    }
    before, after = make(**USERS), make(**USERS, **notes)
    lines = [
        "table public.notes",
        "  column id: integer not null default 1",
        "  constraint pkey: PRIMARY KEY (id)",
    ]
    assert read(before, after) == [f"+ {line}" for line in lines]
    assert read(after, before) == [f"- {line}" for line in lines]


def test_what_is_another_is_said_with_what_it_was() -> None:
    before = make(**USERS, view__names={"definition": "SELECT a\nFROM b"})
    after = make(
        table__users={},
        column__users_id={**INTEGER, "type": "bigint"},
        view__names={"definition": "SELECT a\nFROM c"},
    )
    assert read(before, after) == [
        "  view public.names",
        "-   definition: SELECT a",
        "-   definition: FROM b",
        "+   definition: SELECT a",
        "+   definition: FROM c",
        "  column public.users.id",
        "-   type: integer",
        "+   type: bigint",
    ]


def test_changes_are_counted_by_kind() -> None:
    before = make(**USERS)
    after = make(**USERS, column__users_age=INTEGER, column__users_nick=INTEGER, table__notes={})
    assert count_changes(outline(before, after)) == "2 columns added, 1 table added"
    assert count_changes(outline(before, before)) == ""
