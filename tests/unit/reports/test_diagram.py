"""Pictures of schemas: nothing lies over anything else, whatever refers to what, and names are no markup."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.core.diagram import Diagram, draw_schema
from govern.core.diagram_of_change import draw_change
from govern.core.restoration import name_place
from govern.reports.diagram import STYLE, render_svg
from govern.reports.diagram.box import CHARACTER, PADDING, make_box, shorten, text_width
from govern.reports.diagram.packing import Picture, compose
from govern.reports.diagram.placing import spread
from govern.source.lock import read_lock
from tests.unit.core.test_diagram import schema_of

LOCK = Path(__file__).parents[3] / "schema" / "schema.lock"
SVG = "{http://www.w3.org/2000/svg}"
HTML = "<script>alert('\"&')</script>"


def diagram_of(count: int, edges: list[tuple[int, int]]) -> Diagram:
    """So many tables; each edge is a foreign key of the first to the second."""
    tables: dict[str, dict[str, str]] = {
        f"t{at}": {"id": "", "pk": "PRIMARY KEY (id)"} for at in range(count)
    }
    for child, parent in edges:
        tables[f"t{child}"] |= {
            f"c{parent}": "",
            f"fk{parent}": f"FOREIGN KEY (c{parent}) REFERENCES public.t{parent}(id)",
        }
    return draw_schema(schema_of(tables))


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """With circles, tables that refer to themselves, to all others, and to none."""
    count = draw(st.integers(1, 14))
    ends = st.integers(0, count - 1)
    return diagram_of(count, draw(st.lists(st.tuples(ends, ends), max_size=30, unique=True)))


def find_overlaps(picture: Picture) -> list[str]:
    """Boxes over boxes, and lines that run through a box."""
    boxes = picture.drawing.boxes
    found = [
        f"{one.box.name} over {other.box.name}"
        for one, other in combinations(boxes, 2)
        if one.x < other.x + other.box.width
        and other.x < one.x + one.box.width
        and one.y < other.y + other.box.height
        and other.y < one.y + one.box.height
    ]
    for line in picture.drawing.lines:
        for (x1, y1), (x2, y2) in pairwise(line.corners):
            assert abs(x1 - x2) < 0.5 or abs(y1 - y2) < 0.5, (
                "a line runs neither along rows nor along columns"
            )
            found += [
                f"{line.link.reference} through {box.box.name}"
                for box in boxes
                if max(x1, x2) > box.x + 1
                and min(x1, x2) < box.x + box.box.width - 1
                and max(y1, y2) > box.y + 1
                and min(y1, y2) < box.y + box.box.height - 1
            ]
    return found


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_no_box_lies_over_another_and_no_line_runs_through_one(diagram: Diagram) -> None:
    picture = compose(diagram)
    assert len(picture.drawing.boxes) == len(diagram.tables)
    assert len(picture.drawing.lines) == len(diagram.links)
    assert find_overlaps(picture) == []
    corners = [corner for line in picture.drawing.lines for corner in line.corners]
    assert all(0 <= x <= picture.drawing.width and 0 <= y <= picture.drawing.height for x, y in corners)


@pytest.mark.parametrize("count", [30, 60, 150])
def test_a_table_that_everything_refers_to_does_not_make_a_tower(count: int) -> None:
    picture = compose(diagram_of(count, [(at, 0) for at in range(1, count)]))
    assert find_overlaps(picture) == []
    assert 0.5 < picture.drawing.width / picture.drawing.height < 4


def test_every_table_and_reference_of_the_sample_is_drawn() -> None:
    lock = read_lock(LOCK)
    assert lock is not None
    diagram = draw_schema(lock.snapshot).showing("keys")
    picture = compose(diagram)
    assert (len(picture.drawing.boxes), len(picture.drawing.lines)) == (38, len(diagram.links))
    assert find_overlaps(picture) == []
    assert picture.drawing.width < 3_000
    assert picture.drawing.height < 2_000


def test_a_large_schema_is_drawn_by_clusters_and_no_line_leaves_one() -> None:
    count = 120
    picture = compose(diagram_of(count, [(at, at - at % 12) for at in range(count) if at % 12] + [(60, 0)]))
    assert len(picture.frames) == count // 12
    assert find_overlaps(picture) == []
    assert len(picture.drawing.lines) == count - count // 12


def test_no_text_leaves_its_box() -> None:
    long = "x" * 63
    names = {
        "id": "",
        "pk": "PRIMARY KEY (id)",
        long: "",
        "fk": f"FOREIGN KEY ({long}) REFERENCES public.{long}(id)",
    }
    diagram = draw_schema(schema_of({long: names, "寬" * 20: {"id": "", "k": "PRIMARY KEY (id)"}}))
    for table in diagram.tables.values():
        box = make_box(table)
        assert text_width(box.name) + 44 + 2 * PADDING <= box.width
        for row in box.rows:
            assert text_width(row.name) + text_width(row.says) + CHARACTER + 18 + 2 * PADDING <= box.width


def test_wide_letters_count_twice_and_accents_not_at_all() -> None:
    assert shorten("寬" * 8, 9) == "寬" * 4 + "…"
    assert text_width("e\N{COMBINING ACUTE ACCENT}") == CHARACTER


@pytest.mark.parametrize("is_alone", [True, False])
def test_names_are_no_markup_and_nothing_has_a_style_of_its_own(is_alone: bool) -> None:
    diagram = draw_schema(schema_of({HTML: {"id": "", HTML: "", "pk": "PRIMARY KEY (id)", "k\0\ud800": ""}}))
    svg = render_svg(
        diagram,
        title=HTML,
        href=lambda place: f"#{place[1]}",
        notes={("public", HTML): HTML},
        is_alone=is_alone,
    )
    elements = list(ElementTree.fromstring(svg).iter())
    drawn = {"svg", "title", "desc", "g", "a", "rect", "path", "text"} | ({"style"} if is_alone else set())
    assert {element.tag.removeprefix(SVG) for element in elements} == drawn
    attributes = {name for element in elements for name in element.attrib}
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert svg.count("<style>") == is_alone
    [text] = [element.text for element in elements if element.get("class") == "name"]
    assert text == shorten(name_place(("public", HTML)), 30)


def test_every_table_is_a_link_that_says_how_the_table_is() -> None:
    diagram = draw_schema(
        schema_of({"users": {"id": "", "pk": "PRIMARY KEY (id)"}, "notes": {"id": ""}}),
        critical=[("public", "users")],
    ).with_states({("public", "users"): "critical", ("public", "notes"): "healthy"})
    svg = render_svg(
        diagram, title="t", href=lambda place: f"#{place[1]}", notes={("public", "users"): "2 issues"}
    )
    links = ElementTree.fromstring(svg).iter(f"{SVG}a")
    assert {link.get("href"): link.get("aria-label") for link in links} == {
        "#users": "users, critical table: critical, 2 issues",
        "#notes": "notes, table: healthy",
    }


def test_every_class_of_a_picture_has_its_style() -> None:
    lock = read_lock(LOCK)
    assert lock is not None
    states = dict(
        zip(
            ((key.namespace, key.name) for key in lock.snapshot.of_kind("table")),
            ("healthy", "warning", "critical", "missing"),
            strict=False,
        )
    )
    svg = render_svg(draw_schema(lock.snapshot, critical=states).with_states(states), title="t")
    classes = {
        name
        for element in ElementTree.fromstring(svg).iter()
        for name in (element.get("class") or "").split()
    }
    assert {
        name for name in classes - {"table", "unknown", "end", "course"} if f".{name}" not in STYLE
    } == set()


def test_a_picture_of_its_own_explains_the_signs_that_are_in_it_and_no_others() -> None:
    plain = schema_of({"users": {"id": "", "pk": "PRIMARY KEY (id)"}})
    svg = render_svg(draw_schema(plain), title="Mine", is_alone=True)
    said = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert said == ["Mine", "primary key", "users", "id", "bigint"]
    after = diagram_of(2, [(1, 0)])
    change = render_svg(draw_change(plain, schema_of({})), title="Gone", is_alone=True)
    assert [word for word in ("added", "removed", "changed", "critical table") if f">{word}<" in change] == [
        "added",
        "removed",
        "changed",
    ]
    assert "the rows at the fork" in render_svg(after, title="t", is_alone=True)


def test_a_difference_is_told_by_a_sign_and_in_words_and_not_by_colour_alone() -> None:
    before = schema_of({"users": {"id": "", "pk": "PRIMARY KEY (id)"}, "old": {"id": ""}})
    after = schema_of({"users": {"id": "", "email": "", "pk": "PRIMARY KEY (id)"}, "new": {"id": ""}})
    svg = render_svg(draw_change(before, after), title="t", is_alone=True)
    labels = {element.get("aria-label") for element in ElementTree.fromstring(svg).iter(f"{SVG}g")}
    assert labels - {None} == {
        "users, table, changed: column email added",
        "new, table, added",
        "old, table, removed",
    }
    signs = [element.text for element in ElementTree.fromstring(svg).iter() if element.get("class") == "sign"]
    assert sorted(map(str, signs)) == ["+", "+", "+", "~", "~", "−", "−"]


def test_a_hub_of_a_large_picture_says_what_is_not_drawn() -> None:
    picture = compose(diagram_of(50, [(at, 0) for at in range(1, 50)]))
    assert picture.drawing.lines == ()
    [hub] = [placed.box for placed in picture.drawing.boxes if placed.box.name == "t0"]
    assert hub.footers == ("49 references to it not drawn",)


def test_an_empty_schema_is_an_empty_picture() -> None:
    assert "0 tables and 0 references" in render_svg(draw_schema(schema_of({})), title="empty")


def test_what_would_overlap_is_moved_as_little_as_can_be() -> None:
    assert spread([0, 0, 50], [1, 1, 1], [10, 10, 10]) == [-5, 5, 50]
    assert spread([5, 0], [1, 1], [10, 10]) == pytest.approx([-2.5, 7.5])
