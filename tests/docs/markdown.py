"""Markdown as the documentation tests need it: blocks, code spans, headings and links, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = (
    *sorted(DOCS.rglob("*.md")),
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "backups/README.md")
    ),
)

_FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.M | re.S
)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<heading>.+)$", re.M)
_SPAN = re.compile(r"`(?P<code>[^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. ``comment`` is the HTML comment right before it, if there is one."""

    language: str
    title: str | None
    text: str
    comment: str
    line: int
    """Of its first line of content, counted from 1."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read_blocks(page: Path) -> tuple[Block, ...]:
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(
            language=fence["language"],
            title=fence["title"],
            text=fence["text"],
            comment=_comment_before(text[: fence.start()]),
            line=text.count("\n", 0, fence.start("text")) + 1,
        )
        for fence in _FENCE.finditer(text)
    )


def read_spans(page: Path) -> tuple[str, ...]:
    """Code in running text."""
    return tuple(span["code"] for span in _SPAN.finditer(_prose(page)))


def read_links(page: Path) -> tuple[str, ...]:
    """Targets as written."""
    return tuple(link["target"] for link in _LINK.finditer(_prose(page)))


def read_headings(page: Path) -> tuple[str, ...]:
    return tuple(heading["heading"] for heading in _HEADING.finditer(_prose(page)))


def read_command_lines(page: Path) -> Iterator[str]:
    """What a reader would type, out of blocks and spans: lines that hold a call of govern or make."""
    for block in read_blocks(page):
        if block.language in ("console", "sh", "yaml", "text"):
            yield from block.text.splitlines()
    yield from read_spans(page)


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _comment_before(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2]
    return last if last.startswith("<!--") else ""
