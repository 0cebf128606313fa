"""A page for people as one HTML file."""

from __future__ import annotations

from govern.core.document import Block, Code, Document, Facts, Picture, Sentence, Table
from govern.reports.diagram import STYLE
from govern.reports.page import render_page


def render(document: Document) -> str:
    """With a newline at its end."""
    from markupsafe import Markup

    pictures = [
        block for section in document.sections for block in section.blocks if isinstance(block, Picture)
    ]
    facts = {
        "document": document,
        "kind_of": _name_kind,
        "picture_style": Markup(STYLE) if pictures else "",  # noqa: S704 - our own
        "draw": lambda picture: Markup(picture.svg),  # noqa: S704 - govern.reports.diagram escapes every name
    }
    return render_page("document.html", facts)


def _name_kind(block: Block) -> str:
    kinds = {Sentence: "sentence", Table: "table", Facts: "facts", Code: "code", Picture: "picture"}
    return kinds[type(block)]
