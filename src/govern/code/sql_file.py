"""SQL files, as psql reads them: its own commands and variables, and the rows of COPY, are blanked out."""

from __future__ import annotations

import re

from govern.core.code import HOLE, CodeFile, Mark, SqlText

_COPIED_ROWS = re.compile(
    r"^[ \t]*COPY\b[^;]*?\bFROM\s+STDIN\b[^;]*;[ \t]*\n(?P<rows>.*?^\\\.[ \t]*$)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^[ \t]*\\[^\n]*", re.MULTILINE)
_SENDING = re.compile(r"\\(?:g|gx|gexec|gset|gdesc|crosstabview|watch)\b[^\n]*")
_FILLED_IN = re.compile(r":'\w+'|:\"\w+\"|\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}", re.DOTALL)
"""psql's variables, and the braces of Jinja and of shells."""


def read_sql_file(content: str, path: str) -> CodeFile:
    """One text of all its statements; characters stay at their places."""
    text = _COPIED_ROWS.sub(lambda found: _keep(found[0], found.start("rows") - found.start()), content)
    text = _SENDING.sub(lambda found: ";" + " " * (len(found[0]) - 1), text)
    text = _COMMAND.sub(lambda found: " " * len(found[0]), text)
    text = _FILLED_IN.sub(lambda found: _blank(found[0], HOLE), text)
    sql = SqlText(text=text, path=path, marks=(Mark(0, 1, 1),), via="file")
    return CodeFile(path=path, sql=(sql,) if text.strip() else ())


def _keep(text: str, length: int) -> str:
    return text[:length] + _blank(text[length:])


def _blank(text: str, first: str = "") -> str:
    """Spaces for everything but the ends of lines."""
    return first + re.sub(r"[^\n]", " ", text[len(first) :])
