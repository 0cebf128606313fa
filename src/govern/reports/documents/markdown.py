"""A page for people as Markdown: every text is that text and nothing else, in cells of tables too."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.document import Block, Cell, Code, Document, Facts, Picture, Sentence, Table
from govern.reports.markdown.syntax import TONE_SIGNS, block, code, escape, table
from govern.version import __version__


def render(document: Document) -> str:
    """With a newline at its end."""
    parts = [
        f"# {escape(document.title)}",
        code(document.lead) if document.lead else "",
        *_render_sentences(document.verdict),
    ]
    for section in document.sections:
        parts += [f"## {escape(section.title)}", *_render_blocks(section.blocks)]
    parts.append(f"Written by govern {__version__}. Times are UTC.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_blocks(blocks: tuple[Block, ...]) -> Iterator[str]:
    """Sentences that follow each other are one list."""
    sentences: list[Sentence] = []
    for one in blocks:
        if isinstance(one, Sentence):
            sentences.append(one)
            continue
        yield from _render_sentences(tuple(sentences))
        sentences.clear()
        yield from _render_block(one)
    yield from _render_sentences(tuple(sentences))


def _render_sentences(sentences: tuple[Sentence, ...]) -> Iterator[str]:
    lines = (f"- {TONE_SIGNS[one.tone]} **{escape(one.word)}**: {escape(one.text)}" for one in sentences)
    if text := "\n".join(lines):
        yield text


def _render_block(one: Table | Facts | Code | Picture) -> Iterator[str]:
    match one:
        case Table():
            if one.caption:
                yield escape(one.caption)
            yield table(
                [escape(title) for title in one.titles],
                [[_render_cell(cell) for cell in row] for row in one.rows],
            )
        case Facts():
            yield "\n".join(f"- {escape(name)}: {escape(value)}" for name, value in one.pairs)
        case Code():
            if one.caption:
                yield escape(one.caption)
            yield block(one.text, one.language)
        case Picture():
            yield escape(one.text)


def _render_cell(cell: Cell) -> str:
    text = code(cell.text) if cell.is_code and cell.text else escape(cell.text)
    return f"{TONE_SIGNS[cell.tone]} {text}" if cell.tone else text
