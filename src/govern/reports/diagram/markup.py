"""Text as XML has it, whatever is in it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write."""


def write_text(text: str) -> str:
    """Between elements."""
    return escape(replace_unprintable(text))


def write_attribute(text: str) -> str:
    """With its quotes."""
    return quoteattr(replace_unprintable(text))


def replace_unprintable(text: str) -> str:
    """What can stand in a text of XML."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
