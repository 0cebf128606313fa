"""Is a file still a program after its edits? Asked before anything is written."""

from __future__ import annotations

import ast

from govern.code.sources import Source


def is_as_sound(source: Source, text: str) -> bool:
    """Whether the new text has no mistake of syntax that the old one had not."""
    if source.language == "sql":
        return True  # the database took the statement without what is taken away
    if _count_errors(text, source.language) > _count_errors(source.text, source.language):
        return False
    return source.language != "python" or not _is_python(source.text) or _is_python(text)


def _count_errors(text: str, language: str) -> int:
    from ast_grep_py import SgRoot

    root = SgRoot(text, language).root()
    return len(root.find_all(kind="ERROR")) + sum(
        node.text() == "" for node in root.find_all(kind="identifier")
    )


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
