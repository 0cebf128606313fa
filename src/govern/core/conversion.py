"""A column that is to have another type: what its values become, and which of them stand in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govern.core.restoration import Place, name_place
from govern.core.wording import count_of

Why = Literal["fails", "becomes-null", "is-null", "respelled"]
_SAID = {
    "fails": "cannot be converted",
    "becomes-null": "would become NULL",
    "is-null": "cannot be NULL, and would be",
    "respelled": "would be written otherwise if they came back by a cast",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One column, and the expression that gives its new values."""

    place: Place
    column: str
    was: str
    """Its type now, in the engine's words."""
    to: str
    by: str
    takes_null: bool
    """Whether the column may be NULL afterwards."""

    @property
    def name(self) -> str:
        return f"{name_place(self.place)}.{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfits:
    """Rows that one thing is said of."""

    conversion: Conversion
    why: Why
    rows: int
    examples: tuple[str, ...] = ()
    """Keys of some of them."""
    said: str = ""
    """By the engine, without the value."""

    @property
    def is_in_the_way(self) -> bool:
        """A value that comes back otherwise is kept: it is told, and comes back from there."""
        return self.why != "respelled"

    @property
    def described(self) -> str:
        keys = f": {'; '.join(self.examples)}" if self.examples else ""
        said = f" ({self.said})" if self.said else ""
        to = f" to {self.conversion.to}" if self.why == "fails" else ""
        return f"{count_of(self.rows, 'value')} of {self.conversion.name} {_SAID[self.why]}{to}{said}{keys}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What all rows of a table said to a conversion."""

    rows: int
    misfits: tuple[Misfits, ...] = ()
