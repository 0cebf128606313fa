"""What somebody meant who wrote a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 3
_ALIKE = 0.6
_FAR_FROM_THE_BEST = 0.15
"""A name that is so much less alike than the best one was not meant."""


def find_close(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of the known names, the closest first; those that begin so, where a beginning was given."""
    names = tuple(dict.fromkeys(known))
    if name and (beginning_so := tuple(one for one in names if one.startswith(name))):
        return beginning_so if len(beginning_so) <= _MOST else ()
    import difflib  # few names are misspelt

    folded = {one.casefold(): one for one in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), folded, n=_MOST, cutoff=_ALIKE)
    if not close:
        return ()
    best = _ratio(name, close[0])
    return tuple(folded[one] for one in close if _ratio(name, one) >= best - _FAR_FROM_THE_BEST)


def _ratio(name: str, other: str) -> float:
    import difflib

    return difflib.SequenceMatcher(None, other, name.casefold()).ratio()
