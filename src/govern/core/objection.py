"""What a database has against a statement that it was asked to prepare, and not to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ObjectionKind = Literal[
    "undefined-table",
    "undefined-column",
    "undefined-function",
    "wrong-type",
    "syntax",
    "unknown-type",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """The first thing that is wrong."""

    kind: ObjectionKind
    message: str
    """In the database's words."""
    name: str = ""
    """Of the table, column or function, as far as the database says it."""
    offset: int | None = None
    """Where in the statement, in characters from 0; None where the engine does not say."""
