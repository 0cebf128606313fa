"""How far counted work has come: a sentence that also has numbers, for whoever can draw them.

Work is narrated in sentences. Whoever takes these for texts, as a log does, gets the same sentence again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal, Self, TypeVar

T = TypeVar("T")
Unit = Literal["bytes"] | str
"""``bytes``, or a noun for what is counted: ``revision``."""


class Reached(str):
    """One sentence about work of which ``done`` is over; with 0 it begins."""

    __slots__ = ("done", "total", "unit")

    done: int
    total: int | None
    """None where nobody knows how much it will be."""
    unit: Unit

    def __new__(cls, sentence: str, *, done: int, total: int | None, unit: Unit) -> Self:
        self = super().__new__(cls, sentence)
        self.done, self.total, self.unit = done, total, unit
        return self

    def saying(self, sentence: str) -> Reached:
        """As far, in other words."""
        return Reached(sentence, done=self.done, total=self.total, unit=self.unit)


def counted(
    items: Collection[T], narrate: Callable[[str], None], sentence: str, *, unit: Unit
) -> Iterator[T]:
    """The items, and before each of them how many are over."""
    for done, item in enumerate(items):
        narrate(Reached(sentence, done=done, total=len(items), unit=unit))
        yield item


class Counter:
    """Narrates each of ``total`` pieces of work as it ends; begins when it is made. For several threads."""

    def __init__(
        self, narrate: Callable[[str], None], sentence: str, *, total: int | None, unit: Unit
    ) -> None:
        self._narrate = narrate
        self._reached = Reached(sentence, done=0, total=total, unit=unit)
        narrate(self._reached)

    def add(self, number: int = 1, *, sentence: str | None = None) -> None:
        """So much more is over; ``sentence`` takes the place of what was said."""
        last = self._reached
        self._reached = Reached(
            sentence or str(last), done=last.done + number, total=last.total, unit=last.unit
        )
        self._narrate(self._reached)
