"""A page for people as plain text: what a terminal shows, and nothing of Markdown in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.core.document import Block, Cell, Code, Document, Facts, Picture, Sentence, Table
from govern.reports.style import TERMINAL_SIGNS, Style
from govern.version import __version__

_INDENT = "  "
_GAP = "  "
_WIDEST = 140
"""Columns of a table where nobody says how wide it may be; a wider one is written row by row."""


def render(document: Document, style: Style | None = None) -> str:
    """With a newline at its end."""
    style = style or Style()
    parts = [
        [style.paint(style.say(document.title), "bold"), *_list_lead(document, style)],
        list(_list_sentences(document.verdict, style, indent="")),
    ]
    for section in document.sections:
        parts.append([style.paint(style.say(section.title), "bold")])
        parts += _list_blocks(section.blocks, style)
    parts.append([style.paint(f"Written by govern {__version__}. Times are UTC.", "dim")])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _list_lead(document: Document, style: Style) -> list[str]:
    return (
        [style.paint(line, "dim") for line in style.indent(document.lead, first="")] if document.lead else []
    )


def _list_blocks(blocks: Sequence[Block], style: Style) -> Iterator[list[str]]:
    """Each as its lines; sentences that follow each other are one list."""
    sentences: list[Sentence] = []
    for one in (*blocks, None):
        if isinstance(one, Sentence):
            sentences.append(one)
            continue
        yield list(_list_sentences(sentences, style, indent=_INDENT))
        sentences.clear()
        if one is not None:
            yield list(_list_block(one, style))


def _list_sentences(sentences: Sequence[Sentence], style: Style, *, indent: str) -> Iterator[str]:
    """The words below each other, and so what is said of them."""
    column = max((len(style.say(one.word)) for one in sentences), default=0)
    for one in sentences:
        sign, tone = TERMINAL_SIGNS[one.tone]
        lead = f"{indent}{style.say(sign)} {style.say(one.word):<{column}}{_GAP}"
        [first, *others] = style.indent(one.text, first=lead)
        painted = style.paint(lead[len(indent) :].rstrip(), tone)
        yield f"{indent}{painted}{first[len(lead.rstrip()) :]}"
        yield from others


def _list_block(one: Table | Facts | Code | Picture, style: Style) -> Iterator[str]:
    match one:
        case Table():
            yield from _say_caption(one.caption, style)
            yield from _list_table(one, style)
        case Facts():
            column = max((len(name) for name, _ in one.pairs), default=0)
            for name, value in one.pairs:
                yield from style.indent(value, first=f"{_INDENT}{style.say(name):<{column}}{_GAP}")
        case Code():
            yield from _say_caption(one.caption, style)
            # never wrapped: it is there to be copied
            yield from (f"{_INDENT * 2}{line}".rstrip() for line in style.say(one.text).splitlines())
        case Picture():
            yield from style.indent(one.text, first=_INDENT)


def _say_caption(caption: str, style: Style) -> Iterator[str]:
    if caption:
        yield from (style.paint(line, "dim") for line in style.indent(caption, first=_INDENT))


def _list_table(table: Table, style: Style) -> Iterator[str]:
    """In columns where they fit, else row by row."""
    texts = [[_say_cell(cell, style) for cell in row] for row in table.rows]
    titles = [style.say(title) for title in table.titles]
    widths = [max(map(len, column)) for column in zip(titles, *texts, strict=True)]
    if len(_INDENT) + sum(widths) + len(_GAP) * (len(widths) - 1) <= (style.width or _WIDEST):
        yield from _list_columns(table, titles, widths, style)
    else:
        for row in table.rows:
            yield from _list_row(row, titles, style)


def _list_columns(table: Table, titles: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[str]:
    is_right = [
        bool(table.rows) and all(row[at].is_number for row in table.rows) for at in range(len(titles))
    ]
    heads = [_pad(title, width, right) for title, width, right in zip(titles, widths, is_right, strict=True)]
    yield _INDENT + style.paint(_GAP.join(heads).rstrip(), "dim")
    for row in table.rows:
        cells = (
            _paint_cell(cell, _pad(_say_cell(cell, style), width, right), style)
            for cell, width, right in zip(row, widths, is_right, strict=True)
        )
        yield _INDENT + _GAP.join(cells).rstrip()


def _list_row(row: Sequence[Cell], titles: Sequence[str], style: Style) -> Iterator[str]:
    """The first cell, and under it what the others say, each behind its title."""
    first, *others = row
    yield from style.indent(_say_cell(first, style), first=_INDENT)
    said = (
        f"{title}: {text}" if title else text
        for title, cell in zip(titles[1:], others, strict=True)
        if (text := _say_cell(cell, style))
    )
    if line := style.say(" · ").join(said):
        yield from (style.paint(told, "dim") for told in style.indent(line, first=_INDENT * 2))


def _say_cell(cell: Cell, style: Style) -> str:
    """On one line."""
    sign = f"{TERMINAL_SIGNS[cell.tone][0]} " if cell.tone else ""
    return style.say(" ".join(f"{sign}{cell.text}".split()))


def _paint_cell(cell: Cell, text: str, style: Style) -> str:
    return style.paint(text, TERMINAL_SIGNS[cell.tone][1]) if cell.tone else text


def _pad(text: str, width: int, is_right: bool) -> str:
    return text.rjust(width) if is_right else text.ljust(width)
