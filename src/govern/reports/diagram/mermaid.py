"""A diagram as Mermaid's ``erDiagram``, which GitHub, GitLab and many editors draw.

Its words are narrower than those of a database: names stand in quotes and have signs for what quotes cannot hold;
types and columns are spelled with what its words may consist of, with the real spelling beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from govern.core.diagram import Diagram, DrawnColumn, DrawnTable, Link, Mark
from govern.core.restoration import Place, name_place
from govern.core.wording import count_of
from govern.reports.diagram.box import MARK_SIGNS
from govern.reports.diagram.markup import replace_unprintable
from govern.reports.diagram.telling import MOST_LINES, describe
from govern.reports.palette import LIGHT

LONGEST_MERMAID = 50_000
"""Characters of a text that Mermaid draws where nobody configured it (``maxTextSize``), as on GitHub."""

_CLASSES: Mapping[Mark, str] = {
    "added": f"stroke:{LIGHT['good']},stroke-width:3px",
    "removed": f"stroke:{LIGHT['bad']},stroke-width:2px",
    "changed": f"stroke:{LIGHT['notice']},stroke-width:2px",
}
_NO_WORD = re.compile(r"[^A-Za-z0-9_()\[\]\-\u00c0-\u02ff\u0370-\u1fff\u3040-\ud7ff]+")
_STARTS_A_WORD = re.compile(r"[A-Za-z_\u00c0-\u02ff\u0370-\u1fff\u3040-\ud7ff]")
_LOOKS_LIKE_A_KEY = re.compile(r"(?:pk|fk|uk)\b", re.IGNORECASE)
_DIRECTION = re.compile(r"(d)(irection\s+(?:TB|BT|RL|LR))", re.IGNORECASE)
"""Mermaid takes a line with these two words, wherever they stand in it, for one about the whole diagram."""
_TROUBLE = re.compile(r"""[^\w .,:()\[\]→★+−?~/=-]|_(?=_)|(?<![^\W_])_|_(?![^\W_])""")
"""What quotes cannot hold, and what would be markup."""


def render_mermaid(diagram: Diagram, *, title: str) -> str:
    """The diagram as text, with a newline at its end."""
    text = "\n".join(_write_lines(diagram, title)) + "\n"
    if len(text) > LONGEST_MERMAID:
        text += f"    %% {len(text):,} characters: browsers draw {LONGEST_MERMAID:,}, or what maxTextSize allows\n"
    return text


def _write_lines(diagram: Diagram, title: str) -> Iterator[str]:
    hubs = diagram.find_hubs(MOST_LINES)
    diagram = diagram.without_lines_to(hubs)
    yield from ("---", f"title: {_write_title(title)}", "---", "erDiagram", "    direction LR")
    yield f"    accDescr: {_escape(describe(diagram))}"
    marks = {table.mark for table in diagram.tables.values()} if diagram.is_change else set()
    for mark, look in _CLASSES.items():
        if mark in marks:
            yield f"    classDef {mark} {look}"
    names = {place: _name_table(table, hubs.get(place, 0)) for place, table in diagram.tables.items()}
    for place, table in diagram.tables.items():
        yield from _write_table(table, names[place])
    for link in diagram.links:
        yield _write_link(link, names)
    for text in diagram.beside:
        yield f"    %% besides: {_escape(text)}"


def _name_table(table: DrawnTable, lines: int) -> str:
    """Signs in the name, as not everybody sees colours: ``"+ users"``, ``"★ users"``."""
    signs = [MARK_SIGNS[table.mark]] if table.mark in MARK_SIGNS else []
    signs += ["★"] if table.is_critical else []
    kind = "" if table.kind == "table" else f" ({table.kind.replace('-', ' ')})"
    hub = f" ({count_of(lines, 'reference')} not drawn)" if lines else ""
    return f'"{_escape(" ".join((*signs, name_place(table.place))) + kind + hub)}"'


def _write_table(table: DrawnTable, name: str) -> Iterator[str]:
    opening = name + (f":::{table.mark}" if table.mark != "same" else "")
    if not table.columns and not table.remarks:
        yield f"    {opening}"
        return
    yield f"    {opening} {{"
    for column in table.columns:
        yield f"        {_write_column(column)}"
    for remark in table.remarks:
        yield f'        {_spell(remark.mark)} {_spell(remark.text)} "{_escape(remark.text)}"'
    yield "    }"


def _write_column(column: DrawnColumn) -> str:
    type_, name = _spell(column.type.removeprefix("public.")), _spell(column.name)
    keys = ", ".join(
        key
        for key, has in (
            ("PK", column.is_primary),
            ("FK", column.refers_to is not None),
            ("UK", column.is_unique),
        )
        if has
    )
    notes = ", ".join(_tell(column, name))
    return " ".join(filter(None, (type_, name, keys, f'"{_escape(notes)}"' if notes else "")))


def _tell(column: DrawnColumn, spelled: str) -> Iterator[str]:
    if column.mark in MARK_SIGNS:
        yield f"{MARK_SIGNS[column.mark]} {column.mark}"
    if column.before:
        yield column.before
    if spelled != column.name:
        yield f"is {column.name}"
    if column.refers_to:
        yield f"→ {name_place(column.refers_to)}"
    if column.is_optional:
        yield "may be NULL"


def _write_link(link: Link, names: Mapping[Place, str]) -> str:
    child, parent = (names[place] for place in link.ends)
    one = "|o" if link.is_optional else "||"
    many = "o|" if link.is_single else "o{"
    line = ".." if link.is_implied or link.is_read else "--"
    said = "reads" if link.is_read else ", ".join(link.reference.columns)
    sign = f"{MARK_SIGNS[link.mark]} " if link.mark in MARK_SIGNS else ""
    implied = " (implied)" if link.is_implied else ""
    return f'    {parent} {one}{line}{many} {child} : "{_escape(sign + said + implied)}"'


def _spell(text: str) -> str:
    """As a word of Mermaid's: ``character_varying(80)``."""
    word = _NO_WORD.sub("_", text).strip("_") if _NO_WORD.search(text) else text
    if not _STARTS_A_WORD.match(word) or _LOOKS_LIKE_A_KEY.match(word):
        return f"_{word}"
    return word


def _escape(text: str) -> str:
    """Inside of quotes."""
    line = " ".join(replace_unprintable(text).split()) or " "
    if line.count("~") > 1:  # a pair of them is a type's brackets
        line = line.replace("~", "\N{TILDE OPERATOR}")
    return _DIRECTION.sub(_write_first, _TROUBLE.sub(_write_code, line))


def _write_code(found: re.Match[str]) -> str:
    return f"#{ord(found[0])};"


def _write_first(found: re.Match[str]) -> str:
    return f"#{ord(found[1])};{found[2]}"


def _write_title(title: str) -> str:
    """As a text of YAML."""
    line = " ".join(replace_unprintable(title).split())
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
