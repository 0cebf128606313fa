"""SQL files, as psql reads them: its own commands are carried out or blanked out, its variables put in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govern.code.texts.text import Text
from govern.core.code import HOLE, CodeFile

_COPIED_ROWS = re.compile(
    r"^[ \t]*COPY\b[^;]*?\bFROM\s+STDIN\b[^;]*;[ \t]*\n(?P<rows>.*?^\\\.[ \t]*$)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_COPY = re.compile(
    r"^[ \t]*\\copy\s+(?P<what>\([^\n]*\)|[^\s(]+\s*(?:\([^)\n]*\))?)\s+(?P<way>from|to)\s[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_SET = re.compile(r"^[ \t]*\\set\s+(?P<name>\w+)\s+(?P<value>[^\n]+)", re.MULTILINE)
_COMMAND = re.compile(r"^[ \t]*\\[^\n]*", re.MULTILINE)
_SENDING = re.compile(r"\\(?:g|gx|gexec|gset|gdesc|crosstabview|watch)\b[^\n]*")
_FILLED_IN = re.compile(
    r"(?P<quiet>'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag))"
    r"|(?<!:):(?P<quote>['\"]?)(?P<name>[A-Za-z_]\w*)(?P=quote)"
    r"|\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}",
    re.DOTALL,
)
"""psql's variables, and the braces of Jinja and of shells."""


def read_sql_file(content: str, path: str) -> CodeFile:
    """One text of all its statements; characters stay at their places."""
    variables = {found["name"]: _unquote(found["value"]) for found in _SET.finditer(content)}
    text = _COPIED_ROWS.sub(lambda found: _keep(found[0], found.start("rows") - found.start()), content)
    text = _COPY.sub(_as_statement, text)
    text = _SENDING.sub(lambda found: ";" + " " * (len(found[0]) - 1), text)
    text = _COMMAND.sub(lambda found: " " * len(found[0]), text)
    filled = _fill(text, variables)
    sql = filled.as_sql(path, "file", "statement") if filled.marks else None
    return CodeFile(path=path, sql=(sql,) if sql is not None and text.strip() else ())


def _fill(text: str, variables: Mapping[str, str]) -> Text:
    """With what variables stand for, and holes for what only whoever runs it knows."""
    made, at, line, column = Text(), 0, 0, 0

    def add(part: str, written: str) -> None:
        """``part`` stands for what is written."""
        nonlocal line, column
        made.add(part, line, column)
        newlines = written.count("\n")
        line, column = (
            (line + newlines, len(written) - written.rfind("\n") - 1)
            if newlines
            else (line, column + len(written))
        )

    for found in _FILLED_IN.finditer(text):
        given = _given(found, variables)
        if given is None:
            continue
        add(text[at : found.start()], text[at : found.start()])
        add(given, found[0])
        at = found.end()
    add(text[at:], text[at:])
    return made


def _given(found: re.Match[str], variables: Mapping[str, str]) -> str | None:
    """What stands in for it; None where it stays as it is."""
    if found["quiet"] is not None:
        return None
    name, quote = found["name"], found["quote"]
    if name is None:
        return HOLE
    if name not in variables:
        return HOLE if quote else None  # a driver's placeholder looks like that, too
    value = variables[name]
    return f"{quote}{value.replace(quote, quote * 2)}{quote}" if quote else value


def _unquote(value: str) -> str:
    """What ``\\set`` takes: words, and texts in quotes, one after the other."""
    value = value.strip()
    return (
        value[1:-1].replace("\\'", "'").replace("''", "'")
        if value[:1] == value[-1:] == "'" and len(value) > 1
        else value
    )


def _as_statement(found: re.Match[str]) -> str:
    """``\\copy users from 'file'`` as the statement that psql makes of it, as long as it was."""
    end = "FROM STDIN;" if found["way"].lower() == "from" else "TO STDOUT;"
    begin = (
        found[0][: found.start("way") - found.start()].replace("\\copy", " COPY").replace("\\COPY", " COPY")
    )
    return f"{begin}{end}".ljust(len(found[0]))


def _keep(text: str, length: int) -> str:
    return text[:length] + re.sub(r"[^\n]", " ", text[length:])
