"""Numbers, moments and revisions as sentences say them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def count_of(number: int, noun: str) -> str:
    """``1 revision``, ``3 revisions``, ``2 batches``; for nouns that take an s."""
    ending = "" if number == 1 else "es" if noun.endswith(("ch", "sh", "s", "x")) else "s"
    return f"{number:,} {noun}{ending}"


def first_line(said: object) -> str:
    """Of what a driver, a server or a library said; the rest is for a log."""
    return str(said).strip().partition("\n")[0]


def name_revisions(revisions: Iterable[str]) -> str:
    """``3f2a, 9b1c``, and ``base`` for none."""
    return ", ".join(revisions) or "base"


def name_size(number: int) -> str:
    """``950``, ``12.3 k``, ``5.2 M``, ``1.4 G``: three digits are enough for an estimate."""
    if number < 10_000:
        return f"{number:,}"
    unit, factor = next(
        (unit, factor) for unit, factor in _UNITS if number < 1_000 * factor or factor == 1_000_000_000
    )
    amount = number / factor
    return f"{amount:.1f} {unit}" if amount < 100 else f"{amount:.0f} {unit}"


_UNITS = (("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000))


def name_seconds(seconds: float) -> str:
    """``0.4 s``, ``40 s``, ``3 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def name_duration(seconds: float) -> str:
    """As ``name_seconds``, but ``12 ms`` where that says more than ``0.0 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else name_seconds(seconds)


def name_moment(moment: datetime) -> str:
    """``2031-01-02 12:00:00 UTC``; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def name_age(seconds: float) -> str:
    """``a moment ago``, ``12 min ago``, ``3 h ago``, ``5 days ago``; ``in 3 h`` where a clock is wrong."""
    span = abs(seconds)
    if span < 60:
        return "a moment ago" if seconds >= 0 else "in a moment"
    unit, size = next(((unit, size) for unit, size in _AGES if span >= 2 * size), _AGES[-1])
    span = span // size
    named = f"{span:.0f} {unit}" if unit in ("min", "h") else count_of(int(span), unit)
    return f"{named} ago" if seconds >= 0 else f"in {named}"


_AGES = (("year", 365 * 86_400), ("day", 86_400), ("h", 3_600), ("min", 60))


def name_bytes(count: int) -> str:
    """``1.4 MB``: decimal units, as df and cloud consoles count."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
