"""What a view reads, in the words of both engines."""

from __future__ import annotations

import pytest

from govern.core.snapshot import ObjectKey, Snapshot
from govern.core.view_sources import find_view_sources

KNOWN = [
    ("public", "notes"),
    ("public", "users"),
    ("audit", "Odd, (t)"),
    ("public", "busy"),
    ("public", "year"),
]


def read(definition: str, namespace: str = "public") -> list[str]:
    objects = {ObjectKey("view", namespace, "busy"): {"definition": definition}}
    snapshot = Snapshot(dialect="postgresql", server_version="18", objects=objects)
    known = [(namespace if place[0] == "public" else place[0], place[1]) for place in KNOWN]
    return [name for _, name in find_view_sources(snapshot, "view", (namespace, "busy"), known)]


@pytest.mark.parametrize(
    "definition",
    [
        "SELECT n.id FROM (public.notes n JOIN public.users u ON ((u.id = n.user_id)))",
        "SELECT 1 FROM public.notes, LATERAL (SELECT max(id) FROM public.users) m",
        "WITH w AS (SELECT id FROM notes) SELECT * FROM w, users",
        "CREATE VIEW busy AS SELECT * FROM notes -- not year\n JOIN [users] USING (id) /* FROM year */",
        'CREATE VIEW busy AS SELECT "year" FROM `notes` LEFT JOIN "users" ON \'FROM year\' = year.id',
    ],
)
def test_what_stands_where_a_table_has_to_stand_is_read(definition: str) -> None:
    assert read(definition) == ["notes", "users"]


def test_a_name_of_sqlite_needs_no_namespace() -> None:
    assert read("CREATE VIEW busy AS SELECT users FROM notes WHERE year > 1", namespace="") == ["notes"]


def test_odd_names_are_read_and_those_of_other_namespaces() -> None:
    assert read('SELECT 1 FROM audit."Odd, (t)"') == ["Odd, (t)"]
    assert read("SELECT 1 FROM elsewhere.notes") == []


def test_a_view_does_not_read_itself() -> None:
    assert read("WITH RECURSIVE busy AS (SELECT id FROM busy) SELECT * FROM public.busy JOIN notes") == [
        "notes"
    ]
