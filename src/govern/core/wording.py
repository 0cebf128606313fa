"""Numbers and revisions as sentences say them."""

from __future__ import annotations

from collections.abc import Iterable


def count_of(number: int, noun: str) -> str:
    """``1 revision``, ``3 revisions``; for nouns that take an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def name_revisions(revisions: Iterable[str]) -> str:
    """``3f2a, 9b1c``, and ``base`` for none."""
    return ", ".join(revisions) or "base"
