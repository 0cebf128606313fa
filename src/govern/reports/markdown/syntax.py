"""Markdown, so that a text from a database or a file is that text and nothing else: no link, no mention, no HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from govern.core.document import Tone
from govern.reports.sentences import split_passages
from govern.reports.style import make_harmless

_SPECIAL = re.compile(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
_LEADING = re.compile(r"^([-+=:#]|\d{1,9}[.)](?=\s|$))")
_REFERENCE = re.compile(r"([@#])(?=\w)|(!)(?=\d)")
"""A person, an issue, a merge request: whoever is named in a comment is sent a mail."""
TONE_SIGNS: dict[Tone, str] = {"good": "✅", "notice": "⚠️", "bad": "❌", "quiet": "ℹ️"}  # signs, no letters
_BACKTICKS = re.compile(r"`+")


def escape(text: str) -> str:
    """The text on one line."""
    line = html.escape(" ".join(make_harmless(text).split()), quote=False)
    line = _LEADING.sub(
        lambda found: found.group()[:-1] + "\\" + found.group()[-1], _SPECIAL.sub(r"\\\1", line)
    )
    # entities last: their own signs are not to be escaped
    line = _REFERENCE.sub(lambda found: f"{found.group()}&#8203;", line)
    return line.replace("$", "&#36;").replace("://", ":&#8203;//").replace("www.", "www&#8203;.")


def say(label: str, text: str) -> str:
    """A sentence behind its label, and the code in it as code."""
    passages = [
        block(passage.text) if passage.is_code else escape_lines(passage.text)
        for passage in split_passages(text)
    ]
    return "\n\n".join([" ".join([f"**{label}:**", *passages[:1]]), *passages[1:]])


def escape_lines(text: str) -> str:
    """The same with its line breaks."""
    return "<br>".join(escape(line) for line in make_harmless(text).splitlines() if line.strip())


def code(text: str) -> str:
    """The text as code within a line, in a table's cell too."""
    line = " ".join(make_harmless(text).split()) or " "
    fence = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}".replace("|", "\\|")


def block(text: str, language: str = "") -> str:
    """The text as it is, to be copied."""
    content = make_harmless(text).rstrip("\n")
    fence = "`" * max(3, _longest_run(content) + 1)
    return f"{fence}{language}\n{content}\n{fence}"


def details(summary: str, *body: str, is_open: bool = False) -> str:
    """Paragraphs below a line that opens them; ``summary`` is HTML."""
    return "\n\n".join(
        [f"<details{' open' if is_open else ''}><summary>{summary}</summary>", *body, "</details>"]
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_html(text: str) -> str:
    """The text within an HTML element of one line."""
    line = html.escape(" ".join(make_harmless(text).split()))
    return _REFERENCE.sub(lambda found: f"{found.group()}&#8203;", _SPECIAL.sub(_as_entity, line))


def _as_entity(found: re.Match[str]) -> str:
    return f"&#{ord(found.group())};"


def _longest_run(text: str) -> int:
    return max((len(found) for found in _BACKTICKS.findall(text)), default=0)
