"""How long a picture of a schema takes, and how much memory: in this process, from the snapshot to the text.

Usage: python benchmarks/diagram.py [N ...] [--namespaces] [--write FOLDER] [--runs RUNS] [--lines FILE]. Graphviz's
dot, where it is installed, draws beside it what govern writes for it. N are numbers of tables: 38, 300, 2000.

The schemas are made up as real ones are: modules of 5 to 30 tables that refer to each other in chains and trees, a
table of users and one of tenants that most others refer to, some references between modules, some tables alone.
``--namespaces``: a module is a namespace. ``--write``: keeps the pictures there, to be looked at.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

from measured import Measured, add_file_option
from processes import Run, time_process

from govern.core.diagram import Diagram, draw_schema
from govern.core.snapshot import Facts, ObjectKey, Snapshot
from govern.reports.diagram import render_dot, render_mermaid, render_svg

NOTATIONS: Mapping[str, Callable[[Diagram], str]] = {
    "svg": lambda diagram: render_svg(diagram, title="A made-up schema", is_alone=True),
    "dot": lambda diagram: render_dot(diagram, title="A made-up schema"),
    "mmd": lambda diagram: render_mermaid(diagram, title="A made-up schema"),
}
NOUNS = (
    *(
        "order",
        "invoice",
        "payment",
        "shipment",
        "ticket",
        "message",
        "project",
        "task",
        "comment",
        "file",
        "tag",
    ),
    *("report", "budget", "asset", "lease", "device", "course", "lesson", "grade", "route", "stop", "parcel"),
    *("claim", "policy", "quote", "contract", "visit", "patient", "ward", "bed", "dose", "menu", "recipe"),
)
PARTS = (
    "items",
    "events",
    "notes",
    "logs",
    "states",
    "settings",
    "links",
    "versions",
    "drafts",
    "totals",
    "roles",
)
COLUMNS = {
    "name": "character varying(120)",
    "status": "text",
    "amount": "numeric(12,2)",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
    "payload": "jsonb",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("tables", nargs="*", type=int, default=[38, 300, 2000])
    arguments.add_argument("--namespaces", action="store_true")
    arguments.add_argument("--write", type=Path, metavar="FOLDER")
    arguments.add_argument("--runs", type=int, default=3)
    add_file_option(arguments)
    chosen = arguments.parse_args()
    measured = Measured("diagram", chosen.lines)
    print("| tables | references | notation | seconds | peak memory | text |")
    print("|---|---|---|---|---|---|")
    for tables in chosen.tables:
        snapshot = make_schema(tables, has_namespaces=chosen.namespaces)
        for notation in NOTATIONS:
            bench(snapshot, notation, chosen.write)
        measured.tell(f"{tables:,} tables", compare(snapshot, chosen.runs), size=tables)


def bench(snapshot: Snapshot, notation: str, folder: Path | None) -> None:
    started = time.perf_counter()
    diagram = draw_schema(snapshot).showing()
    text = NOTATIONS[notation](diagram)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    NOTATIONS[notation](draw_schema(snapshot).showing())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(
        f"| {len(diagram.tables):,} | {len(diagram.links):,} | {notation} | {seconds:.2f} | {peak / 1e6:.1f} MB | "
        f"{len(text) / 1e3:,.0f} kB |"
    )
    if folder is not None:
        (folder / f"{len(diagram.tables)}.{notation}").write_text(text, encoding="utf-8")


def compare(snapshot: Snapshot, runs: int) -> Mapping[str, list[Run | float]]:
    found: dict[str, list[Run | float]] = {"govern, SVG": []}
    dot = shutil.which("dot")
    if dot is not None:
        found["Graphviz, dot -Tsvg"] = []
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        source = Path(folder) / "schema.dot"
        source.write_text(NOTATIONS["dot"](draw_schema(snapshot).showing()), encoding="utf-8")
        for _ in range(runs):
            started = time.perf_counter()
            NOTATIONS["svg"](draw_schema(snapshot).showing())
            found["govern, SVG"].append(time.perf_counter() - started)
            if dot is not None:
                command = (dot, "-Tsvg", "-o", "schema.svg", str(source))
                found["Graphviz, dot -Tsvg"].append(time_process(command, Path(folder)))
    return found


def make_schema(tables: int, *, has_namespaces: bool = False) -> Snapshot:
    """The same one for the same number."""
    chance = random.Random(tables)
    objects: dict[ObjectKey, Facts] = {}
    made: list[tuple[str, str]] = []
    for name in ("tenants", "users"):
        add_table(objects, ("public", name), {})
        made.append(("public", name))
    number = 0
    while len(made) < tables:
        number += 1
        noun = NOUNS[number % len(NOUNS)] + (str(number // len(NOUNS)) if number >= len(NOUNS) else "")
        module: list[tuple[str, str]] = []
        for at in range(min(chance.randint(5, 30), tables - len(made))):
            part = "" if not at else f"_{PARTS[at % len(PARTS)]}{at // len(PARTS) or ''}"
            place = (noun if has_namespaces else "public", f"{noun}{part or 's'}")
            add_table(objects, place, choose_parents(chance, module, made))
            module.append(place)
        made += module
    return Snapshot(dialect="postgresql", server_version="18", objects=objects)


def choose_parents(
    chance: random.Random, module: list[tuple[str, str]], others: list[tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """By column; three of four are the tables of the module that came first."""
    parents: dict[str, tuple[str, str]] = {}
    if chance.random() < 0.05:
        return parents
    if chance.random() < 0.7:
        parents["tenant_id"] = ("public", "tenants")
    if chance.random() < 0.5:
        parents[chance.choice(["user_id", "created_by"])] = ("public", "users")
    for place in {module[0], chance.choice(module)} if module else set():
        parents[f"{place[1]}_id"] = place
    if chance.random() < 0.15:
        place = chance.choice(others)
        parents[f"{place[1]}_id"] = place
    return parents


def add_table(
    objects: dict[ObjectKey, Facts], place: tuple[str, str], parents: Mapping[str, tuple[str, str]]
) -> None:
    namespace, table = place
    objects[ObjectKey("table", namespace, table)] = {}
    columns = {"id": "bigint", **dict.fromkeys(parents, "bigint"), **COLUMNS}
    for name, kind in columns.items():
        objects[ObjectKey("column", namespace, f"{table}.{name}")] = {"type": kind, "nullable": name != "id"}
    objects[ObjectKey("constraint", namespace, f"{table}.pk")] = {
        "type": "primary key",
        "definition": "PRIMARY KEY (id)",
    }
    for column, parent in parents.items():
        objects[ObjectKey("constraint", namespace, f"{table}.fk_{column}")] = {
            "type": "foreign key",
            "definition": f"FOREIGN KEY ({column}) REFERENCES {parent[0]}.{parent[1]}(id)",
        }


if __name__ == "__main__":
    main()
