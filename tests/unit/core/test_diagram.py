"""What a picture of a schema shows, made from a snapshot as a lock has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from govern.core.clustering import find_clusters
from govern.core.declared_keys import read_declared_keys
from govern.core.diagram import Diagram, draw_schema
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.core.snapshot import Facts, ObjectKey, Snapshot, join_name

USERS, NOTES, LOGS = ("public", "users"), ("public", "notes"), ("public", "logs")


def schema_of(tables: Mapping[str, Mapping[str, str]], *, namespace: str = "public") -> Snapshot:
    """Tables, each with columns and constraints: ``{"notes": {"user_id": "", "pk": "PRIMARY KEY (id)"}}``."""
    objects: dict[ObjectKey, Facts] = {}
    for table, parts in tables.items():
        objects[ObjectKey("table", namespace, table)] = {}
        for name, definition in parts.items():
            inside = join_name(table, name)
            if definition:
                kind = definition.partition("(")[0].strip().lower()
                objects[ObjectKey("constraint", namespace, inside)] = {"type": kind, "definition": definition}
            else:
                objects[ObjectKey("column", namespace, inside)] = {"type": "bigint", "nullable": name != "id"}
    return Snapshot(dialect="postgresql", server_version="18", objects=objects)


SCHEMA = schema_of(
    {
        "users": {"id": "", "email": "", "pk": "PRIMARY KEY (id)"},
        "notes": {
            "id": "",
            "user_id": "",
            "body": "",
            "pk": "PRIMARY KEY (id)",
            "fk": "FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE",
        },
        "logs": {"id": "", "note_id": "", "at": "", "pk": "PRIMARY KEY (id)"},
    }
)
IMPLIED = Reference(child=LOGS, columns=("note_id",), parent=NOTES, parent_columns=("id",))


def test_a_table_shows_its_keys_and_counts_its_other_columns() -> None:
    notes = draw_schema(SCHEMA).showing("keys").tables[NOTES]
    assert [(key.name, key.is_primary, key.refers_to) for key in notes.columns] == [
        ("id", True, None),
        ("user_id", False, USERS),
    ]
    assert notes.hidden_columns == 1


def test_what_the_manifest_says_is_drawn_beside_the_foreign_keys() -> None:
    diagram = draw_schema(SCHEMA, implied=[IMPLIED], critical=[USERS]).with_states({NOTES: "missing"})
    assert [(str(link.reference), link.is_implied) for link in diagram.links] == [
        ("notes.user_id → users.id", False),
        ("logs.note_id → notes.id", True),
    ]
    assert diagram.critical == {USERS}
    assert {place: table.state for place, table in diagram.tables.items()} == {
        USERS: "unknown",
        NOTES: "missing",
        LOGS: "unknown",
    }


def test_a_reference_to_a_table_that_nothing_declares_is_left_out() -> None:
    elsewhere = Reference(child=LOGS, columns=("note_id",), parent=("audit", "notes"), parent_columns=("id",))
    assert len(draw_schema(SCHEMA, implied=[elsewhere]).links) == 1


def test_around_a_table_are_its_neighbours_and_not_theirs() -> None:
    around = draw_schema(SCHEMA, implied=[IMPLIED]).around([LOGS])
    assert set(around.tables) == {LOGS, NOTES}
    assert [str(link.reference) for link in around.links] == ["logs.note_id → notes.id"]


def test_partitions_are_drawn_as_the_table_that_they_are_of() -> None:
    objects = dict(SCHEMA.objects)
    objects[ObjectKey("table", "public", "logs_2026")] = {"partition_of": "public.logs"}
    snapshot = Snapshot(dialect="postgresql", server_version="18", objects=objects)
    assert set(draw_schema(snapshot).tables) == {USERS, NOTES, LOGS}


@pytest.mark.parametrize("key", ["PRIMARY KEY (user_id)", "UNIQUE (user_id)"])
def test_a_reference_that_is_a_key_itself_is_of_one_row_at_most(key: str) -> None:
    foreign = "FOREIGN KEY (user_id) REFERENCES public.users(id)"
    users = {"id": "", "pk": "PRIMARY KEY (id)"}
    one = schema_of({"users": users, "settings": {"user_id": "", "k": key, "fk": foreign}})
    many = schema_of({"users": users, "settings": {"user_id": "", "fk": foreign}})
    assert [link.is_single for link in draw_schema(one).links] == [True]
    assert [link.is_single for link in draw_schema(many).links] == [False]


@pytest.mark.parametrize(
    ("definition", "columns", "parent_columns"),
    [
        ('FOREIGN KEY ("a,b", c) REFERENCES public."Odd (one)"("x""y", z)', ("a,b", "c"), ('x"y', "z")),
        ("FOREIGN KEY (`a b`) REFERENCES [Odd (one)] ([x y]) ON DELETE SET NULL", ("a b",), ("x y",)),
        ('FOREIGN KEY (a) REFERENCES "odd (ONE)"', ("a",), ("id",)),
    ],
)
def test_foreign_keys_are_read_in_the_words_of_both_engines(
    definition: str, columns: tuple[str, ...], parent_columns: tuple[str, ...]
) -> None:
    snapshot = schema_of({"Odd (one)": {"id": "", "pk": "PRIMARY KEY (id)"}, "child": {"fk": definition}})
    [reference] = read_declared_keys(snapshot).references.values()
    assert (reference.columns, reference.parent_columns) == (columns, parent_columns)
    assert reference.parent == ("public", "Odd (one)")


def islands(*sizes: int) -> Diagram:
    """Stars of tables: in each all refer to the first."""
    tables = {}
    for island, size in enumerate(sizes):
        for at in range(size):
            foreign = {"fk": f"FOREIGN KEY (hub) REFERENCES public.t{island}_00(id)"} if at else {}
            tables[f"t{island}_{at:02}"] = {"id": "", "hub": "", "pk": "PRIMARY KEY (id)", **foreign}
    return draw_schema(schema_of(tables))


def test_tables_that_refer_to_each_other_are_one_cluster() -> None:
    clusters = find_clusters(islands(6, 9))
    assert [(cluster.centre, len(cluster.tables)) for cluster in clusters] == [
        (("public", "t1_00"), 9),
        (("public", "t0_00"), 6),
    ]


def test_tables_that_belong_to_no_cluster_are_together_in_the_last_one() -> None:
    last = find_clusters(islands(3, 1, 1))[-1]
    assert last.centre is None
    assert last.tables == {("public", "t1_00"), ("public", "t2_00")}
    star, others = find_clusters(islands(60))
    assert (len(star.tables), star.centre, len(others.tables), others.centre) == (
        24,
        ("public", "t0_00"),
        36,
        None,
    )


def test_no_cluster_is_larger_than_an_eye_takes_in_and_no_table_is_lost() -> None:
    diagram = islands(60, 5)
    clusters = find_clusters(diagram)
    places: list[Place] = [place for cluster in clusters for place in cluster.tables]
    assert max(len(cluster.tables) for cluster in clusters if cluster.centre) <= 24
    assert sorted(places) == sorted(diagram.tables)
