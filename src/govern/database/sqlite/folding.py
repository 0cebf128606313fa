"""Names as SQLite compares them: only the letters of ASCII are the same in both cases."""

from __future__ import annotations

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """As ``lower()`` of SQLite itself does: ``Ä`` and ``ä`` are two names."""
    return name.translate(_LOWER)
