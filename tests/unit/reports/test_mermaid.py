"""Mermaid's text: whatever the names are, each line is one that Mermaid's own grammar has, and all names are told.

The patterns are those of the lexer in Mermaid's erDiagram.jison; ``make test-mermaid`` asks Mermaid itself.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.core.diagram import Detail, Diagram, draw_schema
from govern.core.diagram_of_change import draw_change
from govern.reports.diagram import LONGEST_MERMAID, render_mermaid
from tests.unit.core.test_diagram import IMPLIED, SCHEMA, USERS, islands, schema_of

ODD = (
    *(
        "a.b",
        "a b",
        'a"b',
        "a%b",
        "a\\b",
        "a;b",
        "a#b",
        "a#35;b",
        "<b>x</b>",
        "&amp;",
        "__x__",
        "*x*",
        "_it_",
        "`c`",
    ),
    *(
        "to",
        "one",
        "style",
        "class",
        "classDef",
        "u",
        "1",
        "many",
        "end",
        "title",
        "erDiagram",
        "subgraph",
    ),
    *(
        "direction LR",
        "a direction  tb b",
        "{",
        "}",
        "[x]",
        "a\nb",
        "naïve",
        "寬",
        "🙂",
        "pk",
        "FK",
        "fk-x",
        "%%c",
    ),
    *(
        "a~b~c",
        "accTitle: x",
        "a'b",
        "$x$",
        "a|b",
        "a::b",
        "x_",
        "1. x",
        "- x",
        "a+b",
        "numeric(1,2)",
    ),
    *(
        "zero or one",
        "__proto__",
        "a\u2028b",
        "a\u00adb",
        "direction",
        "TB",
        "→",
        "★ users",
        " ",
    ),
)
_NAME = r'"[^"%\\\r\n\v\x08]+"'
_WORD = r"(?!(?:PK|FK|UK)\b)[A-Za-z_\u00c0-\uffff][A-Za-z0-9\-_\[\]()\u00c0-\uffff]*"
_TEXT = r'"[^"\n]*"'
_LINES = (
    r"    direction LR",
    r"    accDescr: [^\n]+",
    r"    classDef \w+ [\w:#,-]+",
    rf"    {_NAME}(:::\w+)?( \{{)?",
    rf"        (?i:{_WORD} {_WORD})( (PK|FK|UK)(, (PK|FK|UK))*)?( {_TEXT})?",
    r"    \}",
    rf"    {_NAME} (\|o|\|\|)(--|\.\.)(o\||o\{{) {_NAME} : {_TEXT}",
    r"    %% [^\n]*",
)
_TAKEN_FOR_THE_DIRECTION = re.compile(r"direction\s+(TB|BT|RL|LR)", re.IGNORECASE)


def read(text: str) -> list[str]:
    """The lines after the header; AssertionError for one that Mermaid could not read."""
    opening, title, closing, kind, *lines = text.removesuffix("\n").split("\n")
    assert (opening, closing, kind) == ("---", "---", "erDiagram")
    assert title.startswith('title: "')
    for line in lines:
        assert any(re.fullmatch(pattern, line) for pattern in _LINES), line
    assert len(_TAKEN_FOR_THE_DIRECTION.findall("\n".join(lines))) == 1
    return lines


def tables_in(text: str) -> list[str]:
    """The names as a reader sees them."""
    quoted = [line.strip()[1:].split('"')[0] for line in read(text) if line.endswith(("{", '"'))]
    return [re.sub(r"#(\d+);", lambda code: chr(int(code[1])), name) for name in quoted]


def odd_diagram() -> Diagram:
    """Each odd name as a table's, a column's and a type's."""
    keyed = {"id": "", "pk": "PRIMARY KEY (id)"}
    parts = {
        name: {**keyed, name: "", "fk": f"FOREIGN KEY (id) REFERENCES public.{quote(name)}(id)"}
        for name in ODD
    }
    return draw_schema(schema_of(parts))


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_odd_names_are_told_as_they_are() -> None:
    drawn = odd_diagram()
    assert len(drawn.links) == len(ODD)
    shown = " ".join(tables_in(render_mermaid(drawn, title='odd "x" \\ : #')))
    for name in (
        "a.b",
        'a""b',
        "a%b",
        "a\\b",
        "a;b",
        "a#35;b",
        "<b>x</b>",
        "&amp;",
        "__x__",
        "direction LR",
        "1. x",
    ):
        assert name in shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=3), st.text(max_size=20))
def test_no_name_makes_a_line_that_mermaid_does_not_know(names: list[str], title: str) -> None:
    tables = {f"t{name}": {"id": "", f"c{name}": "", name: "", "pk": "PRIMARY KEY (id)"} for name in names}
    read(render_mermaid(draw_schema(schema_of(tables)), title=title))
    read(
        render_mermaid(
            draw_change(schema_of(tables), schema_of({"other": dict.fromkeys(names, "")})), title=title
        )
    )


def test_keys_references_and_how_many_rows_are_told() -> None:
    text = render_mermaid(draw_schema(SCHEMA, implied=[IMPLIED], critical=[USERS]), title="t")
    lines = [line.strip() for line in read(text)]
    assert '"★ users" {' in lines
    assert "bigint id PK" in lines
    assert 'bigint user_id FK "→ users, may be NULL"' in lines
    assert '"★ users" |o--o{ "notes" : "user_id"' in lines
    assert '"notes" |o..o{ "logs" : "note_id (implied)"' in lines


def test_differences_have_signs_words_and_classes() -> None:
    after = schema_of({"users": {"id": "", "email": "", "phone": "", "pk": "PRIMARY KEY (id)"}})
    text = render_mermaid(draw_change(SCHEMA, after), title="t")
    lines = [line.strip() for line in read(text)]
    assert '"~ users":::changed {' in lines
    assert 'bigint phone "+ added, may be NULL"' in lines
    assert '"− logs":::removed {' in lines
    assert '"~ users" |o--o{ "− notes" : "− user_id"' in lines
    assert [line.split()[1] for line in lines if line.startswith("classDef")] == ["removed", "changed"]


def test_lines_to_a_hub_are_counted_and_not_drawn() -> None:
    lines = [line.strip() for line in read(render_mermaid(islands(20), title="t"))]
    assert '"t0_00 (19 references not drawn)" {' in lines
    assert not [line for line in lines if "--" in line]


@pytest.mark.parametrize(("detail", "is_told"), [("all", True), ("none", False)])
def test_a_text_that_is_too_long_for_browsers_says_so(detail: Detail, is_told: bool) -> None:
    large = islands(*[10] * 60).showing(detail)
    text = render_mermaid(large, title="t")
    assert (len(text) > LONGEST_MERMAID) is is_told
    assert ("browsers draw 50,000" in text) is is_told
