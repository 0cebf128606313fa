"""How text looks where it lands: colours, signs, width. No decision about what is said."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.reports.sentences import CODE_INDENT

if TYPE_CHECKING:
    from govern.core.document import Tone

Paint = Literal["red", "yellow", "green", "cyan", "dim", "bold"]

TERMINAL_SIGNS: dict[Tone, tuple[str, Paint]] = {
    "good": ("✓", "green"),
    "notice": ("!", "yellow"),
    "bad": ("✗", "red"),
    "quiet": ("–", "cyan"),
}
"""Where letters are all there is."""
_CODES: dict[Paint, str] = {"red": "31", "yellow": "33", "green": "32", "cyan": "36", "dim": "2", "bold": "1"}
_ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "–": "-",
        "·": "|",
        "…": "...",
        "→": "->",
        "≠": "!=",
        "≥": ">=",
        "—": "-",
        "\N{NO-BREAK SPACE}": " ",
    }
)
# C0 but for newline and tab, DEL, C1, half a character, and what reverses the direction of text
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def make_harmless(text: str) -> str:
    """The text, with nothing in it that a terminal or a page would obey: names come from databases and files."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The defaults are for a file or a pipe: no colour, no wrapping."""

    color: bool = False
    unicode: bool = True
    width: int | None = None
    """Columns of the terminal; None: lines are never wrapped."""

    def paint(self, text: str, *paints: Paint) -> str:
        if not self.color or not text:
            return text
        return f"\x1b[{';'.join(_CODES[paint] for paint in paints)}m{text}\x1b[0m"

    def say(self, text: str) -> str:
        """The text as it is written there; see ``make_harmless``."""
        harmless = make_harmless(text)
        return harmless if self.unicode else harmless.translate(_ASCII)

    def indent(self, text: str, *, first: str, rest: str | None = None) -> list[str]:
        """The text's lines, the first behind ``first``, the others aligned with it (or behind ``rest``)."""
        hanging = " " * len(first) if rest is None else rest
        lines: list[str] = []
        for line in self.say(text).splitlines() or [""]:
            lead = hanging if lines else first
            lines += self._wrap(line, lead, hanging)
        return lines

    def _wrap(self, line: str, lead: str, hanging: str) -> list[str]:
        is_code = line.startswith(CODE_INDENT)  # it is there to be copied
        if self.width is None or is_code or len(lead) + len(line) <= self.width:
            return [f"{lead}{line}".rstrip()]
        return textwrap.wrap(
            line,
            max(self.width, len(hanging) + 30),
            initial_indent=lead,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
