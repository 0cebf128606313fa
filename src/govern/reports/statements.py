"""Statements as they can be pasted: each ends with one semicolon."""

from __future__ import annotations

from collections.abc import Iterable


def terminate(statement: str) -> str:
    """``SELECT 1;``, whether it had none, one or several."""
    return statement.strip().rstrip(";").rstrip() + ";"


def write_script(statements: Iterable[str]) -> str:
    """All of them, each on a line of its own."""
    return "\n".join(map(terminate, statements))
