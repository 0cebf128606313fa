"""A diagram of a schema as a picture: SVG that is laid out here, Mermaid and DOT that others lay out."""

from govern.reports.diagram.dot import render_dot
from govern.reports.diagram.mermaid import LONGEST_MERMAID, render_mermaid
from govern.reports.diagram.signs import STATE_SIGNS
from govern.reports.diagram.style import STYLE
from govern.reports.diagram.svg import render_svg
from govern.reports.diagram.telling import STATE_WORDS, count_marks, count_relations

__all__ = [
    "LONGEST_MERMAID",
    "STATE_SIGNS",
    "STATE_WORDS",
    "STYLE",
    "count_marks",
    "count_relations",
    "render_dot",
    "render_mermaid",
    "render_svg",
]
