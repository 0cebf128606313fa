"""A diagram as DOT, for Graphviz and what reads its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from govern.core.clustering import Cluster, divide
from govern.core.diagram import Diagram, DrawnColumn, DrawnTable, Link, Mark
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of
from govern.reports.diagram.box import MARK_SIGNS
from govern.reports.diagram.markup import replace_unprintable, write_text
from govern.reports.diagram.style import EDGE, FRAME, LINE
from govern.reports.diagram.telling import MOST_LINES
from govern.reports.palette import LIGHT

_COLOURS: Mapping[Mark, str] = {
    "same": LINE,
    "added": LIGHT["good"],
    "removed": LIGHT["bad"],
    "changed": LIGHT["notice"],
}
_TOPS: Mapping[Mark, str] = {
    "same": LIGHT["code"],
    "added": LIGHT["good-tint"],
    "removed": LIGHT["bad-tint"],
    "changed": LIGHT["notice-tint"],
}
_HEADER = (
    "  rankdir=LR; ranksep=1.2; nodesep=0.3; labelloc=t; labeljust=l; fontname=Helvetica; fontsize=16;",
    "  node [shape=plaintext, fontname=Helvetica, fontsize=11];",
    f'  edge [dir=both, fontname=Helvetica, fontsize=10, color="{LINE}"];',
)


def render_dot(diagram: Diagram, *, title: str) -> str:
    """The diagram as text, with a newline at its end."""
    return "\n".join(_write_lines(diagram, title)) + "\n"


def _write_lines(diagram: Diagram, title: str) -> Iterator[str]:
    beside = "".join(f"\nbesides: {text}" for text in diagram.beside)
    yield "digraph schema {"
    yield f"  label={_quote(title + beside)};"
    yield from _HEADER
    division = divide(diagram, most_lines=MOST_LINES)
    nodes = {
        place: _write_node(table, division.undrawn.get(place, 0)) for place, table in diagram.tables.items()
    }
    if division.clusters:
        yield "  pack=32; packmode=clust;"
        yield from _write_clusters(division.clusters, nodes)
    else:
        yield from (f"  {node}" for node in nodes.values())
    for link in division.links:
        yield f"  {_write_edge(link, diagram.tables)}"
    yield "}"


def _write_clusters(clusters: Iterable[Cluster], nodes: Mapping[Place, str]) -> Iterator[str]:
    for number, cluster in enumerate(clusters):
        yield f"  subgraph cluster_{number} {{"
        yield f'    label={_quote(cluster.name)}; fontsize=30; color="{EDGE}"; bgcolor="{FRAME}";'
        yield from (f"    {nodes[place]}" for place in sorted(cluster.tables))
        yield "  }"


def _write_node(table: DrawnTable, undrawn: int) -> str:
    return f"{_quote(name_place(table.place))} [label=<{_write_table(table, undrawn)}>];"


def _write_table(table: DrawnTable, undrawn: int) -> str:
    """In the HTML that Graphviz knows. ``undrawn``: how many lines to it are left out."""
    border = 2 if table.is_critical or table.mark != "same" else 1
    style = ' STYLE="dashed"' if table.mark == "removed" or table.kind != "table" else ""
    rows = [_write_header(table), *(_write_row(at, column) for at, column in enumerate(table.columns))]
    notes = [f"{MARK_SIGNS.get(remark.mark, '')} {remark.text}" for remark in table.remarks]
    if table.hidden_columns:
        notes.append(f"{count_of(table.hidden_columns, 'column')} not shown")
    if undrawn:
        notes.append(f"{count_of(undrawn, 'reference')} to it not drawn")
    rows += [f'<TR><TD COLSPAN="2" ALIGN="LEFT"><I>{write_text(note)}</I></TD></TR>' for note in notes]
    return (
        f'<TABLE BORDER="{border}" COLOR="{_COLOURS[table.mark]}"{style} CELLBORDER="0" CELLSPACING="0" '
        f'CELLPADDING="3" BGCOLOR="white">{"".join(rows)}</TABLE>'
    )


def _write_header(table: DrawnTable) -> str:
    signs = [MARK_SIGNS[table.mark]] if table.mark in MARK_SIGNS else []
    signs += ["★"] if table.is_critical else []
    name = _strike(write_text(name_place(table.place)), table.mark)
    kind = "" if table.kind == "table" else f" <I>({table.kind.replace('-', ' ')})</I>"
    text = "".join(f"{sign} " for sign in signs) + f"<B>{name}</B>{kind}"
    return f'<TR><TD COLSPAN="2" ALIGN="LEFT" BGCOLOR="{_TOPS[table.mark]}" PORT="t">{text}</TD></TR>'


def _write_row(at: int, column: DrawnColumn) -> str:
    sign = f"{MARK_SIGNS[column.mark]} " if column.mark in MARK_SIGNS else ""
    name = write_text(column.name) + ("?" if column.is_optional else "")
    name = f"<U>{name}</U>" if column.is_primary else _strike(name, column.mark)
    says = f"→ {name_place(column.refers_to)}" if column.refers_to else column.type.removeprefix("public.")
    says += f", {column.before}" if column.before else ""
    look = f' BGCOLOR="{_TOPS[column.mark]}"' if column.mark != "same" else ""
    return (
        f'<TR><TD ALIGN="LEFT"{look} PORT="l{at}">{sign}{name}</TD>'
        f'<TD ALIGN="RIGHT"{look} PORT="r{at}">{write_text(says)}</TD></TR>'
    )


def _strike(text: str, mark: Mark) -> str:
    return f"<S>{text}</S>" if mark == "removed" else text


def _write_edge(link: Link, tables: Mapping[Place, DrawnTable]) -> str:
    """From the row that is referred to, to those that refer: parents stand on the left."""
    child, parent = (tables[place] for place in link.ends)
    start = f"{_quote(name_place(parent.place))}:{_find_port(parent, link.parent_column, 'r')}:e"
    end = f"{_quote(name_place(child.place))}:{_find_port(child, link.column, 'l')}:w"
    look = [f'color="{_COLOURS[link.mark]}"', f"tooltip={_quote(str(link))}"]
    if link.mark in MARK_SIGNS:
        look += [f"label={_quote(MARK_SIGNS[link.mark])}", "penwidth=2"]
    if link.is_read:
        look += ["style=dotted", "arrowtail=none", "arrowhead=vee"]
    else:
        look += ["style=dashed"] if link.is_implied else []
        look.append(f"arrowtail={'teeodot' if link.is_optional else 'teetee'}")
        look.append(f"arrowhead={'teeodot' if link.is_single else 'crowodot'}")
    return f"{start} -> {end} [{', '.join(look)}];"


def _find_port(table: DrawnTable, column: str, side: str) -> str:
    """The column's row, or the header where it is not shown."""
    at = next((at for at, one in enumerate(table.columns) if one.name == column), None)
    return "t" if at is None else f"{side}{at}"


def _quote(text: str) -> str:
    """As DOT's texts are: a quote is the only thing that is escaped, and two backslashes never are an escape."""
    line = replace_unprintable(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")
    return f'"{line}"'
