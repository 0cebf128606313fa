"""Parts of SQL as a server writes it: lists and brackets, where a comma in a text is no comma."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\s+|.""", re.DOTALL)
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")


def read_bracket(text: str) -> tuple[str, str]:
    """What is in the first bracket of ``text``, and what follows it; both empty where there is none."""
    depth = 0
    begin = end = 0
    for token in _TOKEN.finditer(text):
        if token[0] == "(":
            depth += 1
            begin = token.end() if depth == 1 else begin
        elif token[0] == ")":
            depth -= 1
            if not depth:
                end = token.start()
                break
    return (text[begin:end], text[end + 1 :]) if end else ("", "")


def split_list(text: str) -> Iterator[str]:
    """The items between commas that are in no bracket."""
    item, depth = "", 0
    for part in _TOKEN.findall(text):
        depth += (part in "([") - (part in ")]")
        if part == "," and not depth:
            yield item.strip()
            item = ""
        else:
            item += part
    if item.strip():
        yield item.strip()


def replace_word(text: str, word: str, by: str) -> str:
    """``text`` with ``by`` for each ``word`` that is no part of a text or of a quoted name."""
    return "".join(by if part == word else part for part in _TOKEN.findall(text))


def read_name(text: str) -> str | None:
    """The name that a text is, quoted or not; None where it is more than that."""
    if text.startswith('"') and _TOKEN.fullmatch(text):
        return text[1:-1].replace('""', '"')
    return text if _PLAIN_NAME.fullmatch(text) else None


def quote_text(value: str) -> str:
    """A text as a literal, where backslashes are what they look like."""
    return "'" + value.replace("'", "''") + "'"
