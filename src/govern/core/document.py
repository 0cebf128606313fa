"""A page for people as values: sections of sentences, facts and tables, before anybody words it as Markdown or HTML.

Its texts are plain: whoever writes them escapes them, all in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Tone = Literal["good", "notice", "bad", "quiet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One thing that is so, good or bad; ``word`` says which, so that colour never speaks alone."""

    tone: Tone
    word: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Of a table."""

    text: str
    tone: Tone | None = None
    is_code: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of as many cells as there are titles."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names with what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A text to be copied."""

    text: str
    language: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawing, for those forms that can show one; ``text`` for the others."""

    svg: str
    text: str


Block = Sentence | Table | Facts | Code | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What belongs together, under a title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole page."""

    title: str
    lead: str
    verdict: tuple[Sentence, ...]
    """What somebody reads who reads nothing else."""
    sections: tuple[Section, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "lead": self.lead,
            "verdict": [_to_json(sentence) for sentence in self.verdict],
            "sections": [
                {"title": section.title, "blocks": [_to_json(block) for block in section.blocks]}
                for section in self.sections
            ],
        }


def _to_json(block: Block) -> dict[str, Any]:
    match block:
        case Sentence():
            return {"tone": block.tone, "word": block.word, "text": block.text}
        case Table():
            rows = [[cell.text for cell in row] for row in block.rows]
            return {"titles": list(block.titles), "rows": rows}
        case Facts():
            return {"facts": dict(block.pairs)}
        case Code():
            return {"code": block.text}
        case Picture():
            return {"picture": block.text}
