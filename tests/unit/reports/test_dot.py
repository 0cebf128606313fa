"""DOT's text is one that a parser of the language takes, whatever the names are, and has every table and line."""

from __future__ import annotations

from xml.etree import ElementTree

import pydot
import pytest

from govern.core.diagram import Diagram, draw_schema
from govern.core.diagram_of_change import draw_change
from govern.core.restoration import name_place
from govern.reports.diagram import render_dot
from tests.unit.core.test_diagram import IMPLIED, SCHEMA, USERS, islands, schema_of
from tests.unit.reports.test_mermaid import odd_diagram

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:pydot.dot_parser"
)  # it is older than pyparsing
_DEFAULTS = frozenset({"node", "edge", "graph"})


def parse(diagram: Diagram, title: str = "t") -> pydot.Dot:
    graphs = pydot.graph_from_dot_data(render_dot(diagram, title=title))
    assert graphs is not None, "the parser refuses the text"
    [graph] = graphs
    return graph


def nodes_in(graph: pydot.Graph) -> dict[str, ElementTree.Element]:
    """By name, its table; AssertionError for one that is no markup."""
    return {
        node.get_name(): ElementTree.fromstring(node.get("label")[1:-1])
        for node in graph.get_nodes()
        if node.get_name() not in _DEFAULTS
    }


def texts(table: ElementTree.Element) -> list[str]:
    return ["".join(cell.itertext()) for cell in table.iter("TD")]


def test_odd_names_are_nodes_and_texts() -> None:
    diagram = odd_diagram()
    graph = parse(diagram, 'odd "x" \\ { <b>')
    nodes = nodes_in(graph)
    assert len(nodes) == len(diagram.tables)
    said = {texts(table)[0] for table in nodes.values()}
    assert {name_place(place) for place in diagram.tables if "\n" not in place[1]} <= said
    assert len(graph.get_edges()) == len(diagram.links)


def test_lines_lead_from_row_to_row_and_say_how_many_there_are() -> None:
    graph = parse(draw_schema(SCHEMA, implied=[IMPLIED], critical=[USERS]))
    nodes = nodes_in(graph)
    assert texts(nodes['"users"'])[0] == "★ users"
    assert texts(nodes['"notes"']) == ["notes", "id", "bigint", "user_id?", "→ users", "body?", "bigint"]
    edges = {(edge.get_source(), edge.get_destination()): edge for edge in graph.get_edges()}
    declared, implied = edges['"users":r0:e', '"notes":l1:w'], edges['"notes":r0:e', '"logs":l1:w']
    assert (declared.get("arrowtail"), declared.get("arrowhead")) == ("teeodot", "crowodot")
    assert (declared.get("style"), implied.get("style")) == (None, "dashed")


def test_differences_have_signs() -> None:
    after = schema_of({"users": {"id": "", "email": "", "phone": "", "pk": "PRIMARY KEY (id)"}})
    graph = parse(draw_change(SCHEMA, after))
    nodes = nodes_in(graph)
    assert texts(nodes['"users"'])[0] == "~ users"
    assert "+ phone?" in texts(nodes['"users"'])
    assert texts(nodes['"notes"'])[0] == "− notes"
    assert [edge.get("label") for edge in graph.get_edges()] == ['"−"']


@pytest.mark.parametrize(("tables", "lines", "told"), [(13, 12, 0), (14, 0, 13)])
def test_more_lines_to_one_table_than_an_eye_can_follow_are_counted(
    tables: int, lines: int, told: int
) -> None:
    graph = parse(islands(tables))
    assert len(graph.get_edges()) == lines
    assert (f"{told} references to it not drawn" in texts(nodes_in(graph)['"t0_00"'])) is bool(told)


def test_a_large_schema_is_drawn_by_clusters() -> None:
    graph = parse(islands(*[9] * 8))
    clusters = graph.get_subgraphs()
    assert [len(nodes_in(cluster)) for cluster in clusters] == [9] * 8
    assert {cluster.get("label") for cluster in clusters} == {f'"around t{at}_00"' for at in range(8)}
