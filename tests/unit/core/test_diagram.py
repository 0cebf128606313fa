"""What a picture of a schema shows, made from a snapshot as a lock has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from govern.core.clustering import divide, find_clusters
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


def test_around_can_be_further_than_one_line_away() -> None:
    whole = draw_schema(SCHEMA, implied=[IMPLIED])
    assert set(whole.around([LOGS], depth=2).tables) == {LOGS, NOTES, USERS}
    assert set(whole.around([LOGS], depth=0).tables) == {LOGS}
    assert [str(link) for link in whole.around([LOGS, NOTES], depth=0).links] == [
        "logs.note_id → notes.id, as the manifest says"
    ]


def test_views_are_drawn_where_they_are_asked_for_with_what_they_read() -> None:
    view = ObjectKey("view", "public", "busy")
    objects = {
        **SCHEMA.objects,
        view: {"definition": " SELECT id FROM public.notes JOIN public.users u ON true;"},
    }
    snapshot = Snapshot(dialect="postgresql", server_version="18", objects=objects)
    drawn = draw_schema(snapshot, with_views=True)
    assert drawn.tables["public", "busy"].kind == "view"
    assert [str(link) for link in drawn.links if link.is_read] == ["busy reads notes", "busy reads users"]
    assert set(draw_schema(snapshot).tables) == {USERS, NOTES, LOGS}


def test_a_table_that_too_many_refer_to_is_a_hub_unless_it_is_what_was_asked_for() -> None:
    star = islands(14)
    centre = ("public", "t0_00")
    assert star.find_hubs(12) == {centre: 13}
    assert star.find_hubs(13) == {}
    assert star.around([centre]).find_hubs(12) == {}
    assert star.without_lines_to([centre]).links == ()


def test_a_large_picture_shows_keys_and_a_small_one_every_column() -> None:
    assert [table.hidden_columns for table in draw_schema(SCHEMA).showing().tables.values()] == [0, 0, 0]
    assert {table.hidden_columns for table in islands(21).showing().tables.values()} == {0, 1}
    assert [len(table.columns) for table in draw_schema(SCHEMA).showing("none").tables.values()] == [0, 0, 0]


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


def test_namespaces_are_clusters_and_only_a_large_one_is_divided() -> None:
    diagram = islands(30, 21)
    tables = {
        ("one" if place[1] < "t1" else "two", place[1]): table for place, table in diagram.tables.items()
    }
    tables |= {("alone", "settings"): diagram.tables["public", "t0_00"]}
    apart = Diagram(tables=tables, links=())
    assert [(cluster.name, len(cluster.tables)) for cluster in find_clusters(apart)] == [
        ("one", 30),
        ("two", 21),
        ("alone", 1),
    ]
    many = Diagram(tables={("one", f"t{at}"): tables["one", "t0_00"] for at in range(41)}, links=())
    [cluster] = find_clusters(Diagram(tables={**many.tables, **apart.tables}, links=()))[-1:]
    assert cluster.name == "one, other tables"


def test_lines_between_clusters_are_counted_and_not_drawn() -> None:
    small = divide(islands(14), most_lines=12)
    assert (small.clusters, small.links, small.undrawn) == ((), (), {("public", "t0_00"): 13})
    large = divide(islands(61), most_lines=100)
    assert len(large.clusters) == 2
    assert (len(large.links), large.undrawn) == (23, {("public", "t0_00"): 37})
